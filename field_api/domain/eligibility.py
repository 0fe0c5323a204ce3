"""Which accounts may be visited on a day, and why the others may not: pure, over values."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from field_api.domain.contact_rules import (
    NO_RULES,
    ContactWindow,
    JurisdictionRules,
    PastAttempt,
    Refusal,
    Rule,
    contact_window,
    notice_missing,
    place_refused,
    too_frequent,
)
from field_api.domain.routing import Point
from field_api.domain.vocabulary import NotPlannedReason

MINOR_SOUGHT = Rule("minors", "Product rule, after CONDUSEF and PROFECO: no collection with minors", "M")
OPTED_OUT = Rule("address-opted-out", "The address is marked: no visits", "H")
UNPLACED = Rule("no-coordinates", "The address has no coordinates: it is on the dispatcher's list", "H")
NO_ADDRESS = Rule("no-address", "No address is known of the person sought", "H")

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


@dataclass(frozen=True)
class Candidate:
    """An overdue, free account with whom to seek about it and what was tried before."""

    account_id: UUID
    sector: str
    transferred: bool  # the creditor bought the debt
    person_id: UUID
    role: str
    is_minor: bool
    language: str
    places: tuple[Place, ...]
    past: Sequence[PastAttempt]


@dataclass(frozen=True)
class Eligible:
    """The account may be visited at this place within this window."""

    candidate: Candidate
    place: Place
    point: Point
    window: ContactWindow


RuleLookup = Callable[[str], JurisdictionRules | None]


def decide(candidate: Candidate, day: date, rules_of: RuleLookup, days_off: Calendars) -> Eligible | Refusal:
    """Whether the account may be visited on `day`, at the best of its places; the refusal of the best one else."""
    if candidate.is_minor:
        return Refusal(NotPlannedReason.MINOR, MINOR_SOUGHT)
    refusals = []
    for place in sorted(candidate.places, key=lambda place: (PREFERENCE.get(place.kind, 1), str(place.id))):
        decision = _decide_at(candidate, place, day, rules_of, days_off)
        if isinstance(decision, Eligible):
            return decision
        refusals.append(decision)
    return refusals[0] if refusals else Refusal(NotPlannedReason.NO_COORDINATES, NO_ADDRESS)


def _decide_at(
    candidate: Candidate, place: Place, day: date, rules_of: RuleLookup, days_off: Calendars
) -> Eligible | Refusal:
    if place.opted_out:
        return Refusal(NotPlannedReason.VISITS_OPTED_OUT, OPTED_OUT)
    rules = rules_of(place.jurisdiction)
    if rules is None:
        return Refusal(NotPlannedReason.OUTSIDE_CONTACT_HOURS, NO_RULES)
    refusal = (
        place_refused(place.kind, rules)
        or too_frequent(day, candidate.past, rules)
        or notice_missing(day, candidate.past, rules, candidate.sector, candidate.transferred)
    )
    if refusal:
        return refusal
    if place.point is None:
        return Refusal(NotPlannedReason.NO_COORDINATES, UNPLACED)
    window = contact_window(day, place.zones, rules, candidate.sector, days_off(rules.holidays, day.year))
    return window if isinstance(window, Refusal) else Eligible(candidate, place, place.point, window)
