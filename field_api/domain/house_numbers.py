"""Where a house stands whose number is not known: between the known numbers of its street, or in the street's middle.

Irregular numbering is the rule: numbers jump, both sides are counted apart or together, some stand twice. So nothing is
guessed beyond the known numbers, across a wide gap, or between points that do not look like one street.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import cos, hypot, radians

from field_api.domain.routing import Point

METRES_PER_DEGREE = 111_195.0
SAME_NUMBER_M = 150.0
"""One number at two points further apart than this: two streets of one name, or a mistake."""
WIDEST_GAP_M = 600.0
"""Known neighbours further apart than this say too little about what lies between."""

_NUMBER = re.compile(r"\s*(?:n[ro]?[.°º]?\s*|#\s*)?(\d{1,5})(?!\d)\s*[-/ ]?\s*([a-z]?)(?![a-z])", re.IGNORECASE)


@dataclass(frozen=True, order=True)
class HouseNumber:
    """The number and the letter behind it: 17-A is 17 and "a"."""

    number: int
    suffix: str = ""


@dataclass(frozen=True)
class KnownHouse:
    number: HouseNumber
    point: Point


@dataclass(frozen=True)
class Interpolated:
    """A point between two known houses (or on one, whose number differs by the letter alone)."""

    point: Point
    below: KnownHouse
    above: KnownHouse


def read_number(written: str | None) -> HouseNumber | None:
    """The number that a house is counted by: of "17-A" 17 a, of "12-14" 12; None of "S/N", "Mz 4 Lt 12" or nothing."""
    found = _NUMBER.match(written or "")
    return HouseNumber(int(found[1]), found[2].lower()) if found and int(found[1]) else None


def trusted(known: Iterable[KnownHouse]) -> list[KnownHouse]:
    """Known houses by number, each once; without those that cannot be right.

    One number at points far apart is on two streets of a name. One point under several numbers is no house: somebody's
    geocoder put the street's middle there.
    """
    by_number: dict[HouseNumber, set[Point]] = defaultdict(set)
    numbers_at: dict[Point, set[int]] = defaultdict(set)
    for house in known:
        by_number[house.number].add(house.point)
        numbers_at[house.point].add(house.number.number)
    houses = []
    for number in sorted(by_number):
        points = sorted(
            (point for point in by_number[number] if len(numbers_at[point]) == 1),
            key=lambda point: (point.latitude, point.longitude),
        )
        if points and max(metres(points[0], other) for other in points) <= SAME_NUMBER_M:
            houses.append(KnownHouse(number, middle(points)))
    return houses


def interpolate(number: HouseNumber, known: Sequence[KnownHouse]) -> Interpolated | None:
    """Where `number` should stand on the street of the `known` houses (as `trusted` gives them).

    On the line between the nearest known numbers below and above it, in proportion, so that growing numbers go one way
    along it; between those of its own side, even or odd, where that side has both (measured: better than nearer ones of
    the other side, `bench/geocoding.py`). None where either is missing: beyond the last known house nothing is guessed.
    """
    same = [house for house in known if house.number.number == number.number]
    if same:
        nearest = min(same, key=lambda house: (house.number != number, house.number))
        return Interpolated(nearest.point, nearest, nearest)
    side = [house for house in known if (house.number.number - number.number) % 2 == 0]
    pairs = (_around(number, side), _around(number, known))
    return next((_between(number, *pair) for pair in pairs if pair and _span(pair) <= WIDEST_GAP_M), None)


def street_middle(points: Sequence[Point]) -> Point | None:
    """The known point nearest to the middle of all of them: it lies on the street, however that winds."""
    if not points:
        return None
    centre = middle(points)
    return min(points, key=lambda point: (metres(point, centre), point.latitude, point.longitude))


def metres(one: Point, other: Point) -> float:
    """Flat-Earth distance: good to a percent within a town."""
    east = (one.longitude - other.longitude) * cos(radians(one.latitude))
    return METRES_PER_DEGREE * hypot(one.latitude - other.latitude, east)


def middle(points: Sequence[Point]) -> Point:
    return Point(
        sum(point.latitude for point in points) / len(points), sum(point.longitude for point in points) / len(points)
    )


def _span(pair: tuple[KnownHouse, KnownHouse]) -> float:
    return metres(pair[0].point, pair[1].point)


def _around(number: HouseNumber, houses: Sequence[KnownHouse]) -> tuple[KnownHouse, KnownHouse] | None:
    """The nearest known numbers below and above."""
    below = [house for house in houses if house.number.number < number.number]
    above = [house for house in houses if house.number.number > number.number]
    return (max(below, key=_counted), min(above, key=_counted)) if below and above else None


def _counted(house: KnownHouse) -> HouseNumber:
    return house.number


def _between(number: HouseNumber, below: KnownHouse, above: KnownHouse) -> Interpolated:
    share = (number.number - below.number.number) / (above.number.number - below.number.number)
    one, other = below.point, above.point
    return Interpolated(
        Point(
            one.latitude + (other.latitude - one.latitude) * share,
            one.longitude + (other.longitude - one.longitude) * share,
        ),
        below,
        above,
    )
