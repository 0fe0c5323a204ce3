"""How far off a house is put when its number is not known: between known numbers, or in its street's middle.

    .venv/bin/python -m bench.geocoding

A fifth of the known numbers of real streets (`bench/data/addresses`) is hidden, five times with other seeds, and each
is looked for with what is left, as `doorstep plan` does. Metres from where the house is: median and 90th percentile.
"""

from __future__ import annotations

import csv
import random
import statistics
import sys
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from field_api.domain.cells import fold
from field_api.domain.house_numbers import KnownHouse, interpolate, metres, read_number, street_middle, trusted
from field_api.domain.routing import Point

DATA = Path(__file__).parent / "data" / "addresses"
PLACES = ("baltimore", "liechtenstein", "mexico_city")
SEEDS = range(5)
HIDDEN = 0.2

Street = tuple[str, str]
House = tuple[str, Point]


@dataclass
class Found:
    """Errors in metres. `middle_too` is what the street's middle would have given where numbers gave a point."""

    between: list[float] = field(default_factory=list)
    middle_too: list[float] = field(default_factory=list)
    middle: list[float] = field(default_factory=list)
    nothing: int = 0

    @property
    def hidden(self) -> int:
        return len(self.between) + len(self.middle) + self.nothing


def streets_of(place: str) -> dict[Street, list[House]]:
    found: dict[Street, list[House]] = defaultdict(list)
    with (DATA / f"{place}.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            point = Point(float(row["latitude"]), float(row["longitude"]))
            found[fold(row["street"]), fold(row["area"])].append((row["number"], point))
    return found


def search(streets: dict[Street, list[House]], seeds: Sequence[int] = SEEDS) -> Found:
    """Hide a fifth, and look for it."""
    found = Found()
    for seed in seeds:
        chance = random.Random(seed)  # noqa: S311  which numbers are hidden is no secret
        for houses in streets.values():
            hidden = [chance.random() < HIDDEN for _ in houses]
            left = [house for house, gone in zip(houses, hidden, strict=True) if not gone]
            for written, place in (house for house, gone in zip(houses, hidden, strict=True) if gone):
                _look_for(written, place, left, found)
    return found


def _look_for(written: str, place: Point, left: Sequence[House], found: Found) -> None:
    known = trusted(_known(left))
    number, middle = read_number(written), street_middle([house.point for house in known])
    between = interpolate(number, known) if number else None
    if between is not None and middle is not None:
        found.between.append(metres(between.point, place))
        found.middle_too.append(metres(middle, place))
    elif middle is not None:
        found.middle.append(metres(middle, place))
    else:
        found.nothing += 1


def _known(houses: Sequence[House]) -> Iterator[KnownHouse]:
    for written, point in houses:
        number = read_number(written)
        if number is not None:
            yield KnownHouse(number, point)


def told(errors: Sequence[float]) -> str:
    """Median and 90th percentile; of few, how many."""
    if len(errors) < 10:
        return f"{len(errors)} only"
    return f"{statistics.median(errors):.0f} / {statistics.quantiles(errors, n=10)[8]:.0f}"


def main() -> None:
    sys.stdout.write("place          hidden  between  between m  (middle m)  middle alone m  nothing\n")
    for place in PLACES:
        found = search(streets_of(place))
        share = len(found.between) / found.hidden
        sys.stdout.write(
            f"{place:<14} {found.hidden:>6}  {share:>7.0%}  {told(found.between):>9}  {told(found.middle_too):>10}"
            f"  {told(found.middle):>14}  {found.nothing:>7}\n"
        )


if __name__ == "__main__":
    main()
