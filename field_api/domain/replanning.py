"""A day planned again while agents are out: as a routing problem, as little changed as is worth it, and what changed.

Facts never move (`day_under_way`). What is left may go to another agent, or to another time, where that is worth more
than it costs to change what was told (`disturbance`); never is the answer worth less than to leave all as it is and
drop what does not fit any more.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from heapq import merge
from math import cos, hypot, radians

from field_api.domain.day_under_way import RouteNow, StopNow, TravelTime, Whereabouts, whereabouts
from field_api.domain.disturbance import Disturbance, Told, Weights, disturbance
from field_api.domain.mending import mended
from field_api.domain.routing import (
    ALL_IT_TAKES,
    AgentDay,
    Legs,
    PlacedRoute,
    Point,
    RoutingAnswer,
    RoutingProblem,
    StopWish,
    may_visit,
    worth,
)
from field_api.domain.stops import METRES_PER_DEGREE
from field_api.domain.timetable import Timetable

MOST_AGENTS = 12
"""Who is looked at for the stops of somebody who is ill, nearest first: more take longer, and are seldom nearer."""
MOST_STOPS = 300
MOST_SECONDS = 200_000
"""What each of `Weights` may be: a stop that is hours off costs four of them, which with any detour is less than it is
worth. Otherwise it would rather be dropped than told another time."""


@dataclass(frozen=True)
class UnderWay:
    """The part of a day that is planned again.

    `routes` are those that can take stops, index by index the problem's agents; `stops` the wishes in the problem's
    order, facts first, then `open_stops` (told), then what is added. `before` is each agent's order as told.
    """

    routes: tuple[RouteNow, ...]
    known: tuple[Whereabouts, ...]
    agents: tuple[AgentDay, ...]
    stops: tuple[StopWish, ...]
    facts: int
    open_stops: tuple[StopNow, ...]
    refused: tuple[StopNow, ...]  # left, but the law has no hours for them any more
    before: tuple[tuple[int, ...], ...]

    @property
    def added_from(self) -> int:
        return self.facts + len(self.open_stops)

    def problem(self, legs: Legs) -> RoutingProblem:
        return RoutingProblem(self.agents, self.stops, legs, self.before)

    def points(self) -> list[Point]:
        return [*(a.start for a in self.agents), *(a.end for a in self.agents), *(s.point for s in self.stops)]


def under_way(
    routes: Sequence[RouteNow], added: Sequence[StopWish], now: datetime, weights: Weights, travel_s: TravelTime
) -> UnderWay:
    """The problem over these routes, ill agents' among them, and stops to add.

    A told stop is worth more than all that is added together: nobody is dropped for a newcomer.
    """
    seen = [whereabouts(route, now, travel_s) for route in routes]
    able = [at for at, route in enumerate(routes) if not route.ill]
    newcomers = sum(wish.weight for wish in added)
    facts = [replace(fact.stop.wish, done=fact.done(index)) for index, at in enumerate(able) for fact in seen[at].facts]
    told: list[StopWish] = []
    open_stops: list[StopNow] = []
    before: list[tuple[int, ...]] = []
    for index, at in [*enumerate(able), *((-1, at) for at, route in enumerate(routes) if route.ill)]:
        left = [stop for stop in seen[at].left if stop.refused is None]
        first = len(facts) + len(open_stops)
        if index >= 0:
            before.append(tuple(range(first, first + len(left))))
        open_stops += left
        told += [_told(stop, index, weights, newcomers) for stop in left]
    return UnderWay(
        routes=tuple(routes[at] for at in able),
        known=tuple(seen[at] for at in able),
        agents=tuple(seen[at].day for at in able),
        stops=(*facts, *told, *added),
        facts=len(facts),
        open_stops=tuple(open_stops),
        refused=tuple(stop for one in seen for stop in one.left if stop.refused is not None),
        before=tuple(before),
    )


def _told(stop: StopNow, agent: int, weights: Weights, newcomers: int) -> StopWish:
    # A letter in the bag of somebody who is ill goes nowhere, whoever the stop is given to.
    letter_s = weights.letter_s if stop.letters and agent >= 0 else 0
    told = Told(agent, stop.arrival_from, stop.arrival_to, weights.move_s + letter_s, weights.retime_s)
    pin = agent if stop.pinned and agent >= 0 else None
    return replace(stop.wish, told=told, agent=pin, prize=ALL_IT_TAKES * (stop.wish.weight + newcomers))


def left_alone(problem: RoutingProblem) -> RoutingAnswer:
    """Everybody goes on in the order that was told, and passes over what does not fit any more."""
    table = Timetable(problem)
    routes = []
    for agent in range(len(problem.agents)):
        order = list(table.done_by(agent))
        for index in problem.before[agent] if agent < len(problem.before) else ():
            if table.route(agent, [*order, index]) is not None:
                order.append(index)
        route = table.route(agent, order)
        if route is not None and order:
            routes.append(route)
    return _answer(problem, routes)


def as_told(problem: RoutingProblem, answer: RoutingAnswer) -> RoutingAnswer:
    """The same orders, with as many stops at the time that was told as go: who comes early waits at the door."""
    return _answer(problem, [_timed(problem, route) for route in answer.routes], answer)


def _timed(problem: RoutingProblem, route: PlacedRoute) -> PlacedRoute:
    """Of three ways, the one that changes least: as early as possible, all as told, and stop by stop what fits."""
    order = [entry.stop for entry in route.stops]
    waiting = [i for i in order if (told := problem.stops[i].told) is not None and not told.moved(route.agent)]
    ways = [route, *filter(None, [_held(problem, route.agent, order, waiting)])]
    kept: list[int] = []
    for index in waiting:
        if _held(problem, route.agent, order, [*kept, index]) is not None:
            kept.append(index)
    ways += filter(None, [_held(problem, route.agent, order, kept)])
    return min(ways, key=lambda way: (_changed_s(problem, way), way.ends_at))


def _held(problem: RoutingProblem, agent: int, order: Sequence[int], held: Iterable[int]) -> PlacedRoute | None:
    """The route over that order with these stops at the time that was told; None where that does not go."""
    wishes = list(problem.stops)
    for index in held:
        hours = _hours_as_told(wishes[index])
        if not hours:
            return None
        wishes[index] = replace(
            wishes[index], opens_at=hours[0][0], closes_at=hours[0][1], more_windows=tuple(hours[1:])
        )
    return Timetable(replace(problem, stops=tuple(wishes))).route(agent, order)


def _hours_as_told(stop: StopWish) -> list[tuple[datetime, datetime]]:
    if stop.told is None:
        return list(stop.windows)
    service = timedelta(seconds=stop.service_s)
    since, until = stop.told.arrives_from, stop.told.arrives_to + service
    hours = [(max(opens, since), min(closes, until)) for opens, closes in stop.windows]
    return [(opens, closes) for opens, closes in hours if opens + service <= closes]


def _changed_s(problem: RoutingProblem, route: PlacedRoute) -> int:
    told = [(problem.stops[entry.stop].told, entry.begins_at) for entry in route.stops]
    return sum(one.cost_s(route.agent, begins_at) for one, begins_at in told if one is not None)


def _answer(
    problem: RoutingProblem, routes: Sequence[PlacedRoute], found: RoutingAnswer | None = None
) -> RoutingAnswer:
    placed = {entry.stop for route in routes for entry in route.stops}
    left_out = tuple(i for i in range(len(problem.stops)) if i not in placed)
    return RoutingAnswer(tuple(routes), left_out, found.facts if found else {})


def least_changed(problem: RoutingProblem, found: RoutingAnswer) -> RoutingAnswer:
    """The best of what was found, of leaving all alone, and of the told order with gaps filled: an answer never worse
    than each of them. Equal ones: the one that was less searched for."""
    if not problem.agents:  # everybody is ill
        return _answer(problem, [])
    orders = [problem.before, *_taken_over(problem)]
    answers = [left_alone(problem), *(mended(problem, order, refill=True) for order in orders), found]
    return max((as_told(problem, answer) for answer in answers), key=lambda answer: worth(problem, answer))


def _taken_over(problem: RoutingProblem) -> Iterator[tuple[tuple[int, ...], ...]]:
    """Each agent takes over all that who is ill leaves, in order of the times that were told: a search that knows no
    such block finds it seldom, and it changes least where there is time for it."""
    given = [(i, told) for i, stop in enumerate(problem.stops) if (told := stop.told) is not None and told.agent < 0]
    if not given:
        return
    for agent, own in enumerate(problem.before):
        timed = [(told.arrives_from, i) for i in own if (told := problem.stops[i].told) is not None]
        order = tuple(i for _, i in merge(timed, sorted((told.arrives_from, i) for i, told in given)))
        yield (*problem.before[:agent], order, *problem.before[agent + 1 :])


def disturbed(problem: RoutingProblem, answer: RoutingAnswer) -> Disturbance:
    placed = {entry.stop: (route.agent, entry.begins_at) for route in answer.routes for entry in route.stops}
    return disturbance([stop.told for stop in problem.stops], [placed.get(i) for i in range(len(problem.stops))])


def nobody_may(problem: RoutingProblem, index: int) -> bool:
    """Whether no agent may be sent to the stop at all, whatever time there is."""
    return not any(may_visit(day, agent, problem.stops[index]) for agent, day in enumerate(problem.agents))


def numbered(order: Iterable[int | None], after: int) -> list[int]:
    """New positions along a route behind position `after`, from the old ones, None for what was not on it: numbers are
    printed on sheets, so each keeps its own as long as it is still behind the one before it. (Who left one out goes
    back to a number before `after`.)"""
    numbers: list[int] = []
    for old in order:
        last = numbers[-1] if numbers else 0
        numbers.append(old if old is not None and old > last else max(last, after) + 1)
    return numbers


def nearest_routes(
    routes: Sequence[RouteNow], wanted: Iterable[int], to: Sequence[Point], *, most_agents: int = MOST_AGENTS
) -> list[int]:
    """`wanted`, and of the others those who come nearest to one of the points, while agents and stops are few enough.
    Indices into `routes`, in order."""
    chosen = set(wanted)
    stops = sum(len(routes[at].stops) for at in chosen)
    for _, at in sorted((_nearness(routes[at], to), at) for at in range(len(routes)) if at not in chosen and to):
        stops += len(routes[at].stops)
        if len(chosen) >= most_agents or stops > MOST_STOPS:
            break
        chosen.add(at)
    return sorted(chosen)


def _nearness(route: RouteNow, to: Sequence[Point]) -> float:
    own = [route.day.start, *(stop.wish.point for stop in route.stops if stop.done_at is None)]
    return min(_metres(here, there) for here in own for there in to)


def _metres(here: Point, there: Point) -> float:
    """Flat-Earth distance: good enough to say who is near."""
    east = (here.longitude - there.longitude) * cos(radians(here.latitude))
    return METRES_PER_DEGREE * hypot(here.latitude - there.latitude, east)
