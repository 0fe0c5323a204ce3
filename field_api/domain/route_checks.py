"""What an answer to a routing problem must keep, found without a solver and without the code that builds routes."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import pairwise

from field_api.domain.routing import AgentDay, PlacedRoute, RoutingAnswer, RoutingProblem, StopWish, may_visit


def broken_promises(problem: RoutingProblem, answer: RoutingAnswer) -> list[str]:
    """What an answer breaks, in words; empty where it keeps everything that a plan relies on."""
    placed = [entry.stop for route in answer.routes for entry in route.stops]
    broken = []
    if sorted([*placed, *answer.left_out]) != list(range(len(problem.stops))):
        broken.append("a stop is missing or there twice")
    if len({route.agent for route in answer.routes}) != len(answer.routes):
        broken.append("an agent has two routes")
    if any(problem.stops[index].done is not None for index in answer.left_out):
        broken.append("a visit that took place is on no route")
    for route in answer.routes:
        broken += [*_times(problem, route), *_stops(problem, route), *_lunch(problem, route)]
    return broken


def _times(problem: RoutingProblem, route: PlacedRoute) -> Iterator[str]:
    agent = problem.agents[route.agent]
    facts = [done.begins_at for entry in route.stops if (done := problem.stops[entry.stop].done) is not None]
    if route.starts_at < min([agent.starts_at, *facts]) or route.ends_at > max([agent.ends_at, *_ends(problem, route)]):
        yield "a route leaves the shift"
    ends = [
        entry.begins_at + timedelta(seconds=problem.stops[entry.stop].service_s) if done is None else done.ends_at
        for entry in route.stops
        for done in [problem.stops[entry.stop].done]
    ]
    nodes = [
        problem.start_node(route.agent),
        *(problem.stop_node(entry.stop) for entry in route.stops),
        problem.end_node(route.agent),
    ]
    begins = [*(entry.begins_at for entry in route.stops), route.ends_at]
    known = [*(problem.stops[entry.stop].done is not None for entry in route.stops), False]
    for (here, there), left_at, arrives_by, a_fact in zip(
        pairwise(nodes), [route.starts_at, *ends], begins, known, strict=True
    ):
        if not a_fact and left_at + timedelta(seconds=int(problem.legs.travel_s[here, there])) > arrives_by:
            yield "a leg is faster than the travel time"


def _ends(problem: RoutingProblem, route: PlacedRoute) -> Iterator[datetime]:
    """When somebody is home at the earliest whose day went over the shift already."""
    if route.stops and all(problem.stops[entry.stop].done is not None for entry in route.stops):
        last = problem.stops[route.stops[-1].stop]
        home = problem.legs.travel_s[problem.stop_node(route.stops[-1].stop), problem.end_node(route.agent)]
        if last.done is not None:
            yield last.done.ends_at + timedelta(seconds=int(home))


def _stops(problem: RoutingProblem, route: PlacedRoute) -> Iterator[str]:
    agent = problem.agents[route.agent]
    moved = False
    for position, entry in enumerate(route.stops, start=1):
        stop = problem.stops[entry.stop]
        if stop.done is not None:
            if moved or stop.done.agent != route.agent or stop.done.begins_at != entry.begins_at:
                yield "a visit that took place was changed"
            continue
        moved = True
        done_at = entry.begins_at + timedelta(seconds=stop.service_s)
        if not any(opens <= entry.begins_at and done_at <= closes for opens, closes in stop.windows):
            yield "a visit lies outside its contact hours"
        yield from _who(agent, route.agent, stop)
        if stop.position is not None and position != min(stop.position, len(route.stops)):
            yield "a pinned stop is not at its position"
    count = sum(problem.stops[entry.stop].counts_as for entry in route.stops)
    if moved and agent.most_stops is not None and count > agent.most_stops:
        yield "an agent has too many stops"


def _who(agent: AgentDay, index: int, stop: StopWish) -> Iterator[str]:
    if not may_visit(agent, index, stop):
        yield "an agent may not be sent to a stop"


def _lunch(problem: RoutingProblem, route: PlacedRoute) -> Iterator[str]:
    lunch = problem.agents[route.agent].lunch
    if lunch is None:
        if route.lunch_at is not None:
            yield "a lunch that nobody asked for"
        return
    if route.lunch_at is None:
        if route.ends_at > lunch.latest:
            yield "an agent has no lunch"
        return
    if not lunch.earliest <= route.lunch_at <= lunch.latest:
        yield "a lunch lies outside its hours"
    if not any(gap >= lunch.duration_s for gap in _gaps(problem, route, route.lunch_at)):
        yield "a lunch has no time"


def _gaps(problem: RoutingProblem, route: PlacedRoute, lunch_at: datetime) -> Iterator[float]:
    """Seconds that are left at the place, from the lunch's begin, before the next leg must begin."""
    node, free_at = problem.start_node(route.agent), route.starts_at
    nexts = [*((problem.stop_node(entry.stop), entry.begins_at) for entry in route.stops)]
    nexts.append((problem.end_node(route.agent), route.ends_at))
    for number, (there, begins_at) in enumerate(nexts):
        leaves_by = begins_at - timedelta(seconds=int(problem.legs.travel_s[node, there]))
        if free_at <= lunch_at:
            yield (leaves_by - lunch_at).total_seconds()
        if number < len(route.stops):
            stop = problem.stops[route.stops[number].stop]
            done = stop.done
            node = there
            free_at = begins_at + timedelta(seconds=stop.service_s) if done is None else done.ends_at
