"""TSPLIB and Solomon instances as routing problems; their units stand for seconds."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

from field_api.domain.routing import AgentDay, Legs, Point, RoutingProblem, StopWish

FOLDER = Path(__file__).parent / "data" / "routing"
MORNING = datetime(2026, 11, 18, 6, tzinfo=UTC)
NOWHERE = Point(0, 0)
SOLOMON_SCALE = 10
"""Distances are cut to one decimal: the convention of the best known values."""


def best_known(kind: str) -> dict[str, float]:
    return json.loads((FOLDER / "best_known.json").read_text())[kind]


def tsplib(name: str) -> RoutingProblem:
    """One agent, a round trip from the first place; distances rounded (EUC_2D)."""
    lines = (FOLDER / f"{name}.tsp").read_text().split("NODE_COORD_SECTION")[1].split("EOF")[0].strip().splitlines()
    points = np.array([[float(number) for number in line.split()[1:3]] for line in lines])
    lengths = np.floor(_euclidean(points) + 0.5).astype(np.int64)
    horizon = timedelta(seconds=int(lengths.max()) * len(points))
    agent = AgentDay(MORNING, MORNING + horizon, NOWHERE, NOWHERE, frozenset(["es"]))
    stop = StopWish(NOWHERE, MORNING, MORNING + horizon, 0, "es")
    return _problem([agent], [stop] * (len(points) - 1), lengths)


def solomon(name: str) -> RoutingProblem:
    """As many agents as there are vehicles; a stop counts as much as its customer demands."""
    text = (FOLDER / f"{name}.txt").read_text()
    vehicles, capacity = (int(number) for number in text.split("CAPACITY")[1].split()[:2])
    lines = [line.split() for line in text.splitlines()]
    table = np.array([[float(cell) for cell in row] for row in lines if len(row) == 7 and row[0].isdigit()])
    lengths = (SOLOMON_SCALE * _euclidean(table[:, 1:3])).astype(np.int64)
    depot = table[0]
    agent = AgentDay(MORNING, _after(depot[5]), NOWHERE, NOWHERE, frozenset(["es"]), most_stops=capacity)
    stops = [
        StopWish(
            NOWHERE, _after(ready), _after(due + service), int(service * SOLOMON_SCALE), "es", counts_as=int(demand)
        )
        for _, _, _, demand, ready, due, service in table[1:]
    ]
    return _problem([agent] * vehicles, stops, lengths)


def _after(units: float) -> datetime:
    return MORNING + timedelta(seconds=round(units * SOLOMON_SCALE))


def _euclidean(points: np.ndarray) -> np.ndarray:
    return np.sqrt(((points[:, None, :] - points[None, :, :]) ** 2).sum(axis=2))


def _problem(agents: list[AgentDay], stops: list[StopWish], lengths: np.ndarray) -> RoutingProblem:
    """`lengths` has the depot first: it becomes every agent's start and end."""
    nodes = [0] * (2 * len(agents)) + list(range(1, len(lengths)))
    square = np.ascontiguousarray(lengths[np.ix_(nodes, nodes)])
    return RoutingProblem(tuple(agents), tuple(stops), Legs(square, square))
