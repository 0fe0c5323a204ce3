"""Who works on which weekdays: whether somebody could be sent to a place on a day, were they free. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from field_api.domain.eligibility import Eligible
from field_api.domain.routing import speaks


@dataclass(frozen=True)
class Working:
    """An agent's weekly hours, local to `timezone`, and the days of absence (first, last)."""

    weekday: int
    starts_at: time
    ends_at: time
    timezone: str
    languages: frozenset[str]
    skills: frozenset[str] = frozenset()
    territories: frozenset[str] | None = None  # None: anywhere
    absent: tuple[tuple[date, date], ...] = ()

    def could_visit(self, entry: Eligible, day: date) -> bool:
        """Whether the hours leave room for the visit within its contact hours. How far away it is, or who else is
        visited on that day, is not asked: that is known when the day is planned."""
        if self.weekday != day.weekday() or any(first <= day <= last for first, last in self.absent):
            return False
        place = entry.place
        fits = (
            speaks(self.languages, entry.candidate.language)
            and place.needs <= self.skills
            and (self.territories is None or place.territory in self.territories)
        )
        return fits and self._has_room(entry, day)

    def _has_room(self, entry: Eligible, day: date) -> bool:
        zone = ZoneInfo(self.timezone)
        begins = datetime.combine(day, self.starts_at, zone).astimezone(UTC)
        ends = datetime.combine(day, self.ends_at, zone).astimezone(UTC)
        spans = entry.spans or ((entry.window.opens_at, entry.window.closes_at),)
        needed = timedelta(seconds=entry.candidate.service_s)
        return any(min(ends, closes) - max(begins, opens) >= needed for opens, closes in spans)


Roster = Sequence[Working]


def somebody_could(roster: Roster, entry: Eligible, day: date) -> bool:
    return any(working.could_visit(entry, day) for working in roster)
