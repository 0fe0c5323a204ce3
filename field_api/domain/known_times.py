"""When somebody is found at a place, as the agency knows it: `mon-fri 18:00-21:00`. Visits lie within one of them.

Local to the place, the end exclusive. They can only allow less than the contact hours do.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

from field_api.domain.contact_rules import ContactWindow, Rule

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
MOST = 10
KNOWN_TIMES = Rule("known-times", "Somebody is there at other times only, as the agency noted", "H")
_WRITTEN = re.compile(r"([a-z]{3})(?:-([a-z]{3}))? (\d\d):(\d\d)-(\d\d):(\d\d)")

Span = tuple[datetime, datetime]


@dataclass(frozen=True)
class KnownTime:
    weekdays: frozenset[int]  # 0 Monday
    opens: time
    closes: time  # exclusive, after `opens`


def read_known_time(text: str) -> KnownTime:
    """From `sat 10:00-13:00` or `mon-fri 18:00-21:00`. Raises ValueError for anything else."""
    found = _WRITTEN.fullmatch(text.strip().lower())
    if found is None:
        raise ValueError(text)
    first, last = WEEKDAYS.index(found[1]), WEEKDAYS.index(found[2] or found[1])
    opens, closes = time(int(found[3]), int(found[4])), time(int(found[5]), int(found[6]))
    if last < first or closes <= opens:
        raise ValueError(text)
    return KnownTime(frozenset(range(first, last + 1)), opens, closes)


def spans_within(window: ContactWindow, known: Sequence[KnownTime], zones: Collection[str], day: date) -> list[Span]:
    """The parts of the contact hours of `day` that are known times too, in order; all of them where none is known.
    Where the zone is ambiguous a span holds in each of them."""
    if not known:
        return [(window.opens_at, window.closes_at)]
    spans = []
    for one in known:
        if day.weekday() in one.weekdays:
            opens = max([window.opens_at, *(_at(day, one.opens, zone) for zone in zones)])
            closes = min([window.closes_at, *(_at(day, one.closes, zone) for zone in zones)])
            if opens < closes:
                spans.append((opens, closes))
    return sorted(set(spans))


def _at(day: date, local: time, zone: str) -> datetime:
    return datetime.combine(day, local, ZoneInfo(zone)).astimezone(UTC)
