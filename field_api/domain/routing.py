"""A routing problem and its answer, as values; what an answer must keep, checkable without a solver."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

Matrix = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Point:
    """Degrees, WGS 84."""

    latitude: float
    longitude: float


@dataclass(frozen=True)
class Legs:
    """Matrices origins x destinations: metres on the way, and seconds including slack."""

    distance_m: Matrix
    travel_s: Matrix


@dataclass(frozen=True)
class AgentDay:
    """An agent's working time on a day: from one place to another, both within the shift (aware UTC)."""

    starts_at: datetime
    ends_at: datetime
    start: Point
    end: Point
    languages: frozenset[str]


@dataclass(frozen=True)
class StopWish:
    """A place where somebody is sought, in a language, within contact hours (aware UTC, `closes_at` exclusive)."""

    point: Point
    opens_at: datetime
    closes_at: datetime
    service_s: int
    language: str
    weight: int = 1  # how many visits it stands for


@dataclass(frozen=True)
class RoutingProblem:
    """`legs` are square over the agents' starts, then the agents' ends, then the stops, each in their order."""

    agents: tuple[AgentDay, ...]
    stops: tuple[StopWish, ...]
    legs: Legs

    def start_node(self, agent: int) -> int:
        return agent

    def end_node(self, agent: int) -> int:
        return len(self.agents) + agent

    def stop_node(self, stop: int) -> int:
        return 2 * len(self.agents) + stop


@dataclass(frozen=True)
class PlacedStop:
    stop: int  # index into the problem's stops
    begins_at: datetime  # the visit, not the arrival: who comes early waits


@dataclass(frozen=True)
class PlacedRoute:
    agent: int  # index into the problem's agents
    starts_at: datetime
    ends_at: datetime
    distance_m: int
    travel_s: int
    stops: tuple[PlacedStop, ...]


@dataclass(frozen=True)
class RoutingAnswer:
    routes: tuple[PlacedRoute, ...]
    left_out: tuple[int, ...]
    facts: Mapping[str, Any] = field(default_factory=dict)  # plain JSON data: iterations, seconds, who stopped it


def speaks(languages: frozenset[str], wanted: str) -> bool:
    """Whether one of the BCP 47 tags has the wanted one's primary language: "es" will do for "es-MX"."""
    primary = wanted.partition("-")[0].lower()
    return any(language.partition("-")[0].lower() == primary for language in languages)


def broken_promises(problem: RoutingProblem, answer: RoutingAnswer) -> list[str]:
    """What an answer breaks, in words; empty where it keeps everything that a plan relies on."""
    placed = [entry.stop for route in answer.routes for entry in route.stops]
    broken = []
    if sorted([*placed, *answer.left_out]) != list(range(len(problem.stops))):
        broken.append("a stop is missing or there twice")
    if len({route.agent for route in answer.routes}) != len(answer.routes):
        broken.append("an agent has two routes")
    for route in answer.routes:
        broken += _broken_on(problem, route)
    return broken


def _broken_on(problem: RoutingProblem, route: PlacedRoute) -> Iterator[str]:
    agent = problem.agents[route.agent]
    if route.starts_at < agent.starts_at or route.ends_at > agent.ends_at:
        yield "a route leaves the shift"
    free_at = [(problem.start_node(route.agent), route.starts_at)]
    for placed in route.stops:
        stop = problem.stops[placed.stop]
        done_at = placed.begins_at + timedelta(seconds=stop.service_s)
        if placed.begins_at < stop.opens_at or done_at > stop.closes_at:
            yield "a visit lies outside its contact hours"
        if not speaks(agent.languages, stop.language):
            yield "an agent does not speak a stop's language"
        free_at.append((problem.stop_node(placed.stop), done_at))
    begins = [*(placed.begins_at for placed in route.stops), route.ends_at]
    nodes = [*(node for node, _ in free_at), problem.end_node(route.agent)]
    for (here, there), (_, left_at), arrives_by in zip(pairwise(nodes), free_at, begins, strict=True):
        if left_at + timedelta(seconds=int(problem.legs.travel_s[here, there])) > arrives_by:
            yield "a leg is faster than the travel time"
