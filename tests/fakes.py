"""Parts that keep a port's promise without the outside: for tests."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

import numpy as np

from field_api.adapters.travel_great_circle import great_circle_m
from field_api.domain.placing import Located, PlaceQuality
from field_api.domain.ports import Count, PostalAddress, uncounted
from field_api.domain.routing import (
    Legs,
    PlacedRoute,
    PlacedStop,
    Point,
    RoutingAnswer,
    RoutingProblem,
    Watch,
    may_visit,
    unwatched,
)


class NearestFirstSolver:
    """Every agent takes the nearest stop that still fits, until none does."""

    name = "nearest first"

    def solve(self, problem: RoutingProblem, *, seed: int, watch: Watch = unwatched) -> RoutingAnswer:
        left = set(range(len(problem.stops)))
        routes = [route for agent in range(len(problem.agents)) if (route := self._route(problem, agent, left)).stops]
        return RoutingAnswer(tuple(routes), tuple(sorted(left)), {"seed": seed})

    def solve_all(self, problems, *, seed: int, count: Count = uncounted, draft=False) -> list[RoutingAnswer]:
        return [self.solve(problem, seed=seed) for problem in problems]

    def _route(self, problem: RoutingProblem, agent: int, left: set[int]) -> PlacedRoute:
        day, legs = problem.agents[agent], problem.legs
        node, at, distance, travel, stops = problem.start_node(agent), day.starts_at, 0, 0, []
        while True:
            fitting = [
                (int(legs.travel_s[node, problem.stop_node(i)]), i)
                for i in left
                if self._fits(problem, agent, node, at, i)
            ]
            if not fitting:
                break
            _, chosen = min(fitting)
            left.discard(chosen)
            begins = self._begin(problem, node, at, chosen)
            stops.append(PlacedStop(chosen, begins))
            there = problem.stop_node(chosen)
            distance += int(legs.distance_m[node, there])
            travel += int(legs.travel_s[node, there])
            node, at = there, begins + timedelta(seconds=problem.stops[chosen].service_s)
        end = problem.end_node(agent)
        home = at + timedelta(seconds=int(legs.travel_s[node, end]))
        return PlacedRoute(
            agent,
            day.starts_at,
            home,
            distance + int(legs.distance_m[node, end]),
            travel + int(legs.travel_s[node, end]),
            tuple(stops),
        )

    def _begin(self, problem, node, at, stop):
        arrives = at + timedelta(seconds=int(problem.legs.travel_s[node, problem.stop_node(stop)]))
        return max(arrives, problem.stops[stop].opens_at)

    def _fits(self, problem, agent, node, at, index) -> bool:
        stop, day = problem.stops[index], problem.agents[agent]
        done = self._begin(problem, node, at, index) + timedelta(seconds=stop.service_s)
        back = timedelta(seconds=int(problem.legs.travel_s[problem.stop_node(index), problem.end_node(agent)]))
        return may_visit(day, agent, stop) and done <= stop.closes_at and done + back <= day.ends_at


@dataclass
class ListedGeocoder:
    """Knows the places it was told."""

    places: dict[PostalAddress, Point]
    name: str = "list"
    quality: PlaceQuality = PlaceQuality.HOUSE
    asked: list[PostalAddress] = field(default_factory=list)

    @property
    def services(self) -> tuple[str, ...]:
        return (self.name,)

    def locate(self, address: PostalAddress) -> Located | None:
        self.asked.append(address)
        point = self.places.get(address)
        return Located(point, self.quality, self.name) if point else None


class ListedTravel:
    """The fake of Travel: seconds by pair of points, or a second for every 10 m as the crow flies; counts pairs."""

    name, estimates = "listed", False

    def __init__(self, listed: Mapping[tuple[Point, Point], int], source: str | None = None) -> None:
        self.listed, self.source = listed, source
        self.pairs = 0

    def between(self, origins: Sequence[Point], destinations: Sequence[Point]) -> Legs:
        self.pairs += len(origins) * len(destinations)
        metres = np.ceil(great_circle_m(origins, destinations)).astype(np.int64)
        seconds = [
            [self.listed.get((here, there), -(-int(metres[i, j]) // 10)) for j, there in enumerate(destinations)]
            for i, here in enumerate(origins)
        ]
        return Legs(metres, np.array(seconds, dtype=np.int64).reshape(metres.shape))
