"""Put eligible stops on agents' routes: cut the day into parts, solve each, check what came back."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from field_api.domain.contact_rules import Rule
from field_api.domain.ports import Solver, Travel
from field_api.domain.routing import AgentDay, PlacedRoute, RoutingAnswer, RoutingProblem, broken_promises
from field_api.domain.stops import SoughtStop
from field_api.domain.territories import NOT_ENOUGH_TIME, Part, split
from field_api.domain.vocabulary import NotPlannedReason

Report = Callable[[str, int, int], None]
"""Told the step, how much of it is done, and of how much: for progress bars."""


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
) -> SolvedDay:
    """Every stop is on a route or left out with a reason. Raises RuntimeError where a solver breaks its promise: a plan
    with a visit outside the contact hours is worse than none."""
    wishes = [stop.wish() for stop in stops]
    points = [wish.point for wish in wishes]
    out = travel.between([agent.start for agent in agents], points)
    back = travel.between(points, [agent.end for agent in agents])
    parts = split(agents, wishes, out, back)
    left_out = dict(parts.unreachable)
    left_out |= dict.fromkeys(parts.crowded_out, (NotPlannedReason.NO_TIME_ON_ANY_ROUTE, NOT_ENOUGH_TIME))
    routes: list[PlacedRoute] = []
    facts = []
    for done, part in enumerate(parts.parts):
        report("routes", done, len(parts.parts))
        answer = _solve_part(agents, stops, part, solver=solver, travel=travel, seed=seed)
        routes += [_renumbered(route, part) for route in answer.routes]
        left_out |= {
            part.stops[index]: (NotPlannedReason.NO_TIME_ON_ANY_ROUTE, NOT_ENOUGH_TIME) for index in answer.left_out
        }
        facts.append({**answer.facts, "agents": len(part.agents), "stops": len(part.stops)})
    report("routes", len(parts.parts), len(parts.parts))
    return SolvedDay(tuple(routes), left_out, _summed(routes, facts, solver, travel, seed))


def _solve_part(
    agents: Sequence[AgentDay], stops: Sequence[SoughtStop], part: Part, *, solver: Solver, travel: Travel, seed: int
) -> RoutingAnswer:
    own_agents = tuple(agents[index] for index in part.agents)
    own_stops = tuple(stops[index].wish() for index in part.stops)
    points = [*(a.start for a in own_agents), *(a.end for a in own_agents), *(s.point for s in own_stops)]
    problem = RoutingProblem(own_agents, own_stops, travel.between(points, points))
    answer = solver.solve(problem, seed=seed)
    broken = broken_promises(problem, answer)
    if broken:
        raise RuntimeError(f"{solver.name} broke its promise: {', '.join(sorted(set(broken)))}")
    return answer


def _renumbered(route: PlacedRoute, part: Part) -> PlacedRoute:
    return PlacedRoute(
        agent=part.agents[route.agent],
        starts_at=route.starts_at,
        ends_at=route.ends_at,
        distance_m=route.distance_m,
        travel_s=route.travel_s,
        stops=tuple(type(entry)(part.stops[entry.stop], entry.begins_at) for entry in route.stops),
    )


def _summed(
    routes: Sequence[PlacedRoute], facts: list[dict[str, Any]], solver: Solver, travel: Travel, seed: int
) -> dict[str, Any]:
    return {
        "engine": solver.name,
        "seed": seed,
        "travel": travel.name,
        "estimates": travel.estimates,
        "distance_m": sum(route.distance_m for route in routes),
        "travel_s": sum(route.travel_s for route in routes),
        "parts": facts,
    }
