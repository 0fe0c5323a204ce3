"""Routes by PyVRP (iterated local search): time windows, own start and end places, stops that may be left out."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from importlib.metadata import version
from math import ceil, floor

import numpy as np
import pyvrp
from pyvrp.stop import MaxIterations, MaxRuntime, MultipleCriteria, NoImprovement

from field_api.domain.routing import (
    Matrix,
    PlacedRoute,
    PlacedStop,
    RoutingAnswer,
    RoutingProblem,
    speaks,
)

PRIZE = 1_000_000
"""In seconds of working time: more than any detour within a day, so a stop is left out only if it does not fit."""
NEVER_S = 10_000_000
"""Travel time to a stop whose language an agent does not speak: longer than any shift."""


@dataclass(frozen=True)
class PyVrpSolver:
    """Keeps the promise of field_api.domain.ports.Solver.

    The search ends by iterations, so that the same seed gives the same plan on any machine; the time limit is there
    for a machine much slower than expected.
    """

    iterations: int = 2_000
    without_improvement: int = 800
    at_most_s: float = 60.0

    name: str = "PyVRP " + version("pyvrp")

    def solve(self, problem: RoutingProblem, *, seed: int) -> RoutingAnswer:
        if not problem.agents or not problem.stops:
            return RoutingAnswer((), tuple(range(len(problem.stops))), {"iterations": 0, "seconds": 0.0})
        began = time.monotonic()
        epoch = min(agent.starts_at for agent in problem.agents)
        stop = MultipleCriteria(
            [MaxIterations(self.iterations), NoImprovement(self.without_improvement), MaxRuntime(self.at_most_s)]
        )
        result = pyvrp.solve(_data(problem, epoch), stop, seed=seed, collect_stats=False, display=False)
        routes = _routes(problem, result.best, epoch) if result.is_feasible() else ()
        placed = {entry.stop for route in routes for entry in route.stops}
        return RoutingAnswer(
            routes,
            tuple(index for index in range(len(problem.stops)) if index not in placed),
            {
                "iterations": result.num_iterations,
                "seconds": round(time.monotonic() - began, 3),
                "time_limit_reached": result.runtime >= self.at_most_s,
            },
        )


def _data(problem: RoutingProblem, epoch: datetime) -> pyvrp.ProblemData:
    agents, stops = problem.agents, problem.stops
    places = [*(a.start for a in agents), *(a.end for a in agents), *(s.point for s in stops)]
    # The search needs planar coordinates for nothing but drawing: degrees will do.
    locations = [pyvrp.Location(place.longitude, place.latitude) for place in places]
    tongues = sorted({agent.languages for agent in agents}, key=sorted)
    durations = [_for_languages(problem, languages) for languages in tongues]
    return pyvrp.ProblemData(
        locations,
        [_client(problem, index, epoch) for index in range(len(stops))],
        [pyvrp.Depot(node) for node in range(2 * len(agents))],
        [_vehicle(problem, index, epoch, tongues) for index in range(len(agents))],
        [problem.legs.distance_m for _ in tongues],
        durations,
    )


def _for_languages(problem: RoutingProblem, languages: frozenset[str]) -> Matrix:
    mute = [problem.stop_node(i) for i, stop in enumerate(problem.stops) if not speaks(languages, stop.language)]
    if not mute:
        return problem.legs.travel_s
    durations = problem.legs.travel_s.copy()
    durations[mute, :] = durations[:, mute] = NEVER_S
    durations[mute, mute] = 0  # a place is nowhere from itself
    return durations


def _client(problem: RoutingProblem, index: int, epoch: datetime) -> pyvrp.Client:
    stop = problem.stops[index]
    latest = _until(stop.closes_at, epoch) - stop.service_s
    earliest = max(0, _from(stop.opens_at, epoch))
    # A window that is over before anybody starts: no shift reaches so far, and the solver takes no empty window.
    never = latest < earliest
    return pyvrp.Client(
        location=problem.stop_node(index),
        service_duration=stop.service_s,
        tw_early=NEVER_S if never else earliest,
        tw_late=NEVER_S if never else latest,
        prize=PRIZE * stop.weight,
        required=False,
    )


def _vehicle(
    problem: RoutingProblem, index: int, epoch: datetime, tongues: Sequence[frozenset[str]]
) -> pyvrp.VehicleType:
    agent = problem.agents[index]
    return pyvrp.VehicleType(
        num_available=1,
        start_depot=problem.start_node(index),
        end_depot=problem.end_node(index),
        tw_early=_from(agent.starts_at, epoch),
        tw_late=_until(agent.ends_at, epoch),
        unit_distance_cost=0,
        unit_duration_cost=1,
        profile=tongues.index(agent.languages),
    )


def _routes(problem: RoutingProblem, best: pyvrp.Solution, epoch: datetime) -> tuple[PlacedRoute, ...]:
    return tuple(_route(problem, route, epoch) for route in best.routes() if route.num_clients())


def _route(problem: RoutingProblem, route: pyvrp.Route, epoch: datetime) -> PlacedRoute:
    index = route.vehicle_type()
    activities = [activity for activity in route.schedule() if activity.is_client()]
    nodes = [
        problem.start_node(index),
        *(problem.stop_node(activity.idx) for activity in activities),
        problem.end_node(index),
    ]
    return PlacedRoute(
        agent=index,
        starts_at=_moment(route.start_time(), epoch),
        ends_at=_moment(route.end_time(), epoch),
        distance_m=_along(problem.legs.distance_m, nodes),
        travel_s=_along(problem.legs.travel_s, nodes),
        stops=tuple(PlacedStop(a.idx, _moment(a.start_time, epoch)) for a in activities),
    )


def _along(matrix: Matrix, nodes: Sequence[int]) -> int:
    return int(np.sum(matrix[nodes[:-1], nodes[1:]]))


def _from(moment: datetime, epoch: datetime) -> int:
    """Whole seconds from the epoch, not before the moment."""
    return ceil((moment - epoch).total_seconds())


def _until(moment: datetime, epoch: datetime) -> int:
    """Whole seconds from the epoch, not after the moment."""
    return floor((moment - epoch).total_seconds())


def _moment(seconds: int, epoch: datetime) -> datetime:
    return epoch + timedelta(seconds=seconds)
