"""Solvers keep their promise, whatever the day; distances are right; a day is cut where nothing is shared."""

from __future__ import annotations

from datetime import timedelta

import pytest
from geopy.distance import great_circle
from hypothesis import given, settings
from hypothesis import strategies as st
from routing_days import HERE, MORNING, TRAVEL, agent, near, problem, stop

from field_api.adapters.solver_pyvrp import PyVrpSolver
from field_api.adapters.travel_great_circle import great_circle_m
from field_api.domain.ports import Solver
from field_api.domain.route_checks import broken_promises
from field_api.domain.routing import (
    AgentDay,
    PlacedRoute,
    PlacedStop,
    Point,
    RoutingAnswer,
    StopWish,
    speaks,
)
from field_api.domain.territories import MOST_STOPS_PER_AGENT, split
from tests.fakes import NearestFirstSolver

SOLVERS = [NearestFirstSolver(), PyVrpSolver(iterations=60)]


metres = st.integers(-8_000, 8_000)
AGENTS = st.builds(
    lambda hours, tongues, n, e, m, starts: agent(hours, tongues, near(n, e), near(m, n), starts),
    st.floats(0.5, 9), st.sampled_from(["es", "en", "es en"]), metres, metres, metres, st.floats(0, 3),
)  # fmt: skip
STOPS = st.builds(
    lambda n, e, opens, length, tongue, service: stop(near(n, e), opens, opens + length, tongue, service),
    metres, metres, st.floats(-3, 10), st.floats(0.1, 6), st.sampled_from(["es", "es-MX", "en"]), st.sampled_from([600, 900]),
)  # fmt: skip


@pytest.mark.parametrize("solver", SOLVERS, ids=lambda solver: solver.name)
@given(st.lists(AGENTS, min_size=1, max_size=3), st.lists(STOPS, min_size=0, max_size=12), st.integers(0, 3))
@settings(max_examples=25, deadline=None)
def test_a_solver_keeps_shifts_windows_and_languages(
    solver: Solver, agents: list[AgentDay], stops: list[StopWish], seed: int
) -> None:
    day = problem(agents, stops)
    answer = solver.solve(day, seed=seed)
    assert broken_promises(day, answer) == []
    assert solver.solve(day, seed=seed).routes == answer.routes


@pytest.mark.parametrize("solver", SOLVERS, ids=lambda solver: solver.name)
def test_what_fits_is_visited_and_what_does_not_is_left_out(solver: Solver) -> None:
    day = problem(
        [agent(hours=2)],
        [
            stop(near(500)),
            stop(near(1000), opens=1.5),  # the agent waits
            stop(near(-500), language="fr"),
            stop(near(50_000)),
            stop(near(100), opens=-2, closes=-1),
            stop(near(200), opens=5),
        ],
    )
    answer = solver.solve(day, seed=1)
    assert broken_promises(day, answer) == []
    assert answer.left_out == (2, 3, 4, 5)
    begins = {entry.stop: entry.begins_at for entry in answer.routes[0].stops}
    assert begins[1] >= MORNING + timedelta(hours=1.5)


@pytest.mark.parametrize("solver", SOLVERS, ids=lambda solver: solver.name)
def test_no_agents_or_no_stops_is_an_answer(solver: Solver) -> None:
    assert solver.solve(problem([], [stop(HERE)]), seed=1).left_out == (0,)
    assert solver.solve(problem([agent()], []), seed=1).routes == ()


def test_the_checker_sees_every_broken_promise() -> None:
    day = problem([agent(hours=1)], [stop(near(2000), opens=0.5, closes=0.8, language="fr"), stop(near(-2000))])
    entries = (PlacedStop(0, MORNING), PlacedStop(1, MORNING + timedelta(minutes=11)))
    route = PlacedRoute(0, MORNING - timedelta(hours=1), MORNING + timedelta(hours=2), 0, 0, entries)
    assert set(broken_promises(day, RoutingAnswer((route, route), ()))) == {
        "a stop is missing or there twice", "an agent has two routes", "a route leaves the shift",
        "a visit lies outside its contact hours", "an agent may not be sent to a stop",
        "a leg is faster than the travel time",
    }  # fmt: skip


coordinates = st.builds(Point, st.floats(-80, 80), st.floats(-179, 179))


@given(coordinates, coordinates)
def test_distances_are_those_of_geopy(here: Point, there: Point) -> None:
    expected = great_circle((here.latitude, here.longitude), (there.latitude, there.longitude)).meters
    assert great_circle_m([here], [there])[0, 0] == pytest.approx(expected, rel=1e-5, abs=0.5)


@given(st.lists(coordinates, min_size=1, max_size=5))
def test_legs_are_never_negative_and_nought_at_home(points: list[Point]) -> None:
    legs = TRAVEL.between(points, points)
    assert (legs.travel_s >= 0).all() and (legs.distance_m >= 0).all()
    assert (legs.travel_s.diagonal() == 0).all()


@pytest.mark.parametrize(("spoken", "wanted", "good"), [
    ("es", "es-MX", True), ("es-MX", "es", True), ("en", "es", False), ("fr en", "EN-us", True), ("eng", "en", False),
])  # fmt: skip
def test_a_language_is_spoken_in_all_its_regions(spoken: str, wanted: str, good: bool) -> None:
    assert speaks(frozenset(spoken.split()), wanted) is good


def split_day(agents: list[AgentDay], stops: list[StopWish]):
    points = [s.point for s in stops]
    return split(
        agents,
        stops,
        TRAVEL.between([a.start for a in agents], points),
        TRAVEL.between(points, [a.end for a in agents]),
    )


def test_cities_are_parts_of_their_own() -> None:
    there = Point(47.141, 9.5209)
    found = split_day(
        [agent(), agent(at=there), agent(at=near(3000))], [stop(near(100)), stop(there), stop(near(2000))]
    )
    assert [(part.agents, part.stops) for part in found.parts] == [((0, 2), (0, 2)), ((1,), (1,))]
    assert not found.unreachable and not found.crowded_out


def test_unreachable_stops_say_why() -> None:
    found = split_day([agent(hours=2)], [stop(near(0), language="fr"), stop(near(60_000)), stop(near(0), opens=9)])
    assert {index: rule.id for index, (_, rule) in found.unreachable.items()} == {
        0: "language",
        1: "out-of-reach",
        2: "shifts",
    }


def test_a_part_is_never_larger_than_the_solver_can_bear() -> None:
    agents = [agent(at=near(0, 400 * n)) for n in range(12)]
    stops = [stop(near(n % 60 * 50, n // 60 * 50)) for n in range(2_000)]
    found = split_day(agents, stops)
    assert sum(len(part.stops) for part in found.parts) + len(found.crowded_out) == 2_000
    assert sorted(index for part in found.parts for index in part.agents) == sorted(
        {index for part in found.parts for index in part.agents}
    )
    assert all(len(part.stops) <= MOST_STOPS_PER_AGENT * len(part.agents) for part in found.parts)
