"""Who may be visited where, and which visits make one stop."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st

from field_api.adapters.calendars import Almanac
from field_api.adapters.rules_toml import TomlRules
from field_api.domain.contact_rules import PastAttempt, Refusal
from field_api.domain.eligibility import Candidate, Eligible, Law, Place, decide
from field_api.domain.routing import Point
from field_api.domain.stops import SERVICE_FIRST_S, SERVICE_NEXT_S, gather_stops
from field_api.domain.vocabulary import NotPlannedReason

RULES, ALMANAC, DAY = TomlRules(), Almanac(), date(2026, 11, 18)
ZONE = ("America/Mexico_City",)
HOME = Place(UUID(int=1), "home", Point(19.4, -99.1), ZONE, "MX", False, b"home")
WORK = Place(UUID(int=2), "work", Point(19.5, -99.1), ZONE, "MX", False, b"work")
SOMEBODY = Candidate(UUID(int=9), "commercial", False, UUID(int=8), "debtor", False, "es", (WORK, HOME), ())


def decided(candidate: Candidate) -> Eligible | Refusal:
    return decide(candidate, DAY, Law(RULES.of, ALMANAC.days_off))


def test_home_comes_before_work_and_work_before_nothing() -> None:
    found = decided(SOMEBODY)
    assert isinstance(found, Eligible) and found.place is HOME
    found = decided(replace(SOMEBODY, places=(WORK, replace(HOME, opted_out=True))))
    assert isinstance(found, Eligible) and found.place is WORK


def test_the_refusal_is_that_of_the_best_place() -> None:
    found = decided(replace(SOMEBODY, places=(replace(WORK, opted_out=True), replace(HOME, point=None, zones=()))))
    assert isinstance(found, Refusal) and found.reason is NotPlannedReason.NO_COORDINATES
    found = decided(replace(SOMEBODY, places=()))
    assert isinstance(found, Refusal) and found.reason is NotPlannedReason.NO_COORDINATES


def test_a_minor_is_never_sought() -> None:
    found = decided(replace(SOMEBODY, is_minor=True))
    assert isinstance(found, Refusal) and found.reason is NotPlannedReason.MINOR


def test_a_cap_counts_for_every_place() -> None:
    found = decided(replace(SOMEBODY, past=(PastAttempt(DAY, "visit"),)))
    assert isinstance(found, Refusal) and found.reason is NotPlannedReason.TOO_FREQUENT


people = st.lists(
    st.tuples(st.integers(1, 6), st.integers(0, 3), st.sampled_from(["es", "es-MX", "en"])), min_size=1, max_size=12
)


@given(people)
@settings(deadline=None)
def test_every_account_is_in_one_visit_and_a_person_in_one_per_place(people: list[tuple[int, int, str]]) -> None:
    eligible = []
    for number, (person, street, language) in enumerate(people):
        place = replace(
            HOME, id=UUID(int=100 + street), point=Point(19.4 + street / 100, -99.1), fingerprint=b"%d" % street
        )
        candidate = replace(
            SOMEBODY, account_id=UUID(int=1000 + number), person_id=UUID(int=person), language=language, places=(place,)
        )
        found = decided(candidate)
        assert isinstance(found, Eligible)
        eligible.append(found)
    stops = gather_stops(eligible)
    accounts = [account for stop in stops for visit in stop.visits for account, _ in visit.accounts]
    assert sorted(accounts) == sorted(entry.candidate.account_id for entry in eligible)
    for stop in stops:
        assert len({visit.person_id for visit in stop.visits}) == len(stop.visits)
        assert stop.service_s == SERVICE_FIRST_S + SERVICE_NEXT_S * (len(stop.visits) - 1)
    assert len(stops) == len({(street, language[:2]) for _, street, language in people})
    assert gather_stops(list(reversed(eligible))) == stops


def test_one_text_is_one_place_unless_far_apart() -> None:
    def at(number: int, latitude: float) -> Eligible:
        place = replace(HOME, point=Point(latitude, -99.1))
        found = decided(replace(SOMEBODY, account_id=UUID(int=number), person_id=UUID(int=number), places=(place,)))
        assert isinstance(found, Eligible)
        return found

    assert len(gather_stops([at(1, 19.4), at(2, 19.4005)])) == 1
    assert len(gather_stops([at(1, 19.4), at(2, 19.42)])) == 2
