"""Which accounts may be visited on a day, and why the others may not: pure, over values."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from field_api.domain.contact_rules import (
    NO_RULES,
    ContactWindow,
    JurisdictionRules,
    PastAttempt,
    Refusal,
    Rule,
    caps_reached,
    closed,
    contact_window,
    notices_missing,
    place_refusals,
)
from field_api.domain.known_times import KNOWN_TIMES, KnownTime, Span, spans_within
from field_api.domain.planning_policy import Minutes
from field_api.domain.routing import Point
from field_api.domain.vocabulary import NotPlannedReason

MINOR_SOUGHT = Rule("minors", "Product rule, after CONDUSEF and PROFECO: no collection with minors", "M")
OPTED_OUT = Rule("address-opted-out", "The address is marked: no visits", "H")
UNPLACED = Rule("no-coordinates", "The address has no coordinates: it is on the dispatcher's list", "H")
NO_ADDRESS = Rule("no-address", "No address is known of the person sought", "H")

DAY_LONG = (datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC))
PREFERENCE = {"home": 0, "other": 1, "work": 2}
"""Home first: a workplace is full of third parties."""

Calendars = Callable[[str | None, int], Mapping[str, Mapping[date, str]]]


@dataclass(frozen=True)
class Place:
    """An address of the person sought. `zones`: the IANA zones it may lie in, empty without coordinates."""

    id: UUID
    kind: str
    point: Point | None
    zones: tuple[str, ...]
    jurisdiction: str
    opted_out: bool
    fingerprint: bytes
    known_times: tuple[KnownTime, ...] = ()  # when somebody is there; none: no such thing is known
    needs: frozenset[str] = frozenset()  # skills of whoever is sent there
    territory: str | None = None  # of the agency's


@dataclass(frozen=True)
class Candidate:
    """An overdue, free account with whom to seek about it and what was tried before.

    `kin`: other entries for what seems to be the same person (one name at one address), by id: whether they are the
    same creditor's. Caps by person and by creditor count them together.
    """

    account_id: UUID
    sector: str
    transferred: bool  # the creditor bought the debt
    person_id: UUID
    role: str
    is_minor: bool
    language: str
    places: tuple[Place, ...]
    past: Sequence[PastAttempt]
    represented: bool = False  # an attorney is known
    consented: bool = False  # in writing, to more visits about this debt than the law allows without
    barred: Refusal | None = None  # the creditor's strategy seeks this person no more
    instead: Candidate | None = None  # who is sought where this one cannot be visited, on no day
    weight: int = 1  # by the creditor's strategy: which visits matter more
    service_s: int = 60 * Minutes().first  # how long a visit about it takes
    next_s: int = 60 * Minutes().next  # where it is not the first one there
    kin: Mapping[UUID, bool] | None = None


@dataclass(frozen=True)
class Eligible:
    """The account may be visited at this place within this window."""

    candidate: Candidate
    place: Place
    point: Point
    window: ContactWindow

    @property
    def spans(self) -> tuple[Span, ...]:
        """The parts of the window in which somebody is there; none where no such thing is known."""
        if not self.place.known_times:
            return ()
        day = self.window.opens_at.astimezone(ZoneInfo(self.place.zones[0])).date()
        return tuple(spans_within(self.window, self.place.known_times, self.place.zones, day))


RuleLookup = Callable[[str], JurisdictionRules | None]


@dataclass(frozen=True)
class Law:
    """What decisions are made by: an agency's rules for each jurisdiction, and the days off."""

    rules_of: RuleLookup
    days_off: Calendars


def decide(candidate: Candidate, day: date, law: Law) -> Eligible | Refusal:
    """Whether the account may be visited on `day`, at the best of its places; or the best one's first refusal. Who is
    sought `instead` is asked about where the first one cannot be visited on any day."""
    first: Refusal | None = None
    for place in _best_first(candidate.places):
        refusal = next(refusals_at(candidate, place, day, law), None)
        if refusal is None:
            return _eligible(candidate, place, day, law)
        first = first or refusal
    own = first or Refusal(NotPlannedReason.NO_COORDINATES, NO_ADDRESS)
    if candidate.instead is None or not _never(candidate, day, law):
        return own
    other = decide(candidate.instead, day, law)
    return other if isinstance(other, Eligible) else own


def why_not_on(candidate: Candidate, day: date, law: Law) -> list[Refusal]:
    """Every reason against a visit on `day`, each once, those of the best place first; empty where there is a place
    without any."""
    found: dict[Refusal, None] = {}
    for place in _best_first(candidate.places):
        refusals = list(refusals_at(candidate, place, day, law))
        if not refusals:
            return []
        found |= dict.fromkeys(refusals)
    own = list(found) or [Refusal(NotPlannedReason.NO_COORDINATES, NO_ADDRESS)]
    if candidate.instead is None or not _never(candidate, day, law):
        return own
    more = why_not_on(candidate.instead, day, law)
    return list(dict.fromkeys([*own, *more])) if more else []


LASTING = frozenset(
    {
        NotPlannedReason.MINOR,
        NotPlannedReason.VISITS_OPTED_OUT,
        NotPlannedReason.NO_COORDINATES,
        NotPlannedReason.STRATEGY,
    }
)
"""Reasons that no other day takes away: only then somebody else is sought. A holiday or a cap is waited for."""


def _never(candidate: Candidate, day: date, law: Law) -> bool:
    return all(
        any(refusal.reason in LASTING for refusal in refusals_at(candidate, place, day, law))
        for place in candidate.places
    )


def decide_all(
    candidates: Iterable[Candidate], day: date, law: Law
) -> tuple[list[Eligible], list[tuple[UUID, Refusal]]]:
    """Each candidate in turn: a visit that is found possible counts for the caps of whoever seems to be the same
    person. Accounts of one entry for a person are one visit and do not hinder each other."""
    eligible: list[Eligible] = []
    refused: list[tuple[UUID, Refusal]] = []
    visited: set[UUID] = set()
    for candidate in candidates:
        decision = decide(beside(candidate, visited, day), day, law)
        if isinstance(decision, Eligible):
            visited.add(decision.candidate.person_id)
            eligible.append(decision)
        else:
            refused.append((candidate.account_id, decision))
    return eligible, refused


def beside(candidate: Candidate, visited: Collection[UUID], day: date) -> Candidate:
    """The candidate on a day on which these people are visited: who seems to be the same person counts for caps."""
    same_day = [
        PastAttempt(day, "visit", "creditor" if same_creditor else "person")
        for person_id, same_creditor in (candidate.kin or {}).items()
        if person_id in visited
    ]
    if candidate.instead is not None:
        candidate = replace(candidate, instead=beside(candidate.instead, visited, day))
    return replace(candidate, past=[*candidate.past, *same_day]) if same_day else candidate


def as_sought(candidate: Candidate | None, person_id: UUID) -> Candidate | None:
    """The candidate for whom this person is sought: itself, or who is sought instead; None where it is neither."""
    both = () if candidate is None else (candidate, candidate.instead)
    return next((one for one in both if one is not None and one.person_id == person_id), None)


def refusals_at(candidate: Candidate, place: Place, day: date, law: Law) -> Iterator[Refusal]:
    """Everything that speaks against a visit about the account at this place on `day`."""
    if candidate.barred is not None:
        yield candidate.barred
    if candidate.is_minor:
        yield Refusal(NotPlannedReason.MINOR, MINOR_SOUGHT)
    if place.opted_out:
        yield Refusal(NotPlannedReason.VISITS_OPTED_OUT, OPTED_OUT)
    rules = law.rules_of(place.jurisdiction)
    if rules is None:
        yield Refusal(NotPlannedReason.OUTSIDE_CONTACT_HOURS, NO_RULES)
        return
    if candidate.represented:
        yield from (Refusal(NotPlannedReason.REPRESENTED, rule) for rule in rules.represented)
    yield from place_refusals(place.kind, rules)
    yield from caps_reached(day, candidate.past, rules, consented=candidate.consented)
    yield from notices_missing(day, candidate.past, rules, candidate.sector, candidate.transferred)
    if place.point is None:
        yield Refusal(NotPlannedReason.NO_COORDINATES, UNPLACED)
    if place.point is not None or place.zones:
        shut = list(closed(day, place.zones, rules, candidate.sector, law.days_off(rules.holidays, day.year)))
        yield from shut
        window = ContactWindow(*DAY_LONG, ()) if shut else window_at(candidate, place, day, law)
        if isinstance(window, ContactWindow) and not spans_within(window, place.known_times, place.zones, day):
            yield Refusal(NotPlannedReason.OUTSIDE_CONTACT_HOURS, KNOWN_TIMES)


def window_at(candidate: Candidate, place: Place, day: date, law: Law) -> ContactWindow | Refusal:
    """The contact hours at the place, whatever else speaks against it."""
    rules = law.rules_of(place.jurisdiction)
    if rules is None:
        return Refusal(NotPlannedReason.OUTSIDE_CONTACT_HOURS, NO_RULES)
    return contact_window(day, place.zones, rules, candidate.sector, law.days_off(rules.holidays, day.year))


def _best_first(places: Iterable[Place]) -> list[Place]:
    return sorted(places, key=lambda place: (PREFERENCE.get(place.kind, 1), str(place.id)))


def _eligible(candidate: Candidate, place: Place, day: date, law: Law) -> Eligible | Refusal:
    window = window_at(candidate, place, day, law)
    if isinstance(window, Refusal) or place.point is None:
        return window if isinstance(window, Refusal) else Refusal(NotPlannedReason.NO_COORDINATES, UNPLACED)
    return Eligible(candidate, place, place.point, window)
