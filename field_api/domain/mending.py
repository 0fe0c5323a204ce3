"""Make orders keep what a search engine does not know: positions that are pinned, lunch, what took place.

Positions and lunch go into the finished route. Where it then breaks a window or the shift, the stops that are worth
least make room; whatever still fits somewhere afterwards is put there.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from field_api.domain.routing import PlacedRoute, RoutingAnswer, RoutingProblem, prize_of
from field_api.domain.timetable import Timetable


def mended(problem: RoutingProblem, orders: Sequence[Sequence[int]], *, refill: bool = False) -> RoutingAnswer:
    """The answer nearest to an order by agent. `refill`: try stops that are in no order, too."""
    return _Mending(problem).answer(orders, refill)


class _Mending:
    def __init__(self, problem: RoutingProblem) -> None:
        self.problem = problem
        self.table = Timetable(problem)
        self.routes: dict[int, PlacedRoute] = {}
        self.dropped: list[int] = []

    def answer(self, orders: Sequence[Sequence[int]], refill: bool) -> RoutingAnswer:
        seen: set[int] = set()
        for agent in range(len(self.problem.agents)):
            given = orders[agent] if agent < len(orders) else ()
            open_stops = [i for i in given if self.problem.stops[i].done is None and i not in seen]
            seen.update(open_stops)
            order = self._pinned([*self.table.done_by(agent), *open_stops])
            route = self._fitting(agent, order)
            if route is not None:
                self.routes[agent] = route
        placed = {entry.stop for route in self.routes.values() for entry in route.stops}
        if refill or self.dropped:
            wanted = range(len(self.problem.stops)) if refill else sorted(self.dropped)
            self._insert([i for i in wanted if i not in placed])
            placed = {entry.stop for route in self.routes.values() for entry in route.stops}
        return RoutingAnswer(
            tuple(self.routes[agent] for agent in sorted(self.routes) if self.routes[agent].stops),
            tuple(i for i in range(len(self.problem.stops)) if i not in placed),
        )

    def _pinned(self, order: list[int]) -> list[int]:
        pins = sorted((pin, i) for i in order if (pin := self.problem.stops[i].position) is not None and self._open(i))
        for _, index in pins:
            order.remove(index)
        for position, index in pins:
            order.insert(position - 1, index)
        return order

    def _fitting(self, agent: int, order: list[int]) -> PlacedRoute | None:
        route = self.table.route(agent, order)
        while route is None:
            options = sorted((self._is_pinned(i), prize_of(self.problem.stops[i]), i) for i in order if self._open(i))
            if not options:
                return None
            for _, _, index in options:
                route = self.table.route(agent, self._pinned([i for i in order if i != index]))
                if route is not None:
                    break
            else:
                index = options[0][2]
            self.dropped.append(index)
            order = self._pinned([i for i in order if i != index])
        return route

    def _insert(self, indices: Iterable[int]) -> None:
        """Each where it costs the least travel, those worth most first; not where it costs more than it is worth."""
        stops = self.problem.stops
        for index in sorted(indices, key=lambda i: (not self._is_pinned(i), -prize_of(stops[i]), i)):
            options = []
            for agent in range(len(self.problem.agents)):
                held = self.routes.get(agent)
                order = [] if held is None else [entry.stop for entry in held.stops]
                for at in range(len(order) + 1):
                    route = self.table.route(agent, [*order[:at], index, *order[at:]])
                    if route is not None:
                        options.append((route.travel_s - (held.travel_s if held else 0), agent, at, route))
            if options:
                cost, agent, _, route = min(options, key=lambda option: option[:3])
                if cost < prize_of(stops[index]):
                    self.routes[agent] = route

    def _open(self, index: int) -> bool:
        return self.problem.stops[index].done is None

    def _is_pinned(self, index: int) -> bool:
        stop = self.problem.stops[index]
        return stop.agent is not None or stop.position is not None
