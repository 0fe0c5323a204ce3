"""When agents of a draft are where, for orders that a dispatcher tries; and the shortest that there would be."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from field_api.domain.draft_orders import DraftOrders, Order
from field_api.domain.ports import Solver, Travel
from field_api.domain.routing import AgentDay, RoutingProblem, StopWish, part_of
from field_api.domain.timed import Timed, Why, timed
from field_api.domain.timetable import Timetable


@dataclass(frozen=True)
class Broken:
    """What an order would break, of which stop, and by how much."""

    why: Why
    agent: UUID
    stop: UUID | None
    by: int | None  # seconds; of TOO_MANY_STOPS stops


@dataclass(frozen=True)
class Tried:
    """An agent's order with its times and what it breaks."""

    agent: UUID
    order: Order
    timed: Timed

    @property
    def broken(self) -> tuple[Broken, ...]:
        return tuple(
            Broken(fault.why, self.agent, None if fault.stop is None else self.order[fault.stop], fault.by)
            for fault in self.timed.faults
        )


@dataclass(frozen=True)
class DraftTimes:
    """`wishes` are without pins: those are the orders' business. One agent's matrix is made at a time."""

    agents: Mapping[UUID, AgentDay]
    wishes: Mapping[UUID, StopWish]
    travel: Travel

    def tried(self, agent: UUID, order: Order) -> Tried:
        return Tried(agent, order, timed(Timetable(self._problem(agent, order)), range(len(order))))

    def best_place(self, orders: DraftOrders, stop: UUID, agents: Iterable[UUID]) -> Tried:
        """Where the stop costs the least travel, each pinned stop where it is; where it fits nowhere, where the least
        is missing. `agents` is not empty; the stop is on no route of `orders`."""
        found = [tried for agent in agents for tried in self._places(orders, stop, agent)]
        return min(found, key=lambda one: (one[1].timed.badness, one[0], str(one[1].agent), one[1].order.index(stop)))[
            1
        ]

    def shortest_s(self, tried: Tried, solver: Solver, *, seed: int) -> int:
        """Seconds of travel of the solver's own order of the same stops: never more than the order has. What stops are
        worth is not told to it."""
        if len(tried.order) < 2 or tried.timed.faults:
            return tried.timed.route.travel_s
        numbers = range(len(tried.order))
        problem = part_of(self._problem(tried.agent, tried.order), numbers, equal=True)
        answer = solver.solve(replace(problem, before=(tuple(numbers),)), seed=seed)
        whole = not answer.left_out and len(answer.routes) == 1
        travel_s = tried.timed.route.travel_s
        return min(travel_s, answer.routes[0].travel_s) if whole else travel_s

    def _places(self, orders: DraftOrders, stop: UUID, agent: UUID) -> Iterable[tuple[int, Tried]]:
        """With the seconds of travel that each costs more."""
        stops = (*orders.order(agent), stop)
        number = {known: at for at, known in enumerate(stops)}
        table = Timetable(self._problem(agent, stops))
        own_s = timed(table, range(len(stops) - 1)).route.travel_s
        for order in orders.places_for(stop, agent):
            found = timed(table, [number[known] for known in order])
            yield found.route.travel_s - own_s, Tried(agent, order, _by_order(found, stops, order))

    def _problem(self, agent: UUID, stops: Sequence[UUID]) -> RoutingProblem:
        day = self.agents[agent]
        wishes = tuple(self.wishes[stop] for stop in stops)
        points = [day.start, day.end, *(wish.point for wish in wishes)]
        return RoutingProblem((day,), wishes, self.travel.between(points, points))


def _by_order(found: Timed, stops: Sequence[UUID], order: Order) -> Timed:
    """With stops numbered as they come in the order, and not as they came in the problem."""
    at = [order.index(stop) for stop in stops]
    placed = tuple(replace(entry, stop=at[entry.stop]) for entry in found.route.stops)
    faults = tuple(replace(one, stop=None if one.stop is None else at[one.stop]) for one in found.faults)
    return Timed(replace(found.route, stops=placed), faults)


def newly_broken(before: Iterable[Tried], after: Iterable[Tried]) -> list[Broken]:
    """What is broken after a change and was not before it, or less: who mends half of a day need not mend it all."""
    known = {(one.why, one.stop or one.agent): one.by or 0 for tried in before for one in tried.broken}
    return [
        one
        for tried in after
        for one in tried.broken
        if (key := (one.why, one.stop or one.agent)) not in known or (one.by or 0) > known[key]
    ]
