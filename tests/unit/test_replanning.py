"""A day under way: what took place never moves, nobody ill is sent, and no change is worse than to leave all alone."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

from hypothesis import given
from hypothesis import settings as at_most
from hypothesis import strategies as st
from routing_days import MORNING, TRAVEL, agent, near, stop

from field_api.adapters.solver_pyvrp import PyVrpSolver
from field_api.domain.contact_rules import Refusal, Rule
from field_api.domain.day_under_way import RouteNow, StopNow, whereabouts
from field_api.domain.disturbance import Disturbance, Told, Weights, disturbance
from field_api.domain.replanning import (
    MOST_SECONDS,
    as_told,
    disturbed,
    least_changed,
    left_alone,
    nearest_routes,
    nobody_may,
    numbered,
    under_way,
)
from field_api.domain.route_checks import broken_promises
from field_api.domain.routing import ALL_IT_TAKES, RoutingAnswer, RoutingProblem, worth
from field_api.domain.timetable import Timetable
from field_api.domain.vocabulary import NotPlannedReason

QUICK = PyVrpSolver(iterations=60, without_improvement=40)
MINUTE = timedelta(minutes=1)
WEIGHTS = Weights()


def travel_s(here, there) -> int:
    return int(TRAVEL.between([here], [there]).travel_s[0, 0])


def stop_now(number: int, position: int, at_minute: float, metres: float = 0.0, **more: object) -> StopNow:
    """Told for half an hour from that minute after MORNING on."""
    begins = MORNING + at_minute * MINUTE
    wish = more.pop("wish", None) or stop(near(metres))
    return StopNow(UUID(int=number), position, wish, begins, begins + 30 * MINUTE, **more)


def route_now(number: int, *stops: StopNow, hours: float = 9, metres: float = 0.0, **more: object) -> RouteNow:
    return RouteNow(UUID(int=number), agent(hours, at=near(metres)), stops, **more)


def problem_of(routes, added=(), now=MORNING, weights=WEIGHTS) -> tuple:
    day = under_way(routes, added, now, weights, travel_s)
    return day, day.problem(TRAVEL.between(day.points(), day.points()))


def at(minute: float) -> datetime:
    return MORNING + minute * MINUTE


# Where agents are


def test_what_was_reported_is_a_fact_and_the_next_stop_is_where_the_agent_is_on_the_way_to() -> None:
    stops = [stop_now(n, n, 30 * n, 500 * n) for n in (1, 2, 3)]
    stops[0] = replace(stops[0], begun_at=at(31), done_at=at(42))
    seen = whereabouts(route_now(1, *stops, heard_at=at(45)), at(45), travel_s)
    assert [(fact.begins_at, fact.ends_at) for fact in seen.facts[:1]] == [(at(31), at(42))]
    assert seen.current is stops[1] and seen.left == (stops[2],)
    assert seen.facts[-1].begins_at >= at(45)


def test_where_something_was_reported_the_agent_still_is() -> None:
    stops = [stop_now(n, n, 30 * n) for n in (1, 2)]
    here = replace(stops[1], begun_at=at(20))  # the second, out of order
    seen = whereabouts(route_now(1, stops[0], here, heard_at=at(24)), at(24), travel_s)
    assert seen.current is here and seen.left == (stops[0],)
    assert (seen.facts[0].begins_at, seen.facts[0].ends_at) == (at(20), at(30))


def test_no_stop_is_worth_less_than_all_that_its_change_may_cost() -> None:
    told = Told(0, at(0), at(30), move_s=2 * MOST_SECONDS, retime_s=MOST_SECONDS)  # a letter counts with the move
    a_day_s = 86_400
    assert max(told.cost_s(agent, at(600)) for agent in (0, 1)) + a_day_s < ALL_IT_TAKES


def test_before_the_day_begins_nobody_is_on_the_way() -> None:
    stops = (stop_now(1, 1, 30), stop_now(2, 2, 60))
    seen = whereabouts(route_now(1, *stops), at(-5), travel_s)
    assert (seen.current, seen.left, seen.facts) == (None, stops, ())
    assert whereabouts(route_now(1, *stops), at(1), travel_s).current is stops[0]


def test_who_is_late_goes_on_later_and_who_is_free_again_not_before() -> None:
    stops = (stop_now(1, 1, 0, begun_at=at(0), done_at=at(10)), stop_now(2, 2, 20), stop_now(3, 3, 40))
    on_time = whereabouts(route_now(1, *stops, heard_at=at(10)), at(12), travel_s)
    late = whereabouts(route_now(1, *stops, heard_at=at(10), late_s=1_800), at(12), travel_s)
    assert late.facts[-1].begins_at - on_time.facts[-1].begins_at == 30 * MINUTE
    free = whereabouts(route_now(1, *stops, heard_at=at(10), free_at=at(90)), at(12), travel_s)
    assert free.facts[-1].begins_at == at(90) and free.current is stops[1]
    ahead = whereabouts(route_now(1, stops[1], late_s=3_600), at(-60), travel_s)
    assert ahead.day.starts_at == at(60)


def test_what_a_silent_phone_ought_to_have_done_is_presumed_done_and_of_who_is_ill_left() -> None:
    stops = (stop_now(1, 1, 0), stop_now(2, 2, 30), stop_now(3, 3, 300))
    silent = whereabouts(route_now(1, *stops, heard_at=at(5)), at(100), travel_s)
    assert [fact.presumed for fact in silent.facts] == [True, True, False] and silent.current is stops[2]
    heard = whereabouts(route_now(1, *stops, heard_at=at(99)), at(100), travel_s)
    assert heard.current is stops[0] and heard.left == stops[1:]  # it spoke, and had done nothing
    ill = whereabouts(route_now(1, *stops, heard_at=at(5), ill=True), at(100), travel_s)
    assert (ill.current, ill.left, ill.facts) == (None, stops, ())


def test_nobody_is_on_the_way_to_where_the_hours_will_be_over() -> None:
    closing = replace(stop(near(0)), closes_at=at(65))
    route = route_now(1, stop_now(1, 1, 30, wish=closing), stop_now(2, 2, 60), late_s=3_600, heard_at=at(29))
    seen = whereabouts(route, at(30), travel_s)
    assert seen.current is None and len(seen.left) == 2
    refused = replace(route.stops[0], refused=Refusal(NotPlannedReason.TOO_FREQUENT, Rule("r", "s", "H")))
    day, _ = problem_of([replace(route, stops=(refused, route.stops[1]))], now=at(30))
    assert day.refused == (refused,) and [one.key for one in day.open_stops] == [UUID(int=2)]


# What is changed


def test_stops_of_who_is_ill_are_spread_over_the_others_and_theirs_stay_where_they_are() -> None:
    ill = route_now(1, *(stop_now(n, n, 30 * n, 400 * n) for n in range(1, 7)), ill=True)
    others = [
        route_now(2, *(stop_now(10 + n, n, 40 * n, 300 * n) for n in range(1, 4))),
        route_now(3, *(stop_now(20 + n, n, 40 * n, 2_000 - 300 * n) for n in range(1, 4)), metres=2_000),
    ]
    day, problem = problem_of([ill, *others], now=at(-30))
    answer = least_changed(problem, QUICK.solve(problem, seed=1))
    assert not broken_promises(problem, answer) and not answer.left_out
    told = disturbed(problem, answer)
    assert (told.moved, told.dropped) == (6, 0)
    whose = {entry.stop: route.agent for route in answer.routes for entry in route.stops}
    assert all(
        whose[i] == problem.stops[i].told.agent for i in range(len(problem.stops)) if day.open_stops[i].key.int > 9
    )


def test_a_stop_moves_only_where_it_saves_more_than_it_costs() -> None:
    """Two agents, a stop told to the one who is further away: a detour of some minutes is not worth it, a far one is."""
    for metres, moved in ((1_500, 0), (40_000, 1)):
        here = route_now(1, stop_now(1, 1, 30, 0), stop_now(2, 2, 120, metres))
        there = route_now(2, stop_now(3, 1, 60, metres), metres=metres)
        _, problem = problem_of([here, there], now=at(-60), weights=Weights(move_s=1_800))
        answer = least_changed(problem, QUICK.solve(problem, seed=1))
        assert disturbed(problem, answer).moved == moved, metres


def test_a_letter_in_the_bag_keeps_its_stop_where_there_is_a_way() -> None:
    here = route_now(1, stop_now(1, 1, 30, 0), stop_now(2, 2, 120, 40_000, letters=1))
    there = route_now(2, stop_now(3, 1, 60, 40_000), metres=40_000)
    _, problem = problem_of([here, there], now=at(-60))
    assert disturbed(problem, least_changed(problem, QUICK.solve(problem, seed=1))).moved == 0
    late = replace(here, free_at=at(60 * 8.7))  # no way: there is no time left
    _, problem = problem_of([late, there], now=at(-60))
    assert disturbed(problem, least_changed(problem, QUICK.solve(problem, seed=1))).moved >= 1


def test_who_would_come_early_waits_for_the_time_that_was_told() -> None:
    """A stop fell out of the morning: the others keep their times, though they could be had an hour earlier."""
    _, problem = problem_of([route_now(1, stop_now(2, 2, 60), stop_now(3, 3, 90, 500))], now=at(-60))
    answer = as_told(problem, left_alone(problem))
    assert disturbed(problem, answer) == Disturbance(0, 0, 0, 0)
    assert [entry.begins_at for entry in answer.routes[0].stops] == [at(60), at(90)]


def test_a_newcomer_displaces_nobody() -> None:
    route = route_now(1, *(stop_now(n, n, 60 * n, 100 * n) for n in range(1, 4)), hours=4)
    heavy = [replace(stop(near(50 * n)), weight=100, service_s=3_600) for n in range(1, 5)]
    _, problem = problem_of([route], heavy, now=at(-30))
    answer = least_changed(problem, QUICK.solve(problem, seed=1))
    assert disturbed(problem, answer).dropped == 0 and set(answer.left_out) <= {3, 4, 5, 6}


def test_whom_nobody_may_visit_is_told_apart_from_no_time() -> None:
    german = replace(stop(near(10)), language="de")
    _, problem = problem_of([route_now(1, stop_now(1, 1, 30))], [german, stop(near(20))], now=at(-10))
    assert [nobody_may(problem, i) for i in range(3)] == [False, True, False]


def test_the_same_facts_and_seed_change_the_same() -> None:
    ill = route_now(1, *(stop_now(n, n, 30 * n, 700 * n) for n in range(1, 8)), ill=True)
    others = [route_now(n, stop_now(10 * n, 1, 60, 500 * n), metres=500 * n) for n in (2, 3, 4)]
    answers = []
    for _ in range(2):
        _, problem = problem_of([ill, *others], now=at(-10))
        answers.append(least_changed(problem, QUICK.solve(problem, seed=3)).routes)
    assert answers[0] == answers[1]


def test_what_changed_is_counted_once() -> None:
    """And who takes a stop over was told no time for it."""
    told = Told(0, at(0), at(30), move_s=900, retime_s=300)
    after = [(0, at(10)), (0, at(31)), (1, at(40)), None]
    assert disturbance([told] * 4, after) == Disturbance(moved=1, retimed=1, dropped=1, cost_s=300 + 900)
    assert [told.cost_s(0, at(minute)) for minute in (-1, 90, 91, 210, 211)] == [300, 300, 600, 600, 1_200]
    assert disturbance([None], [(0, at(1))]).stops == 0


def test_numbers_on_sheets_stay_as_long_as_they_can() -> None:
    assert numbered([3, 4, 6], after=2) == [3, 4, 6]  # a gap where one was taken out
    assert numbered([3, None, 6], after=2) == [3, 4, 6]
    assert numbered([4, 3, 5], after=2) == [4, 5, 6]
    assert numbered([1, None, 4, 5], after=3) == [1, 4, 5, 6]  # who left the first one out goes back to it
    assert numbered([], after=0) == []


def test_only_neighbours_are_asked() -> None:
    routes = [route_now(n, stop_now(n, 1, 30, 1_000 * n), metres=1_000 * n) for n in range(6)]
    assert nearest_routes(routes, [5], [near(0)], most_agents=3) == [0, 1, 5]
    assert nearest_routes(routes, [2], [], most_agents=3) == [2]


@st.composite
def days(draw):
    """Some routes, partly done, partly late or ill, at a moment of the day; and newcomers."""
    minutes = st.integers(-30, 600)
    now = at(draw(minutes))
    routes = []
    for number in range(1, draw(st.integers(1, 3)) + 1):
        stops, minute = [], 20
        done = draw(st.integers(0, 4))
        for position in range(1, draw(st.integers(0, 5)) + 1):
            minute += draw(st.integers(15, 60))
            facts = {}
            if position <= done and at(minute + 10) <= now:
                facts = {"begun_at": at(minute), "done_at": at(minute + 10)}
            metres = draw(st.integers(0, 60)) * 100
            wish = stop(near(metres, 300 * number), closes=draw(st.sampled_from([3, 6, 12])))
            letters = draw(st.integers(0, 1))
            stops.append(stop_now(100 * number + position, position, minute, wish=wish, letters=letters, **facts))
        routes.append(
            route_now(
                number,
                *stops,
                hours=draw(st.sampled_from([4, 8])),
                metres=500 * number,
                heard_at=draw(st.one_of(st.none(), st.just(now), minutes.map(at))),
                ill=draw(st.booleans()),
                late_s=draw(st.sampled_from([0, 0, 1_800, 7_200])),
                free_at=draw(st.one_of(st.none(), minutes.map(at))),
            )
        )
    added = [stop(near(draw(st.integers(0, 60)) * 100)) for _ in range(draw(st.integers(0, 2)))]
    return routes, added, now


def leave_it(problem: RoutingProblem) -> RoutingAnswer:
    """The oracle: each agent as told, latest stops first given up until the rest fits; times as early as possible."""
    table, routes = Timetable(problem), []
    for number, order in enumerate(problem.before):
        facts = list(table.done_by(number))
        rest = list(order)
        while rest and table.route(number, [*facts, *rest]) is None:
            rest.pop()
        found = table.route(number, [*facts, *rest])
        if found is not None and found.stops:
            routes.append(found)
    placed = {entry.stop for route in routes for entry in route.stops}
    return RoutingAnswer(tuple(routes), tuple(i for i in range(len(problem.stops)) if i not in placed))


@at_most(max_examples=80, deadline=None)
@given(days())
def test_facts_never_move_nobody_ill_is_sent_and_it_is_never_worse_than_to_leave_it(given_day) -> None:
    routes, added, now = given_day
    day, problem = problem_of(routes, added, now)
    found = QUICK.solve(problem, seed=1)
    answer = least_changed(problem, found)
    if not problem.agents:
        assert answer.left_out == tuple(range(len(problem.stops)))
        return
    assert broken_promises(problem, answer) == []
    assert {day.routes[route.agent].agent_id for route in answer.routes}.isdisjoint(
        route.agent_id for route in routes if route.ill
    )
    assert worth(problem, answer) >= worth(problem, leave_it(problem))
    assert worth(problem, answer) >= worth(problem, found)
    number = 0
    for index, known in enumerate(day.known):
        first = next((route for route in answer.routes if route.agent == index), None)
        held = first.stops[: len(known.facts)] if first else ()
        assert [entry.stop for entry in held] == list(range(number, number + len(known.facts)))
        number += len(known.facts)
        for fact, entry in zip(known.facts, held, strict=True):
            assert abs(entry.begins_at - fact.begins_at) < timedelta(seconds=1)
        if known.current is not None:
            assert known.facts[-1].stop is known.current
