"""Put eligible stops on agents' routes: cut the day into parts, solve each, check what came back.

A day of more than MOST_STOPS is solved in rounds: groups of neighbouring agents, at the same time where the solver can,
then other groups of them, each from the routes that it has. No matrix of the whole day is ever made.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from field_api.domain.clusters import regrouped
from field_api.domain.contact_rules import Rule
from field_api.domain.ports import Count, Solver, Travel
from field_api.domain.route_checks import broken_promises
from field_api.domain.routing import (
    AgentDay,
    PlacedRoute,
    PlacedStop,
    RoutingAnswer,
    RoutingProblem,
    StopWish,
    renumbered,
)
from field_api.domain.stops import SoughtStop
from field_api.domain.territories import MOST_STOPS, NOT_ENOUGH_TIME, Part, Split, split
from field_api.domain.vocabulary import NotPlannedReason

Report = Callable[[str, int, int], None]
"""Told the step, how much of it is done, and of how much: for progress bars."""

ROUNDS = 3
"""Groupings of a large day: a third still brings half a percent, a fourth does not."""


def silent(_step: str, _done: int, _of: int) -> None:
    """Nobody watches."""


@dataclass(frozen=True)
class SolvedDay:
    """Routes whose indices point into the given agents and stops, and the stops on none of them, with the reason."""

    routes: tuple[PlacedRoute, ...]
    left_out: dict[int, tuple[NotPlannedReason, Rule]]
    facts: dict[str, Any]


def solve_day(
    agents: Sequence[AgentDay],
    stops: Sequence[SoughtStop],
    *,
    solver: Solver,
    travel: Travel,
    seed: int,
    report: Report = silent,
    balance: float | None = None,
) -> SolvedDay:
    """Every stop is on a route or left out with a reason. Raises RuntimeError where a solver breaks its promise: a plan
    with a visit outside the contact hours is worse than none. `balance` holds between agents who share an area."""
    wishes = [stop.wish() for stop in stops]
    return solve_wishes(agents, wishes, solver=solver, travel=travel, seed=seed, report=report, balance=balance)


def solve_wishes(
    agents: Sequence[AgentDay],
    wishes: Sequence[StopWish],
    *,
    solver: Solver,
    travel: Travel,
    seed: int,
    report: Report = silent,
    rounds: int = ROUNDS,
    balance: float | None = None,
    before: Sequence[Sequence[int]] = (),
) -> SolvedDay:
    """As `solve_day`, for stops as the solver knows them. `before`: a draft by agent, of which the sheets are
    kept where they are worth more (`RoutingProblem.before_is_draft`), as far as they lie in one part of the day."""
    points = [wish.point for wish in wishes]
    cut = split(
        agents,
        wishes,
        travel.between([agent.start for agent in agents], points),
        travel.between(points, [agent.end for agent in agents]),
    )
    day = _Day(agents, wishes, cut, solver, travel, seed, balance, before)
    large = bool(agents) and len(wishes) > MOST_STOPS
    turns = rounds if large else 1
    for turn in range(turns):
        parts = regrouped(agents, wishes, day.held(), cut.reach, turn) if large else cut.parts
        step = f"routes {turn + 1}/{turns}" if large else "routes"
        report(step, 0, len(parts))
        day.solve(parts, partial(_tell, report, step, len(parts)), draft=turn < turns - 1)
    return day.answer()


def _tell(report: Report, step: str, of: int, done: int) -> None:
    report(step, done, of)


class _Day:
    """The routes so far, by agent."""

    def __init__(
        self,
        agents: Sequence[AgentDay],
        wishes: Sequence[StopWish],
        cut: Split,
        solver: Solver,
        travel: Travel,
        seed: int,
        balance: float | None,
        before: Sequence[Sequence[int]] = (),
    ) -> None:
        self.before = before
        self.agents, self.wishes, self.cut = agents, wishes, cut
        self.solver, self.travel, self.seed, self.balance = solver, travel, seed, balance
        self.routes: dict[int, PlacedRoute] = {}
        self.facts: list[dict[str, Any]] = []

    def solve(self, parts: Sequence[Part], count: Count, *, draft: bool) -> None:
        problems = [self._problem(part) for part in parts]
        answers = self.solver.solve_all(problems, seed=self.seed, count=count, draft=draft)
        for part, problem, answer in zip(parts, problems, answers, strict=True):
            self._check(problem, answer)
            for agent in part.agents:
                self.routes.pop(agent, None)
            self.routes |= {part.agents[route.agent]: _renumbered(route, part) for route in answer.routes}
            self.facts.append({**answer.facts, "agents": len(part.agents), "stops": len(part.stops)})

    def held(self) -> tuple[PlacedRoute, ...]:
        """What to group agents by: their routes; at first those known before, without times."""
        if self.routes or not self.before:
            return self.in_order()
        at = [agent.starts_at for agent in self.agents]
        return tuple(
            PlacedRoute(agent, at[agent], at[agent], 0, 0, tuple(PlacedStop(stop, at[agent]) for stop in order))
            for agent, order in enumerate(self.before)
            if order
        )

    def in_order(self) -> tuple[PlacedRoute, ...]:
        return tuple(self.routes[agent] for agent in sorted(self.routes))

    def answer(self) -> SolvedDay:
        routes = self.in_order()
        placed = {entry.stop for route in routes for entry in route.stops}
        left_out = dict(self.cut.unreachable)
        for index in range(len(self.wishes)):
            if index not in placed:
                left_out.setdefault(index, (NotPlannedReason.NO_TIME_ON_ANY_ROUTE, NOT_ENOUGH_TIME))
        return SolvedDay(routes, left_out, self._summed(routes))

    def _problem(self, part: Part) -> RoutingProblem:
        agents = tuple(self.agents[index] for index in part.agents)
        stops = tuple(_numbered(self.wishes[index], part) for index in part.stops)
        points = [*(a.start for a in agents), *(a.end for a in agents), *(s.point for s in stops)]
        number = {stop: at for at, stop in enumerate(part.stops)}
        held = [self._order(agent) for agent in part.agents]
        before = tuple(tuple(number[stop] for stop in order if stop in number) for order in held)
        legs = self.travel.between(points, points)
        known = before if any(before) else ()
        return RoutingProblem(agents, stops, legs, known, self.balance, before_is_draft=bool(known))

    def _order(self, agent: int) -> Sequence[int]:
        """Of the round before; in the first one what was known already."""
        if self.routes:
            route = self.routes.get(agent)
            return () if route is None else [entry.stop for entry in route.stops]
        return self.before[agent] if agent < len(self.before) else ()

    def _check(self, problem: RoutingProblem, answer: RoutingAnswer) -> None:
        if broken := broken_promises(problem, answer):
            raise RuntimeError(f"{self.solver.name} broke its promise: {', '.join(sorted(set(broken)))}")

    def _summed(self, routes: Sequence[PlacedRoute]) -> dict[str, Any]:
        return {
            "engine": self.solver.name,
            "seed": self.seed,
            "travel": self.travel.name,
            "estimates": self.travel.estimates,
            "distance_m": sum(route.distance_m for route in routes),
            "travel_s": sum(route.travel_s for route in routes),
            "parts": self.facts,
        }


def _numbered(stop: StopWish, part: Part) -> StopWish:
    """With the agents' numbers in the part, where the stop names one; -1 for an agent of another part."""
    return renumbered(stop, {agent: at for at, agent in enumerate(part.agents)})


def _renumbered(route: PlacedRoute, part: Part) -> PlacedRoute:
    stops = tuple(PlacedStop(part.stops[entry.stop], entry.begins_at) for entry in route.stops)
    return replace(route, agent=part.agents[route.agent], stops=stops)
