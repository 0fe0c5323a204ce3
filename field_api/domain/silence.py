"""Whether a phone has been silent for too long, counted in hours of its agent's working days.

Whole local days count: an agent who works late, or sends the morning after, is not silent. A phone that nobody carries
at the weekend is not silent on Monday morning.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

DEFAULT_HOURS = 24
LONGEST_LOOK = timedelta(days=60)  # longer than any rest: after it, days are not counted any more
MONDAY_TO_FRIDAY = frozenset(range(5))


def silent_after_hours(policy: Mapping[str, Any]) -> int:
    """`silent_after_hours` of an agency's policy, a whole number from 1 to 1,000; whatever else stands there is 24."""
    said = policy.get("silent_after_hours")
    return said if type(said) is int and 1 <= said <= 1_000 else DEFAULT_HOURS


def is_silent(last: datetime, now: datetime, zone: str, weekdays: Collection[int], hours: int) -> bool:
    """`last` and `now` are aware; `weekdays` are those with a shift, 0 Monday to 6 Sunday; none: Monday to Friday."""
    if now - last >= LONGEST_LOOK:
        return True
    return working_time(last, now, zone, weekdays or MONDAY_TO_FRIDAY) >= timedelta(hours=hours)


def working_time(since: datetime, until: datetime, zone: str, weekdays: Collection[int]) -> timedelta:
    """How much of the time between two moments lies on working days, midnight to midnight in `zone`."""
    local = ZoneInfo(zone)
    day, last_day = since.astimezone(local).date(), until.astimezone(local).date()
    total = timedelta()
    while day <= last_day:
        if day.weekday() in weekdays:
            begins = datetime.combine(day, time(), local).astimezone(since.tzinfo)
            ends = datetime.combine(day + timedelta(days=1), time(), local).astimezone(since.tzinfo)
            total += max(timedelta(), min(ends, until) - max(begins, since))
        day += timedelta(days=1)
    return total
