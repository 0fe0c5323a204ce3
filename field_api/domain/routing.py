"""A routing problem and its answer, as values. `route_checks` says what an answer must keep."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

import numpy as np
import numpy.typing as npt

from field_api.domain.disturbance import Told

Matrix = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Point:
    """Degrees, WGS 84."""

    latitude: float
    longitude: float


NO_WAY_S = NO_WAY_M = 10_000_000
"""Seconds and metres of a leg that no road leads along: longer than any shift, so that nobody is ever sent there."""


@dataclass(frozen=True)
class Legs:
    """Matrices origins x destinations: metres on the way, and seconds including slack; NO_WAY_M and NO_WAY_S where no
    road leads. A way back may take longer than the way there."""

    distance_m: Matrix
    travel_s: Matrix


@dataclass(frozen=True)
class Lunch:
    """A pause where the agent then is, begun between the two moments; nobody needs it who is home by `latest`."""

    duration_s: int
    earliest: datetime
    latest: datetime


@dataclass(frozen=True)
class AgentDay:
    """An agent's working time on a day: from one place to another, both within the shift (aware UTC)."""

    starts_at: datetime
    ends_at: datetime
    start: Point
    end: Point
    languages: frozenset[str]
    skills: frozenset[str] = frozenset()
    territories: frozenset[str] | None = None  # None: anywhere
    most_stops: int | None = None  # of `StopWish.counts_as`
    lunch: Lunch | None = None


@dataclass(frozen=True)
class Done:
    """A visit that took place, or takes place now: a fact that no window and no solver changes."""

    agent: int
    begins_at: datetime
    ends_at: datetime


@dataclass(frozen=True)
class StopWish:
    """A place where somebody is sought, in a language, within contact hours (aware UTC, `closes_at` exclusive).

    `prize` is what the stop is worth where not all fit, in seconds of travel that it may cost; None: whatever it takes.
    It decides who is on a route, never in which order. Pins are a dispatcher's: an agent, a position on the route (from
    1; the last where the route is shorter), or both.
    """

    point: Point
    opens_at: datetime
    closes_at: datetime
    service_s: int
    language: str
    weight: int = 1  # what leaving it out costs: the sum of its visits' weights, 1 each unless a strategy says more
    prize: int | None = None
    more_windows: tuple[tuple[datetime, datetime], ...] = ()  # that it may as well lie in
    skills: frozenset[str] = frozenset()
    territory: str | None = None
    agent: int | None = None
    position: int | None = None
    done: Done | None = None
    counts_as: int = 1
    told: Told | None = None  # what phones know of it, where it costs something to change that

    @property
    def windows(self) -> tuple[tuple[datetime, datetime], ...]:
        """All of them, in order of time."""
        return tuple(sorted(((self.opens_at, self.closes_at), *self.more_windows)))


@dataclass(frozen=True)
class RoutingProblem:
    """`legs` are square over the agents' starts, then the agents' ends, then the stops, each in their order.

    `before` is an order by agent that is known already, a dispatcher's or an earlier answer's: the answer is never
    worth less. Of a draft's (`before_is_draft`), whose order shows what stops are worth, only the sheets are kept.
    `balance` bounds every agent's stops by that many times an equal share of those that are on routes (1.1: a tenth
    more); None: no bound.
    """

    agents: tuple[AgentDay, ...]
    stops: tuple[StopWish, ...]
    legs: Legs
    before: tuple[tuple[int, ...], ...] = ()
    balance: float | None = None
    before_is_draft: bool = False

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
    lunch_at: datetime | None = None


@dataclass(frozen=True)
class RoutingAnswer:
    routes: tuple[PlacedRoute, ...]
    left_out: tuple[int, ...]
    facts: Mapping[str, Any] = field(default_factory=dict)  # plain JSON data: iterations, seconds, who stopped it


@dataclass(frozen=True)
class Progress:
    """How far a search is. `answer` is the best so far, once nothing but order is searched: what was found while the
    set was being chosen shows what stops are worth, and is for nobody's eyes."""

    step: str  # choose | order
    done: int
    of: int
    placed: int
    answer: RoutingAnswer | None = None


Watch = Callable[[Progress], None]


def unwatched(_progress: Progress) -> None:
    """Nobody watches."""


def speaks(languages: frozenset[str], wanted: str) -> bool:
    """Whether one of the BCP 47 tags has the wanted one's primary language: "es" will do for "es-MX"."""
    primary = wanted.partition("-")[0].lower()
    return any(language.partition("-")[0].lower() == primary for language in languages)


def may_visit(agent: AgentDay, index: int, stop: StopWish) -> bool:
    """Whether the agent, who has that index, may be sent there at all: language, skills, territory, pins."""
    return (
        stop.agent in (None, index)
        and stop.skills <= agent.skills
        and (agent.territories is None or stop.territory in agent.territories)
        and speaks(agent.languages, stop.language)
    )


ALL_IT_TAKES = 1_000_000
"""The prize, per visit, of a stop that names none: more seconds than any detour within a day costs."""


def prize_of(stop: StopWish) -> int:
    return ALL_IT_TAKES * stop.weight if stop.prize is None else stop.prize


def worth(problem: RoutingProblem, answer: RoutingAnswer) -> int:
    """Prizes less seconds of travel and what it costs to change what was told: what answers are compared by."""
    placed = [(problem.stops[entry.stop], route.agent, entry) for route in answer.routes for entry in route.stops]
    prizes = sum(prize_of(stop) for stop, _, _ in placed)
    changed_s = sum(stop.told.cost_s(agent, entry.begins_at) for stop, agent, entry in placed if stop.told is not None)
    return prizes - changed_s - sum(route.travel_s for route in answer.routes)


def part_of(problem: RoutingProblem, stops: Sequence[int], *, equal: bool = False) -> RoutingProblem:
    """The problem with these stops alone, numbered in that order; `equal`: each worth as much as any other."""
    nodes = np.array([*range(2 * len(problem.agents)), *(problem.stop_node(stop) for stop in stops)], dtype=np.int64)
    number = {stop: at for at, stop in enumerate(stops)}
    own = [problem.stops[stop] for stop in stops]
    return replace(
        problem,
        stops=tuple(replace(stop, prize=None, weight=1) for stop in own) if equal else tuple(own),
        legs=Legs(problem.legs.distance_m[np.ix_(nodes, nodes)], problem.legs.travel_s[np.ix_(nodes, nodes)]),
        before=tuple(tuple(number[stop] for stop in order if stop in number) for order in problem.before),
    )


def as_whole(problem: RoutingProblem, stops: Sequence[int], answer: RoutingAnswer) -> RoutingAnswer:
    """The answer to `part_of(problem, stops)`, as one to the problem: all other stops are left out."""
    routes = tuple(
        replace(route, stops=tuple(PlacedStop(stops[entry.stop], entry.begins_at) for entry in route.stops))
        for route in answer.routes
    )
    placed = {entry.stop for route in routes for entry in route.stops}
    return RoutingAnswer(routes, tuple(i for i in range(len(problem.stops)) if i not in placed), answer.facts)


def without_one_agent(problem: RoutingProblem, answer: RoutingAnswer) -> RoutingProblem:
    """The same for the agents who have stops in the answer, less the one with the fewest: the others get none.

    An agent with a stop that nobody else may take stays.
    """
    pinned = {stop.agent for stop in problem.stops if stop.agent is not None}
    bound = pinned | {stop.done.agent for stop in problem.stops if stop.done is not None}
    sheets = sorted((len(route.stops), route.agent) for route in answer.routes if route.stops)
    leaves = next((agent for _, agent in sheets if agent not in bound), None)
    stay = ({agent for _, agent in sheets} - {leaves}) | bound
    agents = (day if at in stay else replace(day, most_stops=0) for at, day in enumerate(problem.agents))
    return replace(problem, agents=tuple(agents))


def alone(problem: RoutingProblem, agent: int) -> RoutingProblem:
    """The problem with this agent alone, whose number is 0 then."""
    count = len(problem.agents)
    nodes = np.array([agent, count + agent, *range(2 * count, 2 * count + len(problem.stops))], dtype=np.int64)
    legs = problem.legs
    return replace(
        problem,
        agents=(problem.agents[agent],),
        stops=tuple(_for_one(stop, agent) for stop in problem.stops),
        legs=Legs(legs.distance_m[np.ix_(nodes, nodes)], legs.travel_s[np.ix_(nodes, nodes)]),
        before=problem.before[agent : agent + 1],
        balance=None,
    )


def _for_one(stop: StopWish, agent: int) -> StopWish:
    """With the agent's number in pins, facts and what was told; those of others stay others'."""
    return renumbered(stop, {agent: 0})


def renumbered(stop: StopWish, here: Mapping[int, int]) -> StopWish:
    """With agents' numbers as `here` has them, in pins, facts and what was told; -1 for whom it does not name."""
    pin = None if stop.agent is None else here.get(stop.agent, -1)
    done = None if stop.done is None else replace(stop.done, agent=here.get(stop.done.agent, -1))
    told = None if stop.told is None else replace(stop.told, agent=here.get(stop.told.agent, -1))
    same = pin is stop.agent and done is stop.done and told is stop.told
    return stop if same else replace(stop, agent=pin, done=done, told=told)
