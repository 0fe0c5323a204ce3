"""A dispatcher who waits gets several searches: never worse than the first, the same each time, some with fewer agents."""

from __future__ import annotations

from dataclasses import replace

from bench.planning_days import real_day, whole
from doorstep.planning import planning_parts, thorough
from field_api.adapters.solver_pyvrp import THOROUGH, PyVrpSolver
from field_api.domain.route_checks import broken_promises
from field_api.domain.routing import (
    PlacedRoute,
    PlacedStop,
    RoutingAnswer,
    RoutingProblem,
    part_of,
    without_one_agent,
    worth,
)


def easy_day(stops: int, agents: int) -> RoutingProblem:
    """Everything fits, so that ways alone are searched."""
    return part_of(whole(*real_day(4 * stops, agents, seed=5)), range(stops), equal=True)


def placed(day: RoutingProblem, agent: int, order: tuple[int, ...]) -> PlacedRoute:
    begins = day.agents[agent].starts_at
    return PlacedRoute(agent, begins, begins, 0, 0, tuple(PlacedStop(stop, begins) for stop in order))


def test_several_searches_are_never_worse_than_the_first_of_them_and_repeatable() -> None:
    day = easy_day(14, 4)
    first = PyVrpSolver(iterations=30, without_improvement=30).solve(day, seed=4)
    several = PyVrpSolver(iterations=180, without_improvement=30, searches=6)
    found = several.solve(day, seed=4)
    assert not first.left_out and not found.left_out and not broken_promises(day, found)
    assert worth(day, found) >= worth(day, first)
    assert found.facts["iterations"] > first.facts["iterations"]
    assert found.routes == several.solve(day, seed=4).routes


def test_without_one_agent_the_shortest_sheet_goes_and_whoever_is_bound_stays() -> None:
    day = easy_day(6, 4)
    pinned = replace(day, stops=(replace(day.stops[0], agent=2), *day.stops[1:]))
    sheets = {0: (1, 2, 3), 2: (0,), 3: (4, 5)}
    answer = RoutingAnswer(tuple(placed(day, agent, order) for agent, order in sheets.items()), ())
    assert [agent.most_stops for agent in without_one_agent(day, answer).agents] == [None, 0, 0, None]
    assert [agent.most_stops for agent in without_one_agent(pinned, answer).agents] == [None, 0, None, 0]


def test_a_thorough_plan_searches_longer_in_the_same_processes() -> None:
    parts = thorough(planning_parts())
    assert parts.solver.solver == THOROUGH and parts.rules is planning_parts().rules
