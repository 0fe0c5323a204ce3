"""Travel times as a day's plan uses them: what an engine told before is not asked again, estimates are corrected by
what visits taught, rush hours are in, and where an engine is away estimates take its place if that is wanted.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Any

import numpy as np
import numpy.typing as npt
from sqlalchemy import delete, text
from sqlalchemy.orm import Session

from field_api.domain.ports import PlanningParts, Travel
from field_api.domain.routing import AgentDay, Legs, Point
from field_api.domain.travel_areas import RushHours, slowed
from field_api.platform.ids import new_id
from field_api.platform.problems import Problem
from field_api.platform.tenancy import current_agency
from field_api.queries.travel_memory import known_legs
from field_api.records.travel import KnownLegs
from field_api.usecases.learn_travel import learn_travel

KEPT = timedelta(days=30)
"""Roads change slower, and what changed is asked again after it."""
MOST_DESTINATIONS = 1_000
"""Kept of one point: a part of a day has some 450. 16 kB a point at most, 80 MB for a day of 5,000."""
PACKED = np.dtype([("to", "<i8"), ("s", "<i4"), ("m", "<i4")])
Packed = npt.NDArray[np.void]


def travel_of_day(
    session: Session, parts: PlanningParts, day: date, now: datetime, agents: Sequence[AgentDay] = ()
) -> PlanningParts:
    """The parts, with travel for that day in this transaction. `agents`: whose working time rush hours must meet; all
    day without them. Statements: a few for areas where travel is estimated, two per matrix of an engine."""
    return replace(parts, travel=day_travel(session, parts, day, now, agents))


def day_travel(
    session: Session, parts: PlanningParts, day: date, now: datetime, agents: Sequence[AgentDay] = ()
) -> DayTravel:
    """As `travel_of_day`, the travel alone."""
    first = min((agent.starts_at for agent in agents), default=now)  # what is over slows nobody any more
    last = max((agent.ends_at for agent in agents), default=None)
    rush = tuple(hours for hours in parts.rush_hours if hours.meets(day, first, last))
    return DayTravel(session, parts.travel, parts.instead_of_roads, rush, now)


@dataclass
class DayTravel:
    """Keeps the promise of field_api.domain.ports.Travel for one plan, with another's answers."""

    session: Session
    inner: Travel
    instead: Travel | None
    rush: tuple[RushHours, ...]
    now: datetime
    away: bool = False  # the engine; it is not asked again for this plan
    _factors: dict[str, float] | None = None
    _rows: dict[int, Packed] = field(default_factory=dict)
    _writes: bool | None = None

    @property
    def name(self) -> str:
        return f"{self.inner.name} (away), {self.instead.name}" if self.away and self.instead else self.inner.name

    @property
    def estimates(self) -> bool:
        return self.away or self.inner.estimates

    @property
    def source(self) -> str | None:
        return None  # it keeps what it asks itself

    def between(self, origins: Sequence[Point], destinations: Sequence[Point]) -> Legs:
        legs = self._asked(origins, destinations)
        factors = self.factors() if self.estimates else {}
        if not factors and not self.rush:
            return legs
        return slowed(legs, origins, destinations, factors, self.rush)

    def factors(self) -> dict[str, float]:
        """By area, of estimates."""
        if self._factors is None:
            areas = learn_travel(self.session, self.instead if self.away and self.instead else self.inner, self.now)
            self._factors = {area: found.factor for area, found in areas.items()}
        return self._factors

    def facts(self) -> dict[str, Any]:
        """For the plan: which corrections were made, as plain JSON data."""
        areas = len(self.factors()) if self.estimates else 0
        return {"areas": areas, "rush_factor": max((hours.factor for hours in self.rush), default=1.0)}

    def _asked(self, origins: Sequence[Point], destinations: Sequence[Point]) -> Legs:
        if not self.away:
            try:
                if self.inner.source is None or not origins or not destinations:
                    return self.inner.between(origins, destinations)
                return self._remembered(self.inner.source, origins, destinations)
            except Problem as problem:
                if problem.code != "unavailable" or self.instead is None:
                    raise
                self.away = True
        return (self.instead or self.inner).between(origins, destinations)

    def _remembered(self, source: str, origins: Sequence[Point], destinations: Sequence[Point]) -> Legs:
        here, there = ([_key(point) for point in ends] for ends in (origins, destinations))
        self._load(source, here)
        columns = np.array(there, dtype=np.int64)
        seconds, metres = np.empty((2, len(here), len(there)), dtype=np.int64)
        missing = np.zeros(seconds.shape, dtype=bool)
        for row, key in enumerate(here):
            known = self._rows[key]
            at = np.minimum(np.searchsorted(known["to"], columns), max(0, known.size - 1))
            missing[row] = known["to"][at] != columns if known.size else True
            if known.size:
                seconds[row], metres[row] = known["s"][at], known["m"][at]
        if missing.any():
            rows, asked = np.flatnonzero(missing.any(axis=1)), np.flatnonzero(missing.any(axis=0))
            found = self.inner.between([origins[int(i)] for i in rows], [destinations[int(i)] for i in asked])
            seconds[np.ix_(rows, asked)], metres[np.ix_(rows, asked)] = found.travel_s, found.distance_m
            self._learn(source, [here[int(i)] for i in rows], columns[asked], found)
        return Legs(metres, seconds)

    def _load(self, source: str, keys: Sequence[int]) -> None:
        new = [key for key in dict.fromkeys(keys) if key not in self._rows]
        if new:
            stored = known_legs(self.session, source, new, self.now - KEPT)
            self._rows |= {key: np.frombuffer(stored.get(key, b""), dtype=PACKED) for key in new}

    def _learn(self, source: str, origins: Sequence[int], destinations: npt.NDArray[np.int64], found: Legs) -> None:
        changed = {}
        for row, key in enumerate(origins):
            told = np.zeros(len(destinations), dtype=PACKED)
            told["to"], told["s"], told["m"] = destinations, found.travel_s[row], found.distance_m[row]
            # The newest first: of what is told twice it stays, and the oldest goes where there is too much.
            merged = np.concatenate([told, self._rows[key]])
            _, firsts = np.unique(merged["to"], return_index=True)
            kept = merged[np.sort(firsts)[:MOST_DESTINATIONS]]
            changed[key] = self._rows[key] = kept[np.argsort(kept["to"])]
        self._keep(source, changed)

    def _keep(self, source: str, changed: dict[int, Packed]) -> None:
        """One plan at a time writes: another one that asks the same meanwhile neither waits nor is waited for."""
        if self._writes is None:
            key = f"known-legs:{current_agency()}"
            lock = text("SELECT pg_try_advisory_xact_lock(hashtextextended(:key, 0))")
            self._writes = bool(self.session.scalar(lock, {"key": key}))
            if self._writes:
                old = delete(KnownLegs).where(
                    KnownLegs.agency_id == current_agency(), KnownLegs.asked_at < self.now - KEPT
                )
                self.session.execute(old, execution_options={"synchronize_session": False})
        if self._writes:
            keys = sorted(changed)
            self.session.execute(
                _KEEP,
                {
                    "agency": current_agency(),
                    "ids": [new_id() for _ in keys],
                    "source": source,
                    "origins": keys,
                    "legs": [changed[key].tobytes() for key in keys],
                    "now": self.now,
                },
            )


_KEEP = text(
    "INSERT INTO office.known_legs (agency_id, id, source, origin, legs, asked_at)"
    " SELECT :agency, id, :source, origin, legs, :now"
    " FROM unnest(CAST(:ids AS uuid[]), CAST(:origins AS bigint[]), CAST(:legs AS bytea[])) AS told (id, origin, legs)"
    " ON CONFLICT (agency_id, source, origin) DO UPDATE SET legs = EXCLUDED.legs"
)
"""A row is as old as the first of its legs: one that gets new ones every day would else keep its oldest for ever."""


def _key(point: Point) -> int:
    """A point to a metre as one number."""
    return (round(point.latitude * 1e5) + 9_000_000 << 26) + round(point.longitude * 1e5) + 18_000_000
