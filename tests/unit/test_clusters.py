"""Large days: groups of neighbours, other ones in every round, in processes; nothing is lost on the way."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from routing_days import TRAVEL, agent, near, problem, stop

from bench.planning_days import real_day
from field_api.adapters.solver_pool import SolverPool
from field_api.adapters.solver_pyvrp import PyVrpSolver
from field_api.domain.clusters import AGENTS_TOGETHER, CANDIDATES_PER_AGENT, neighbours, regrouped
from field_api.domain.routing import Done, prize_of
from field_api.domain.territories import split
from field_api.usecases import solve_day
from field_api.usecases.solve_day import SolvedDay, solve_wishes

QUICK = PyVrpSolver(iterations=25)


@pytest.mark.parametrize("turn", range(4))
def test_neighbours_are_each_in_one_group_and_near_each_other(turn: int) -> None:
    centres = np.array([(east * 1000.0, north * 1000.0) for east in range(7) for north in range(4)])
    groups = neighbours(centres, turn)
    assert sorted(agent for group in groups for agent in group) == list(range(28))
    assert all(len(group) == AGENTS_TOGETHER for group in groups[:-1])
    assert neighbours(centres, turn) == groups


def test_every_round_groups_otherwise() -> None:
    centres = np.array([(east * 1000.0, north * 1000.0) for east in range(7) for north in range(4)])
    assert len({str(sorted(neighbours(centres, turn))) for turn in range(1, 4)}) == 3


def day(stops: int = 60, agents: int = 7, seed: int = 0):
    team, wishes = real_day(stops, agents, seed=seed)
    return [replace(one, ends_at=one.starts_at + (one.ends_at - one.starts_at) / 3) for one in team], wishes


def worth(wishes, solved: SolvedDay) -> int:
    placed = [entry.stop for route in solved.routes for entry in route.stops]
    return sum(prize_of(wishes[i]) for i in placed) - sum(route.travel_s for route in solved.routes)


@pytest.fixture
def small_is_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(solve_day, "MOST_STOPS", 30)


@pytest.mark.usefixtures("small_is_large")
@pytest.mark.prove
def test_further_rounds_lose_nothing_and_bring_something() -> None:
    team, wishes = day()
    found = [
        worth(wishes, solve_wishes(team, wishes, solver=QUICK, travel=TRAVEL, seed=1, rounds=rounds))
        for rounds in (1, 2, 3)
    ]
    assert found == sorted(found) and found[-1] > found[0]


@pytest.mark.usefixtures("small_is_large")
def test_processes_find_what_one_alone_finds() -> None:
    team, wishes = day(60, 12)
    alone = solve_wishes(team, wishes, solver=QUICK, travel=TRAVEL, seed=2, rounds=2)
    together = solve_wishes(team, wishes, solver=SolverPool(QUICK, 2), travel=TRAVEL, seed=2, rounds=2)
    assert together.routes == alone.routes and together.left_out == alone.left_out
    placed = {entry.stop for route in alone.routes for entry in route.stops}
    assert placed | set(alone.left_out) == set(range(60)) and not placed & set(alone.left_out)


@pytest.mark.usefixtures("small_is_large")
def test_pins_and_visits_done_outlast_all_rounds() -> None:
    team, wishes = day()
    begins = team[3].starts_at
    wishes[7] = replace(wishes[7], done=Done(3, begins, begins + (team[3].ends_at - begins) / 4))
    wishes[8] = replace(stop(near(0)), agent=5, opens_at=team[5].starts_at, closes_at=team[5].ends_at, prize=90_000)
    wishes[8] = replace(wishes[8], point=team[5].start)
    solved = solve_wishes(team, wishes, solver=QUICK, travel=TRAVEL, seed=1)
    of = {entry.stop: route.agent for route in solved.routes for entry in route.stops}
    assert of[7] == 3 and of[8] == 5


def test_a_group_is_offered_what_is_near_and_no_more_than_it_can_look_at() -> None:
    team = [agent(at=near(0, 500 * n)) for n in range(6)]
    wishes = [stop(near(10 * n, 7 * n)) for n in range(900)]
    whole = problem(team, [])
    points = [wish.point for wish in wishes]
    cut = split(
        whole.agents,
        wishes,
        TRAVEL.between([one.start for one in team], points),
        TRAVEL.between(points, [one.end for one in team]),
    )
    parts = regrouped(team, wishes, (), cut.reach, 1)
    assert all(len(part.stops) <= CANDIDATES_PER_AGENT * len(part.agents) for part in parts)
    assert len({index for part in parts for index in part.stops}) == sum(len(part.stops) for part in parts)
    assert 0 in {index for part in parts for index in part.stops}
