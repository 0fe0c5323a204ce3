"""Streets as a PBF for tile builders, and address points. Runs in the environment of bench/roads_engines.py alone.

    python roads_streets.py addresses EXTRACT.pbf > points.json
    python roads_streets.py made-up points.json OUT.pbf SEED

Made-up streets lie around real address points: a bent grid of 140 m, every other residential street one-way, every
sixth an artery, a river with a bridge at every other artery, and a trunk road along one side.
"""

from __future__ import annotations

import json
import math
import random
import sys
from pathlib import Path

import osmium

STEP_M = 140.0
ARTERY = 6
M_PER_DEGREE = 111_195.0


def addresses(extract: str) -> list[tuple[float, float]]:
    """Points with a house number: nodes, and the first corner of buildings."""
    found = set()
    for entry in osmium.FileProcessor(extract).with_locations():
        if "addr:housenumber" not in entry.tags:
            continue
        if entry.is_node():
            place = entry.location
        elif entry.is_way() and entry.nodes[0].location.valid():
            place = entry.nodes[0].location
        else:
            continue
        found.add((round(place.lat, 5), round(place.lon, 5)))
    return sorted(found)


class Grid:
    """Crossings by column and row, in degrees, bent so that no street is straight."""

    def __init__(self, points: list[list[float]], draw: random.Random) -> None:
        south, north = min(p[0] for p in points) - 0.01, max(p[0] for p in points) + 0.01
        west, east = min(p[1] for p in points) - 0.01, max(p[1] for p in points) + 0.01
        per_east = M_PER_DEGREE * math.cos(math.radians((south + north) / 2))
        self.rows, self.columns = int((north - south) * M_PER_DEGREE / STEP_M), int((east - west) * per_east / STEP_M)
        bend = draw.uniform(0, 6)
        self.place = {}
        for row in range(self.rows):
            for column in range(self.columns):
                off_north = 40 * math.sin(column / 7 + bend) + draw.gauss(0, 12)
                off_east = 40 * math.sin(row / 9 + bend) + draw.gauss(0, 12)
                self.place[row, column] = (
                    south + (row * STEP_M + off_north) / M_PER_DEGREE,
                    west + (column * STEP_M + off_east) / per_east,
                )
        self.river = self.columns // 2

    def streets(self):
        """Crossings in order, with tags."""
        for row in range(self.rows):
            whole = [(row, column) for column in range(self.columns)]
            bridge = row % (2 * ARTERY) == 0
            for part in [whole] if bridge else [whole[: self.river], whole[self.river :]]:
                yield part, self._kind(row, trunk=False)
        for column in range(self.columns):
            yield [(row, column) for row in range(self.rows)], self._kind(column, trunk=column == self.river + ARTERY)

    @staticmethod
    def _kind(number: int, *, trunk: bool) -> dict[str, str]:
        if trunk:
            return {"highway": "trunk", "maxspeed": "80"}
        if number % ARTERY == 0:
            return {"highway": "primary" if number % (2 * ARTERY) == 0 else "secondary", "maxspeed": "50"}
        way = {"highway": "residential", "maxspeed": "30"}
        return way | ({"oneway": "yes" if number % 4 == 1 else "-1"} if number % 2 else {})


def made_up(points: list[list[float]], out: str, seed: int) -> None:
    grid = Grid(points, random.Random(seed))  # noqa: S311 - made-up streets come from a seed
    number = {crossing: at for at, crossing in enumerate(grid.place, start=1)}
    lights = {c for c in number if c[0] % ARTERY == 0 and c[1] % ARTERY == 0}
    with osmium.SimpleWriter(out, overwrite=True) as writer:
        for crossing, (latitude, longitude) in grid.place.items():
            tags = {"highway": "traffic_signals"} if crossing in lights else {}
            writer.add_node(osmium.osm.mutable.Node(id=number[crossing], location=(longitude, latitude), tags=tags))
        for at, (crossings, tags) in enumerate(grid.streets(), start=1):
            nodes = [number[crossing] for crossing in crossings]
            tags = tags | {"name": f"Street {at}"}
            writer.add_way(osmium.osm.mutable.Way(id=at, nodes=nodes, tags=tags))


if __name__ == "__main__":
    if sys.argv[1] == "addresses":
        json.dump(addresses(sys.argv[2]), sys.stdout)
    else:
        made_up(json.loads(Path(sys.argv[2]).read_text()), sys.argv[3], int(sys.argv[4]))
