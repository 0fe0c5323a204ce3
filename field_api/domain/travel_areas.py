"""What is learnt and known of travel in an area: how long visits done say that estimates are off, and rush hours."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from itertools import pairwise
from math import cos, floor, hypot, radians
from statistics import median
from zoneinfo import ZoneInfo

import numpy as np

from field_api.domain.routing import NO_WAY_S, Legs, Point

AREA_DEGREES = 0.1
"""Some 11 km: a part of a large town, or a small one with its villages."""
MOST_TRAVEL_S, LEAST_TRAVEL_S = 7_200, 60
"""Between two doors in a row: less is next door, more had another reason than the road."""
FEWEST_LEGS = 30
"""Below it the median of an area still moves by a tenth from week to week."""
LEAST_FACTOR, MOST_FACTOR = 0.6, 2.5
"""What a road can do to an estimate; beyond it something else was measured."""
OVER_THE_MEDIAN = 1.25
"""Planned over usual: every other leg takes longer than the median, and a day of them must not end late."""


@dataclass(frozen=True)
class Stay:
    """An agent at a door: from the report of the arrival to the last one from there (aware UTC)."""

    agent: str
    point: Point
    arrived_at: datetime
    left_at: datetime


@dataclass(frozen=True)
class AreaFactor:
    """By how much estimates are off in an area, as the median of so many legs says."""

    factor: float
    legs: int


@dataclass(frozen=True)
class RushHours:
    """Times of the week at which every leg that begins or ends in a circle takes `factor` as long."""

    centre: Point
    within_m: float
    weekdays: frozenset[int]  # 0 Monday .. 6 Sunday
    begins: time
    ends: time
    timezone: str
    factor: float

    def meets(self, day: date, first: datetime | None, last: datetime | None) -> bool:
        """Whether they fall into the working time between the two moments of that day (None: all of it)."""
        if day.weekday() not in self.weekdays:
            return False
        zone = ZoneInfo(self.timezone)
        begins, ends = (datetime.combine(day, moment, zone) for moment in (self.begins, self.ends))
        return (last is None or begins < last) and (first is None or ends > first)


def area_of(point: Point) -> str:
    """The area's name: its south-western corner, in tenths of a degree."""
    south, west = (floor(degrees / AREA_DEGREES) / 10 for degrees in (point.latitude, point.longitude))
    return f"{south:.1f},{west:.1f}"


def learnt(
    stays: Iterable[Stay], expected_s: Callable[[Sequence[tuple[Point, Point]]], Sequence[float]]
) -> dict[str, AreaFactor]:
    """By area: OVER_THE_MEDIAN times the median of travel as it was over travel as it is estimated (`expected_s`), of
    every leg between two doors in a row that begins or ends there. A median: lunch and errands look like travel."""
    pairs, taken = [], []
    by_agent: dict[str, list[Stay]] = {}
    for stay in stays:
        by_agent.setdefault(stay.agent, []).append(stay)
    for own in by_agent.values():
        for here, there in pairwise(sorted(own, key=lambda stay: (stay.arrived_at, stay.left_at))):
            seconds = (there.arrived_at - here.left_at).total_seconds()
            if here.point != there.point and LEAST_TRAVEL_S <= seconds <= MOST_TRAVEL_S:
                pairs.append((here.point, there.point))
                taken.append(seconds)
    ratios: dict[str, list[float]] = {}
    for (one, other), seconds, expected in zip(pairs, taken, expected_s(pairs) if pairs else (), strict=True):
        if expected > 0:
            for area in {area_of(one), area_of(other)}:
                ratios.setdefault(area, []).append(seconds / expected)
    return {area: _factor(found) for area, found in sorted(ratios.items()) if len(found) >= FEWEST_LEGS}


def _factor(ratios: list[float]) -> AreaFactor:
    return AreaFactor(round(min(MOST_FACTOR, max(LEAST_FACTOR, OVER_THE_MEDIAN * median(ratios))), 3), len(ratios))


def slowed(
    legs: Legs,
    origins: Sequence[Point],
    destinations: Sequence[Point],
    factors: Mapping[str, float],
    rush: Sequence[RushHours],
) -> Legs:
    """With each leg as long as its two areas say on average, and as the worst of these rush hours makes it.

    The searches know one time per leg, so a leg is planned for the worst of the day: who drives it at another hour is
    early and waits, and nobody is late by it.
    """
    times = np.ones(legs.travel_s.shape)
    if factors:
        one, other = ([factors.get(area_of(point), 1.0) for point in ends] for ends in (origins, destinations))
        times *= (np.array(one)[:, None] + np.array(other)[None, :]) / 2
    worst = np.ones(legs.travel_s.shape)
    for hours in rush:
        one_near, other_near = (
            np.array([_apart_m(point, hours.centre) <= hours.within_m for point in ends], dtype=bool)
            for ends in (origins, destinations)
        )
        worst = np.where(one_near[:, None] | other_near[None, :], np.maximum(worst, hours.factor), worst)
    seconds = np.ceil(legs.travel_s * times * worst).astype(np.int64)
    return Legs(legs.distance_m, np.where(legs.travel_s >= NO_WAY_S, legs.travel_s, seconds))


def _apart_m(one: Point, other: Point) -> float:
    """Flat: good enough for a circle around a town."""
    east = (one.longitude - other.longitude) * cos(radians(other.latitude))
    return 111_195.0 * hypot(one.latitude - other.latitude, east)
