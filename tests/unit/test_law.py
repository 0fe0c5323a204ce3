"""No visit that a day's routes hold breaks a rule, by an oracle that knows the law and not the engine; and what makes
rules stricter never makes a visit possible."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from field_api.adapters.calendars import Almanac
from field_api.adapters.rules_toml import SHIPPED, TomlRules
from field_api.adapters.travel_great_circle import GreatCircleTravel
from field_api.domain.contact_rules import ContactWindow, JurisdictionRules, PastAttempt, Refusal, contact_window
from field_api.domain.eligibility import Candidate, Eligible, Law, Place, decide, decide_all, why_not_on
from field_api.domain.own_rules import beside_the_law, own_rules
from field_api.domain.routing import AgentDay, Point
from field_api.domain.stops import gather_stops
from field_api.domain.vocabulary import NotPlannedReason
from field_api.usecases.solve_day import solve_day
from tests.fakes import NearestFirstSolver
from tests.law_oracle import Asked, Tried, broken, too_often, unannounced

RULES, ALMANAC, TRAVEL = TomlRules(), Almanac(), GreatCircleTravel()
LAW = Law(RULES.of, ALMANAC.days_off)
FILES = sorted(path.stem for path in SHIPPED.glob("*.toml") if path.stem.isupper())
PLACES = {
    "MX": [(19.4326, -99.1332), (31.7382, -106.4870), (32.5331, -117.0362), (21.1619, -86.8515)],  # two border towns
    "US": [(39.2904, -76.6122), (31.7619, -106.4850), (41.7075, -86.8950), (21.3069, -157.8583)],  # two border towns
    "CA": [
        (47.5615, -52.7126),
        (43.6532, -79.3832),
        (45.4477, -75.7400),
        (47.3700, -68.3300),
    ],  # St. John's: half an hour
    "GB": [(51.5074, -0.1278), (54.9966, -7.3086)],
    "LI": [(47.1410, 9.5209), (47.2000, 9.5200)],
    "AU": [(-31.5500, 159.0800), (-37.8136, 144.9631)],  # Lord Howe: half an hour of summer time
    "IN": [(28.6139, 77.2090), (27.7172, 85.3240)],  # half an hour, three quarters
}
CODES = [*FILES, "US-MD", "US-CA", "UK", "BE", "PL", "IE", "CA-AB", "JP", "AU", "IN"]
ODD_DAYS = [
    date(2026, 3, 8), date(2026, 11, 1), date(2026, 3, 29), date(2026, 10, 25), date(2026, 4, 5), date(2026, 10, 4),
    date(2026, 12, 31), date(2027, 1, 1), date(2027, 12, 31), date(2028, 2, 29), date(2027, 6, 6), date(2030, 10, 1),
]  # fmt: skip
"""Clock changes here and there, year ends, a leap day, Mexican elections and a change of government."""


@dataclass
class Dice:
    """Made-up candidates and agents, from a seed."""

    chance: random.Random

    def day(self) -> date:
        if self.chance.random() < 0.3:
            return self.chance.choice(ODD_DAYS)
        return date(2026, 1, 1) + timedelta(days=self.chance.randrange(1_826))

    def place(self, number: int, code: str) -> Place:
        points = PLACES.get(code[:2]) or [point for own in PLACES.values() for point in own]
        latitude, longitude = self.chance.choice(points)
        point = Point(latitude + self.chance.uniform(-0.02, 0.02), longitude + self.chance.uniform(-0.02, 0.02))
        zones = ALMANAC.zones_at(point.latitude, point.longitude)
        kind = self.chance.choice(("home", "home", "work", "other"))
        return Place(UUID(int=number), kind, point, zones, code, self.chance.random() < 0.05, b"%d" % number)

    def past(self, day: date) -> list[PastAttempt]:
        channels = ("visit", "visit", "call", "letter", "letter", "email", "message")
        return [
            PastAttempt(
                day + timedelta(days=round(self.chance.triangular(-45, 12, -8))),
                self.chance.choice(channels),
                self.chance.choice(("account", "account", "account", "creditor", "person")),
            )
            for _ in range(self.chance.choice((0, 0, 1, 1, 2, 4)))
        ]

    def candidate(self, number: int, code: str, day: date) -> Candidate:
        return Candidate(
            account_id=UUID(int=10_000 + number),
            sector=self.chance.choice(("financial", "commercial")),
            transferred=self.chance.random() < 0.3,
            person_id=UUID(int=20_000 + number),
            role="debtor",
            is_minor=self.chance.random() < 0.03,
            language="es",
            places=tuple(self.place(100 * number + n, code) for n in range(self.chance.choice((1, 1, 2)))),
            past=self.past(day),
            represented=self.chance.random() < 0.05,
        )

    def agent(self, near: Point, day: date) -> AgentDay:
        zone = ZoneInfo((ALMANAC.zones_at(near.latitude, near.longitude) or ("UTC",))[0])
        start = self.chance.randrange(4, 14)
        ends = datetime.combine(day, time(min(start + self.chance.randrange(3, 13), 23)), zone)
        starts = datetime.combine(day, time(start), zone)
        return AgentDay(starts.astimezone(UTC), ends.astimezone(UTC), near, near, frozenset({"es"}))


def days_routes(seed: int, size: int, law: Law = LAW) -> Iterator[tuple[int, int, Counter[str]]]:
    """(accounts, visits found on routes, reasons of the others) of one made-up day; fails where a rule is broken."""
    dice = Dice(random.Random(seed))
    day, code = dice.day(), dice.chance.choice(CODES)
    candidates = [dice.candidate(number, code, day) for number in range(size)]
    eligible, refused = decide_all(candidates, day, law)
    known = {candidate.account_id: candidate for candidate in candidates}
    for account_id, refusal in refused if law is LAW else ():
        _is_explained(known[account_id], day, refusal)
    stops = gather_stops(eligible)
    agents = [dice.agent(stop.point, day) for stop in stops[:: max(1, len(stops) // 4)]]
    solved = solve_day(agents, stops, solver=NearestFirstSolver(), travel=TRAVEL, seed=1)
    at = {entry.candidate.account_id: entry for entry in eligible}
    visits = 0
    for route in solved.routes:
        for placed in route.stops:
            stop = stops[placed.stop]
            for account_id, _ in (about for visit in stop.visits for about in visit.accounts):
                for begins in (placed.begins_at, stop.closes_at - timedelta(seconds=stop.service_s)):
                    ends = begins + timedelta(seconds=stop.service_s)
                    found = list(broken(_asked(at[account_id], day, begins, ends)))
                    assert not found, (seed, day, at[account_id], begins, found)
                visits += 1
    yield len(candidates), visits, Counter(why.reason.value for _, why in refused)


def _asked(entry: Eligible, day: date, begins: datetime, ends: datetime) -> Asked:
    candidate, place = entry.candidate, entry.place
    return Asked(
        place.jurisdiction, candidate.sector, place.kind, candidate.transferred, place.zones, _tried(candidate), day, begins, ends
    )  # fmt: skip


def _tried(candidate: Candidate) -> list[Tried]:
    return [Tried(one.on, one.channel, one.about == "account") for one in candidate.past if one.about != "person"]


def _is_explained(candidate: Candidate, day: date, refusal: Refusal) -> None:
    """Every refusal has its rule; one that counts or waits is one that the oracle would make as well."""
    assert refusal.rule.id and len(refusal.rule.source) > 10 and refusal.rule.confidence in ("H", "M", "L")
    reasons = why_not_on(candidate, day, LAW)
    assert refusal in reasons
    noon = datetime.combine(day, time(12), UTC)
    for place in candidate.places[:1] if len(candidate.places) == 1 else ():
        asked = Asked(place.jurisdiction, candidate.sector, place.kind, candidate.transferred, place.zones, _tried(candidate), day, noon, noon)  # fmt: skip
        said = {one.reason for one in reasons}
        if place.jurisdiction not in ("JP", "AU", "IN", "CA-AB"):
            assert (NotPlannedReason.TOO_FREQUENT in said) == any(too_often(asked)), (candidate, day)
            assert (NotPlannedReason.WAITING_AFTER_LETTER in said) == any(unannounced(asked)), (candidate, day)


def sweep(seeds: range, size: int = 20, law: Law = LAW) -> tuple[int, int, Counter[str]]:
    accounts, visits, reasons = 0, 0, Counter[str]()
    for seed in seeds:
        for of_day in days_routes(seed, size, law):
            accounts, visits, reasons = accounts + of_day[0], visits + of_day[1], reasons + of_day[2]
    return accounts, visits, reasons


def test_no_route_of_two_thousand_made_up_accounts_breaks_a_rule() -> None:
    accounts, visits, reasons = sweep(range(100))
    assert accounts == 2_000 and visits > 100, (visits, reasons)
    assert {"too_frequent", "waiting_after_letter", "no_visit_day", "outside_contact_hours", "minor"} <= set(reasons)


LOOSER = {
    "hours": lambda rules: replace(rules, hours=tuple(replace(h, by_weekday=((time(0), time(23)),) * 7) for h in rules.hours)),
    "days off": lambda rules: replace(rules, no_visit=()),
    "caps": lambda rules: replace(rules, frequency=rules.frequency[1:]),
    "notices": lambda rules: replace(rules, notice=()),
    "places": lambda rules: replace(rules, place=()),
}  # fmt: skip


@pytest.mark.parametrize(("what", "noticed"), [
    ("hours", "hours of"), ("days off", "a day off"), ("caps", "more than"), ("notices", "no letter|no notice"),
    ("places", "not at work"),
])  # fmt: skip
def test_the_oracle_notices_rules_that_are_left_out(what: str, noticed: str) -> None:
    def looser(code: str) -> JurisdictionRules | None:
        found = RULES.of(code)
        return None if found is None else LOOSER[what](found)

    with pytest.raises(AssertionError, match=noticed):
        sweep(range(400), law=Law(looser, ALMANAC.days_off))


@pytest.mark.parametrize(("town", "zones"), [
    ((31.7619, -106.4850), {"America/Denver", "America/Ciudad_Juarez"}),  # El Paso
    ((31.7382, -106.4870), {"America/Denver", "America/Ciudad_Juarez"}),  # Ciudad Juárez
    ((32.5331, -117.0362), {"America/Tijuana", "America/Los_Angeles"}),  # Tijuana, at the gate
    ((40.7391, -114.0733), {"America/Denver", "America/Los_Angeles"}),  # West Wendover, Nevada
    ((54.9966, -7.3086), {"Europe/London"}),
])  # fmt: skip
def test_a_border_town_may_lie_in_the_zones_of_both_sides(town: tuple[float, float], zones: set[str]) -> None:
    assert zones <= set(ALMANAC.zones_at(*town))


@pytest.mark.prove
@pytest.mark.parametrize("shard", range(4))
def test_no_route_of_forty_thousand_made_up_accounts_breaks_a_rule(shard: int) -> None:
    accounts, visits, _ = sweep(range(1_000 + 500 * shard, 1_500 + 500 * shard))
    assert accounts == 10_000 and visits > 500, visits


ZONE_SETS = st.lists(
    st.sampled_from(
        ["America/Mexico_City", "America/New_York", "America/St_Johns", "Australia/Lord_Howe", "Asia/Kathmandu", "Africa/Casablanca"]
    ),
    min_size=1, max_size=2, unique=True,
)  # fmt: skip
DAYS = st.one_of(st.sampled_from(ODD_DAYS), st.dates(date(2026, 1, 1), date(2030, 12, 31)))


def rules(code: str) -> JurisdictionRules:
    found = RULES.of(code)
    assert found is not None
    return found


@given(DAYS, st.sampled_from(FILES), st.sampled_from(FILES), ZONE_SETS, st.sampled_from(["financial", "commercial"]))
@settings(deadline=None, max_examples=150)
def test_two_rules_together_allow_what_both_allow(
    day: date, one: str, other: str, zones: list[str], sector: str
) -> None:
    both = replace(rules(one).and_also(rules(other)), holidays=None)
    days_off = ALMANAC.days_off(None, day.year)
    together = contact_window(day, zones, both, sector, days_off)
    apart = [contact_window(day, zones, rules(code), sector, days_off) for code in (one, other)]
    if isinstance(together, Refusal):
        spans = [window for window in apart if isinstance(window, ContactWindow)]
        assert len(spans) < 2 or max(w.opens_at for w in spans) >= min(w.closes_at for w in spans)
        return
    for window in apart:
        assert isinstance(window, ContactWindow)
        assert window.opens_at <= together.opens_at < together.closes_at <= window.closes_at


HOURS = st.tuples(st.integers(0, 22), st.integers(1, 23)).filter(lambda span: span[0] < span[1])
OWN = st.fixed_dictionaries(
    {},
    optional={
        "hours": HOURS.map(lambda span: [{"days": {"mon-thu": [[f"{span[0]:02}:00", f"{span[1]:02}:30"]]}}]),
        "frequency": st.builds(
            lambda most, days, counts, per: [{"at_most": most, "within_days": days, "counts": counts, "per": per}],
            st.integers(0, 3), st.integers(1, 366), st.sampled_from(["visits", "attempts"]), st.sampled_from(["account", "creditor", "person"]),
        ),
        "notice": st.integers(0, 40).map(lambda days: [{"channels": ["letter"], "at_least_days": days}]),
        "no_visit": st.sampled_from([[{"dates": ["12-24", "12-31", "2026-11-18"]}]]),
        "place": st.just([{"refuse_kinds": ["work"]}]),
    },
)  # fmt: skip


@given(st.integers(0, 10**6), st.sampled_from(FILES), OWN)
@settings(deadline=None, max_examples=250)
def test_what_an_agency_adds_never_makes_a_visit_possible_nor_a_window_longer(seed: int, code: str, own: dict) -> None:
    dice = Dice(random.Random(seed))
    day = dice.day()
    candidate = dice.candidate(1, code, day)
    stricter = Law(beside_the_law(RULES.of, own_rules({"contact_rules": {"*": own}})), ALMANAC.days_off)
    found, before = decide(candidate, day, stricter), decide(candidate, day, LAW)
    if isinstance(found, Refusal):
        return
    assert isinstance(before, Eligible)
    if found.place == before.place:
        assert before.window.opens_at <= found.window.opens_at < found.window.closes_at <= before.window.closes_at
    at_most = set(why_not_on(candidate, day, LAW))
    assert at_most <= set(why_not_on(candidate, day, stricter))


@given(st.integers(0, 10**6), st.sampled_from(CODES))
@settings(deadline=None, max_examples=100)
def test_one_more_attempt_never_makes_a_visit_possible_unless_it_is_a_notice(seed: int, code: str) -> None:
    dice = Dice(random.Random(seed))
    day = dice.day()
    candidate = dice.candidate(1, code, day)
    again = replace(candidate, past=[*candidate.past, PastAttempt(day - timedelta(days=3), "visit")])
    assert isinstance(decide(candidate, day, LAW), Eligible) or isinstance(decide(again, day, LAW), Refusal)
