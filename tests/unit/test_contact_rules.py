"""No window is ever outside of its rule, on any day, in any zone; caps and notices count as the rules say."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from dateutil.easter import easter
from hypothesis import given, settings
from hypothesis import strategies as st

from field_api.adapters.calendars import Almanac
from field_api.adapters.rules_toml import SHIPPED, BadRules, TomlRules
from field_api.domain.contact_rules import (
    ContactWindow,
    PastAttempt,
    Refusal,
    caps_reached,
    contact_window,
    notices_missing,
    place_refusals,
)
from field_api.domain.days_off import easter_sunday, mx_rest_days
from field_api.domain.vocabulary import NotPlannedReason

RULES, ALMANAC = TomlRules(), Almanac()
JURISDICTIONS = sorted(path.stem for path in SHIPPED.glob("*.toml") if path.stem.isupper())
ZONES = ["America/Mexico_City", "America/New_York", "Europe/Vaduz", "America/St_Johns", "Australia/Lord_Howe", "Africa/Casablanca", "UTC"]  # fmt: skip
DAYS = st.dates(date(2024, 1, 1), date(2030, 12, 31))


def window(day: date, jurisdiction: str, zones: list[str], sector: str = "financial") -> ContactWindow | Refusal:
    rules = RULES.of(jurisdiction)
    assert rules is not None
    return contact_window(day, zones, rules, sector, ALMANAC.days_off(rules.holidays, day.year))


@given(DAYS, st.sampled_from(JURISDICTIONS), st.lists(st.sampled_from(ZONES), min_size=1, max_size=3, unique=True), st.sampled_from(["financial", "commercial"]))  # fmt: skip
@settings(deadline=None)  # the first look-up of a calendar reads it
def test_no_moment_of_a_window_is_outside_any_rule(day: date, jurisdiction: str, zones: list[str], sector: str) -> None:
    found = window(day, jurisdiction, zones, sector)
    rules = RULES.of(jurisdiction)
    assert rules is not None
    if isinstance(found, Refusal):
        assert found.rule.source and found.rule.confidence in "HML"
        return
    assert found.opens_at < found.closes_at and found.rules
    last = found.closes_at - timedelta(microseconds=1)
    for moment in (found.opens_at, last):
        for zone in zones:
            local = moment.astimezone(ZoneInfo(zone))
            assert local.date() == day
            for rule in rules.hours:
                if rule.sector in (None, sector):
                    span = rule.by_weekday[day.weekday()]
                    assert span is not None and span[0] <= local.time() < span[1]


@given(DAYS, st.sampled_from(ZONES))
def test_hours_around_a_clock_change_are_never_stretched(day: date, zone: str) -> None:
    """With rules that open and close at the very hours in which clocks change."""
    from field_api.domain.contact_rules import HoursRule, JurisdictionRules, Rule

    spans = tuple((time(1, 30), time(2, 30)) for _ in range(7))
    rules = JurisdictionRules("X", None, (HoursRule(Rule("x", "x", "H"), None, spans),), (), (), (), ())
    found = contact_window(day, [zone], rules, "financial", {})
    if isinstance(found, Refusal):
        return
    moment = found.opens_at
    while moment < found.closes_at:
        assert time(1, 30) <= moment.astimezone(ZoneInfo(zone)).time() < time(2, 30)
        moment += timedelta(minutes=1)


@pytest.mark.parametrize(("jurisdiction", "day", "expected"), [
    ("MX", date(2026, 11, 18), ("08:00", "21:00")),
    ("MX", date(2026, 11, 21), None),  # Saturday
    ("MX", date(2026, 11, 16), None),  # third Monday of November
    ("US-MD", date(2026, 11, 26), ("08:00", "21:00")),  # Thanksgiving is no rule of 1006.6
    ("CA-ON", date(2026, 11, 22), ("13:00", "17:00")),  # Sunday
    ("CA-QC", date(2026, 11, 22), None),
    ("CA-QC", date(2026, 6, 24), None),  # Saint-Jean-Baptiste
    ("EU", date(2026, 11, 18), ("09:00", "20:00")),
    ("LI", date(2026, 9, 8), None),  # Nativity of Mary
    ("LI", date(2026, 11, 18), ("09:00", "20:00")),
    ("BE", date(2026, 7, 21), None),  # no file: the EU's rules, Belgium's holidays
    ("UK", date(2026, 11, 22), ("08:00", "21:00")),
])  # fmt: skip
def test_known_days(jurisdiction: str, day: date, expected: tuple[str, str] | None) -> None:
    found = window(day, jurisdiction, ["UTC"])
    if expected is None:
        assert isinstance(found, Refusal) and found.reason is NotPlannedReason.NO_VISIT_DAY
    else:
        assert isinstance(found, ContactWindow)
        assert (f"{found.opens_at:%H:%M}", f"{found.closes_at:%H:%M}") == expected


def test_an_ambiguous_place_gets_the_hours_of_every_zone() -> None:
    found = window(date(2026, 11, 18), "US", ["America/Chicago", "America/New_York"])
    assert isinstance(found, ContactWindow)
    assert found.opens_at == datetime(2026, 11, 18, 14, tzinfo=UTC)  # 8 in Chicago
    assert found.closes_at == datetime(2026, 11, 19, 2, tzinfo=UTC)  # 21 in New York


def test_a_bank_holiday_binds_financial_creditors_only() -> None:
    good_friday = easter_sunday(2026) - timedelta(days=2)
    assert isinstance(window(good_friday, "MX", ["UTC"], "financial"), Refusal)
    assert isinstance(window(good_friday, "MX", ["UTC"], "commercial"), ContactWindow)


def test_a_place_without_rules_or_zone_is_closed() -> None:
    assert RULES.of("JP") is None and RULES.of("../../etc/passwd") is None and RULES.of("CA-AB") is None
    assert isinstance(window(date(2026, 11, 18), "MX", []), Refusal)


def test_rest_days_of_the_federal_labour_law() -> None:
    assert sorted(mx_rest_days(2024)) == [
        date(2024, 1, 1), date(2024, 2, 5), date(2024, 3, 18), date(2024, 5, 1), date(2024, 6, 2), date(2024, 9, 16),
        date(2024, 10, 1), date(2024, 11, 18), date(2024, 12, 25),
    ]  # fmt: skip
    assert len(mx_rest_days(2026)) == 7


@given(st.integers(1990, 2100))
def test_easter_is_the_one_that_dateutil_computes(year: int) -> None:
    assert easter_sunday(year) == easter(year)


@given(st.lists(st.tuples(st.integers(-40, 40), st.sampled_from(["visit", "call", "letter"])), max_size=8), st.sampled_from(JURISDICTIONS))  # fmt: skip
def test_no_window_of_days_ever_holds_more_than_its_cap(past: list[tuple[int, str]], jurisdiction: str) -> None:
    """If the rules let a visit through, then every window of n days with it in holds at most the cap."""
    rules, day = RULES.of(jurisdiction), date(2026, 11, 18)
    assert rules is not None
    attempts = [PastAttempt(day + timedelta(days=offset), channel) for offset, channel in past]
    if list(caps_reached(day, attempts, rules)):
        return
    for cap in rules.frequency:
        counted = [a.on for a in attempts if cap.counts == "attempts" or a.channel == "visit"] + [day]
        for start in range(cap.within_days):
            first = day - timedelta(days=start)
            inside = [on for on in counted if first <= on < first + timedelta(days=cap.within_days)]
            assert len(inside) <= cap.at_most


@pytest.mark.parametrize(("jurisdiction", "past", "missing"), [
    ("CA-ON", [], True),
    ("CA-ON", [("letter", 6)], True),
    ("CA-ON", [("letter", 7)], False),
    ("CA-ON", [("call", 30)], True),
    ("CA-BC", [("letter", 6)], False),
    ("GB", [("letter", 1)], True),
    ("GB", [("message", 2)], False),
    ("GB", [("letter", 31)], True),
    ("LI", [], False),
    ("MX", [], False),
])  # fmt: skip
def test_a_notice_comes_first_where_the_law_wants_one(
    jurisdiction: str, past: list[tuple[str, int]], missing: bool
) -> None:
    rules, day = RULES.of(jurisdiction), date(2026, 11, 18)
    assert rules is not None
    attempts = [PastAttempt(day - timedelta(days=ago), channel) for channel, ago in past]
    refusal = next(notices_missing(day, attempts, rules, "financial", transferred=False), None)
    assert (refusal is not None) is missing


def test_a_transferred_loan_in_the_eu_wants_a_notice() -> None:
    rules = RULES.of("LI")
    assert rules is not None
    assert list(notices_missing(date(2026, 11, 18), [], rules, "financial", transferred=True))
    assert list(notices_missing(date(2026, 11, 18), [], rules, "commercial", transferred=True)) == []


def test_workplaces_are_closed_in_massachusetts() -> None:
    massachusetts, maryland = RULES.of("US-MA"), RULES.of("US-MD")
    assert (
        massachusetts
        and list(place_refusals("work", massachusetts))
        and not list(place_refusals("home", massachusetts))
    )
    assert maryland and not list(place_refusals("work", maryland))


@pytest.mark.parametrize("wrong", [
    'jurisdiction = "X"\nhour = 1',
    'jurisdiction = "X"\n[[hours]]\nid = "a"\nsource = "s"\nconfidence = "X"\ndays = { mon = [["08:00", "09:00"]] }',
    'jurisdiction = "X"\n[[hours]]\nid = "a"\nsource = "s"\nconfidence = "H"\ndays = { mon = [["09:00", "09:00"]] }',
    'jurisdiction = "X"\n[[hours]]\nid = "a"\nsource = "s"\nconfidence = "H"\ndays = { lunes = [["08:00", "09:00"]] }',
    'jurisdiction = "X"\n[[no_visit]]\nid = "a"\nsource = "s"\nconfidence = "H"\ndays = "moon"',
])  # fmt: skip
def test_rules_that_cannot_be_understood_are_refused(tmp_path: Path, wrong: str) -> None:
    (tmp_path / "X.toml").write_text(wrong)
    with pytest.raises(BadRules, match=r"X\.toml"):
        TomlRules(tmp_path).of("X")
