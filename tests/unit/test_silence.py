"""Silent phones: hours of working days count, in the agent's own zone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from field_api.domain.silence import is_silent, silent_after_hours, working_time

MEXICO = "America/Mexico_City"  # UTC-6, no summer time
WEEKDAYS = frozenset(range(5))


def at(day: int, hour: int, zone_hours: int = -6) -> datetime:
    """Of November 2026, where the 20th is a Friday."""
    return datetime(2026, 11, day, hour, tzinfo=UTC) - timedelta(hours=zone_hours)


@pytest.mark.parametrize(
    ("last", "now", "weekdays", "silent"),
    [
        (at(18, 9), at(19, 9), WEEKDAYS, True),
        (at(18, 10), at(19, 9), WEEKDAYS, False),
        (at(20, 18), at(23, 9), WEEKDAYS, False),  # Friday evening to Monday morning: 15 hours of working days
        (at(20, 18), at(23, 18), WEEKDAYS, True),
        (at(20, 18), at(23, 9), frozenset({5, 6}), True),  # for somebody who works at weekends
        (at(20, 18), at(23, 9), frozenset(), False),  # nobody said when: Monday to Friday
        (at(1, 9), at(1, 9) + timedelta(days=60), frozenset(), True),
        (at(19, 9), at(18, 9), WEEKDAYS, False),  # a clock was set back
    ],
)
def test_hours_of_working_days_count(last: datetime, now: datetime, weekdays: frozenset[int], silent: bool) -> None:
    assert is_silent(last, now, MEXICO, weekdays, 24) is silent


def test_days_end_at_midnight_of_the_agents_zone_also_when_clocks_change() -> None:
    monday = frozenset({0})
    # 25 October 2026 is a Sunday of 25 hours in Vaduz; Monday the 26th begins at 23:00 UTC.
    since, until = datetime(2026, 10, 24, tzinfo=UTC), datetime(2026, 10, 28, tzinfo=UTC)
    assert working_time(since, until, "Europe/Vaduz", monday) == timedelta(hours=24)
    assert working_time(since, until, "Europe/Vaduz", frozenset({6})) == timedelta(hours=25)
    assert working_time(since, datetime(2026, 10, 26, 5, tzinfo=UTC), "Europe/Vaduz", monday) == timedelta(hours=6)


@pytest.mark.parametrize(
    ("said", "hours"), [(8, 8), (1_000, 1_000), (None, 24), (0, 24), (-1, 24), ("8", 24), (True, 24), (1_001, 24)]
)
def test_a_policy_that_is_no_number_of_hours_counts_as_a_day(said: object, hours: int) -> None:
    assert silent_after_hours({"silent_after_hours": said}) == hours
    assert silent_after_hours({}) == 24
