"""Eligible accounts become stops: one per place and language, with one visit per person sought."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from math import cos, hypot, radians
from uuid import UUID

from field_api.domain.contact_rules import Rule
from field_api.domain.eligibility import Eligible
from field_api.domain.known_times import Span
from field_api.domain.planning_policy import Minutes
from field_api.domain.routing import Point, StopWish

SERVICE_FIRST_S = 60 * Minutes().first
SERVICE_NEXT_S = 60 * Minutes().next
SAME_PLACE_M = 150.0
"""Two addresses with one text are one place unless further apart than a geocoder's usual error."""
METRES_PER_DEGREE = 111_195.0


@dataclass(frozen=True)
class SoughtVisit:
    """A visit to one person about all of their eligible accounts, at one of their addresses."""

    person_id: UUID
    address_id: UUID
    accounts: tuple[tuple[UUID, str], ...]  # account id, the person's role on it
    weight: int = 1  # how much it matters, by the creditors' strategies: the most of its accounts
    service_s: int = SERVICE_FIRST_S
    next_s: int = SERVICE_NEXT_S  # where it is not the first one there


@dataclass(frozen=True)
class SoughtStop:
    point: Point
    language: str
    opens_at: datetime
    closes_at: datetime
    rules: tuple[Rule, ...]  # that bound the hours
    visits: tuple[SoughtVisit, ...]
    spans: tuple[Span, ...] = ()  # of the contact hours, when somebody is there; none: all of them
    skills: frozenset[str] = frozenset()
    territory: str | None = None

    @property
    def service_s(self) -> int:
        """The longest visit, and a little more for each other one."""
        longest = max(self.visits, key=lambda visit: visit.service_s - visit.next_s)
        return longest.service_s + sum(visit.next_s for visit in self.visits if visit is not longest)

    def over_by(self, begins_at: datetime) -> datetime:
        """When a visit that begins then must be over."""
        return next((ends for opens, ends in self.spans if opens <= begins_at < ends), self.closes_at)

    def wish(self) -> StopWish:
        return StopWish(
            self.point,
            *(self.spans[0] if self.spans else (self.opens_at, self.closes_at)),
            self.service_s,
            self.language,
            weight=sum(visit.weight for visit in self.visits),
            more_windows=self.spans[1:],
            skills=self.skills,
            territory=self.territory,
        )


def gather_stops(eligible: Iterable[Eligible]) -> list[SoughtStop]:
    """Stops in a stable order. Visits whose hours differ (two jurisdictions on a border, other known times) are stops
    of their own, so that no visit bends to another's hours; so are those that need other skills."""
    places = _Places()
    groups: dict[tuple[object, ...], list[Eligible]] = {}
    for entry in sorted(eligible, key=_by_place):
        place = places.known_as(entry)
        language = entry.candidate.language.partition("-")[0].lower()
        hours = (entry.window.opens_at, entry.window.closes_at, *(moment for span in entry.spans for moment in span))
        needs = (tuple(sorted(entry.place.needs)), entry.place.territory or "")
        key = (place.latitude, place.longitude, language, *hours, *needs)
        groups.setdefault(key, []).append(entry)
    return [stop_of(entries) for _, entries in sorted(groups.items(), key=lambda group: str(group[0]))]


def stop_of(entries: Sequence[Eligible]) -> SoughtStop:
    """The stop for these, which are at one place, in one language and within the first one's hours."""
    visits: dict[UUID, list[Eligible]] = {}
    for entry in entries:
        visits.setdefault(entry.candidate.person_id, []).append(entry)
    first = entries[0]
    return SoughtStop(
        point=first.point,
        language=first.candidate.language,
        opens_at=first.window.opens_at,
        closes_at=first.window.closes_at,
        rules=first.window.rules,
        visits=tuple(
            SoughtVisit(
                person_id,
                own[0].place.id,
                tuple((entry.candidate.account_id, entry.candidate.role) for entry in own),
                max(entry.candidate.weight for entry in own),
                max(entry.candidate.service_s for entry in own),
                own[0].candidate.next_s,
            )
            for person_id, own in visits.items()
        ),
        spans=first.spans,
        skills=first.place.needs,
        territory=first.place.territory,
    )


def _by_place(entry: Eligible) -> tuple[float, float, str]:
    # Not by id first: the same accounts imported anew must give the same stops.
    return entry.point.latitude, entry.point.longitude, str(entry.candidate.account_id)


class _Places:
    """Which addresses are the same place: equal coordinates to a metre, or equal text and near each other."""

    def __init__(self) -> None:
        self._by_text: dict[bytes, Point] = {}

    def known_as(self, entry: Eligible) -> Point:
        here = Point(round(entry.point.latitude, 5), round(entry.point.longitude, 5))
        known = self._by_text.setdefault(entry.place.fingerprint, here)
        return known if _metres(known, here) <= SAME_PLACE_M else here


def _metres(one: Point, other: Point) -> float:
    """Flat-Earth distance: good to a percent for what lies next door."""
    east = (one.longitude - other.longitude) * cos(radians(one.latitude))
    return METRES_PER_DEGREE * hypot(one.latitude - other.latitude, east)
