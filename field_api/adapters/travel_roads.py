"""Travel times by roads: an engine's tables put together block by block, with what a plan needs on top.

Engines bound how much one question may ask, and how far apart its points may be. So points are gathered by area (cells
of half a degree), blocks lie between two areas, and pairs that nobody drives on a working day are not asked at all.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from math import floor
from typing import Protocol

import numpy as np
import numpy.typing as npt

from field_api.adapters.travel_great_circle import great_circle_m
from field_api.adapters.travel_http import EngineHttp
from field_api.domain.routing import NO_WAY_M, NO_WAY_S, Legs, Matrix, Point

Places = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

AREA_DEGREES = 0.5
FAR_M = 150_000.0
"""Straight. Further apart nothing is asked: there and back leaves no time to ring a bell, and engines refuse tables of
some 400 km (Valhalla), which two cells at this distance do not reach."""
FAR_S = 86_400
"""A leg of that kind: out of reach of any shift, and no missing road."""
AT_MOST_S = 600.0
"""For one matrix, however many blocks."""
MAX_LEG_S = 1_000_000.0
LEAST = -100.0
"""OSRM says -0.1 to -1.3 m between two doors of one street (measured): nothing, and no reason to plan nothing."""


@dataclass(frozen=True)
class Table:
    """Seconds and metres, origins x destinations, not a number where no road leads."""

    seconds: Floats
    metres: Floats


class Engine(Protocol):
    """What differs between engines."""

    @property
    def http(self) -> EngineHttp: ...

    @property
    def block(self) -> int:
        """Points on a side of one question."""
        ...

    def table(self, origins: Sequence[Point], destinations: Sequence[Point]) -> Table:
        """One question, of at most `block` points on each side. Raises EngineAway."""
        ...


@dataclass(frozen=True)
class RoadTravel:
    """Keeps the promise of field_api.domain.ports.Travel with an engine's tables.

    Slack: an engine's times are those of an empty street from kerb to kerb. The defaults are those with which no visit
    is late when the day is driven by another engine's times (docs/planning.md, Travel).
    """

    engine: Engine
    slack: float = 0.5
    """Share added to every leg."""
    parking_s: int = 150
    """Added to every leg that goes somewhere else: to find a place, walk from there, and get away again."""
    at_most_s: float = AT_MOST_S

    estimates: bool = False

    @property
    def name(self) -> str:
        return self.engine.http.engine

    @property
    def source(self) -> str | None:
        made_of = f"{self.engine.http.url} {self.slack} {self.parking_s}"
        return f"{self.name} {hashlib.sha256(made_of.encode()).hexdigest()[:12]}"

    def between(self, origins: Sequence[Point], destinations: Sequence[Point]) -> Legs:
        here, from_row = _distinct(origins)
        there, from_column = _distinct(destinations)
        metres = np.full((len(here), len(there)), NO_WAY_M, dtype=np.int64)
        seconds = np.full(metres.shape, FAR_S, dtype=np.int64)
        until = time.monotonic() + self.at_most_s
        for rows, columns in self._blocks(here, there):
            if time.monotonic() > until:
                raise self.engine.http.failed("timeout")
            table = self._asked([here[i] for i in rows], [there[i] for i in columns])
            at = np.ix_(rows, columns)
            seconds[at] = _whole(table.seconds * (1 + self.slack) + self.parking_s, NO_WAY_S)
            metres[at] = _whole(table.metres, NO_WAY_M)
        same = np.array([[one == other for other in there] for one in here], dtype=bool).reshape(metres.shape)
        metres[same] = seconds[same] = 0
        at = np.ix_(from_row, from_column)
        return Legs(metres[at], seconds[at])

    def _asked(self, origins: list[Point], destinations: list[Point]) -> Table:
        table = self.engine.table(origins, destinations)
        for part in (table.seconds, table.metres):
            known = part[~np.isnan(part)]
            if part.shape != (len(origins), len(destinations)) or (known < LEAST).any() or (known > MAX_LEG_S).any():
                raise self.engine.http.failed("bad-answer")
        return table

    def _blocks(self, here: list[Point], there: list[Point]) -> list[tuple[list[int], list[int]]]:
        """Indices of origins and destinations that one question is about: of two areas near each other."""
        blocks = []
        for rows, columns in product(_areas(here), _areas(there)):
            near = great_circle_m([here[i] for i in rows], [there[i] for i in columns]) <= FAR_M
            wanted_rows = [rows[at] for at in np.flatnonzero(near.any(axis=1))]
            wanted_columns = [columns[at] for at in np.flatnonzero(near.any(axis=0))]
            blocks += list(product(self._cut(wanted_rows), self._cut(wanted_columns)))
        return blocks

    def _cut(self, indices: list[int]) -> list[list[int]]:
        block = self.engine.block
        return [indices[at : at + block] for at in range(0, len(indices), block)]


def _whole(values: Floats, where_none: int) -> Matrix:
    return np.where(np.isnan(values), where_none, np.ceil(np.maximum(values, 0.0))).astype(np.int64)


def _distinct(points: Sequence[Point]) -> tuple[list[Point], Places]:
    """Points to a metre, each once, and where each of the given ones is among them."""
    rounded = [Point(round(point.latitude, 5), round(point.longitude, 5)) for point in points]
    number = {point: at for at, point in enumerate(dict.fromkeys(rounded))}
    return list(number), np.array([number[point] for point in rounded], dtype=np.int64)


def _areas(points: Sequence[Point]) -> list[list[int]]:
    areas: dict[tuple[int, int], list[int]] = {}
    for index, point in enumerate(points):
        area = (floor(point.latitude / AREA_DEGREES), floor(point.longitude / AREA_DEGREES))
        areas.setdefault(area, []).append(index)
    return list(areas.values())
