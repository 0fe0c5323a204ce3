"""A routing problem as PyVRP 0.14 takes it, and its solutions as orders by agent.

PyVRP bounds when service *begins*: the timetable's windows are such. What it does not know is left to
`field_api.domain.mending`: pinned positions, and where lunch lies (the shift is shorter by it).

A stop that was told to an agent costs more on the way of any other: vehicles have profiles, and those of one profile
see the costs, not the times, of such legs lengthened. To begin it at another time than was told is another client of
the same group, whose prize is smaller by that.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

import numpy as np
import pyvrp

from field_api.domain.disturbance import FAR_OFF, RETIMED_BY
from field_api.domain.routing import Matrix, RoutingProblem, may_visit, prize_of
from field_api.domain.timetable import Timetable

NEVER_S = 10_000_000
"""Travel time to where an agent may not be sent: longer than any shift."""
NO_LIMIT = 1_000_000


@dataclass(frozen=True)
class Kind:
    """Agents who are alike to the search: vehicles of one type."""

    agents: tuple[int, ...]
    start: int  # node
    free_at: int
    may: tuple[bool, ...]  # by open stop
    moves_s: tuple[int, ...]  # by open stop: what it costs that it comes to these agents; empty where nothing was told
    done: int  # stops it has been at, as its limit counts them


@dataclass(frozen=True)
class Chance:
    """When a stop's service may begin, first and last second, and what that costs."""

    first: int
    last: int
    cost_s: int = 0


class Model:
    """PyVRP's data for a problem, and the way between its indices and the problem's.

    `required`: no stop may be left out. A search that knows so gets further where few agents are enough; on a day as
    full as can be it finds no beginning.
    """

    def __init__(self, problem: RoutingProblem, *, required: bool = False) -> None:
        self.problem, self.required = problem, required
        self.table = Timetable(problem)
        self.open = [i for i, stop in enumerate(problem.stops) if stop.done is None]
        self.at = {index: at for at, index in enumerate(self.open)}
        self.chances = {index: self._chances(index) for index in self.open}
        self.clients = [  # (stop, chance): one client each
            (index, number) for index in self.open for number in range(len(self.chances[index]))
        ]
        self.client_of = {key: at for at, key in enumerate(self.clients)}
        self.kinds = self._kinds()
        self.data = self._data()

    def orders(self, solution: pyvrp.Solution) -> list[list[int]]:
        """Stops in order, by agent."""
        free = {number: list(kind.agents) for number, kind in enumerate(self.kinds)}
        orders: list[list[int]] = [[] for _ in self.problem.agents]
        for route in solution.routes():
            agent = free[route.vehicle_type()].pop(0)
            orders[agent] = [self.clients[activity.idx][0] for activity in route if activity.is_client()]
        return orders

    def solution(self, orders: Sequence[Sequence[int]]) -> pyvrp.Solution:
        """As a start for the search, within windows where the timetable finds any."""
        routes = []
        for number, kind in enumerate(self.kinds):
            for agent in kind.agents:
                order = [i for i in orders[agent] if i in self.at] if agent < len(orders) else []
                visits = self._in_windows(agent, [i for i in order if kind.may[self.at[i]]])
                if visits:
                    routes.append(pyvrp.Route(self.data, visits, number))
        return pyvrp.Solution(self.data, routes)

    def _in_windows(self, agent: int, order: list[int]) -> list[int]:
        placed = self.table.route(agent, [*self.table.done_by(agent), *order])
        begins = {} if placed is None else {e.stop: self.table.not_before(e.begins_at) for e in placed.stops}
        visits = []
        for index in order:
            chances, at = self.chances[index], begins.get(index)
            fitting = [n for n, chance in enumerate(chances) if at is not None and at <= chance.last]
            visits.append(self.client_of[index, (fitting or [0])[0]])
        return visits

    def _chances(self, index: int) -> list[Chance]:
        """As was told, then at other times within the contact hours, the further away the dearer."""
        told = self.problem.stops[index].told
        hours = [(first, last) for first, last in self.table.windows(index) if max(first, 0) <= last]
        if told is None or not told.retime_s or told.agent < 0:  # whoever takes it from somebody ill was told no time
            return [Chance(*one) for one in hours or self.table.windows(index)[:1]]
        found: list[Chance] = []
        for within, times in ((timedelta(0), 0), *RETIMED_BY):
            since = self.table.not_before(told.arrives_from - within)
            until = self.table.not_after(told.arrives_to + within)
            near = [(max(first, since), min(last, until)) for first, last in hours]
            found += [Chance(*one, times * told.retime_s) for one in near if max(one[0], 0) <= one[1]]
        far = [Chance(*one, FAR_OFF * told.retime_s) for one in hours or self.table.windows(index)[:1]]
        return [*found, *far]

    def _kinds(self) -> list[Kind]:
        """Whoever may have no stop more is not searched for, unless nobody else is there."""
        kinds = self._all_kinds()
        return [kind for kind in kinds if self._limit(kind) != 0] or kinds

    def _all_kinds(self) -> list[Kind]:
        problem, found = self.problem, {}
        for agent, day in enumerate(problem.agents):
            done = self.table.done_by(agent)
            start, free_at = problem.start_node(agent), self.table.not_before(day.starts_at)
            if done:
                last = problem.stops[done[-1]].done
                start = problem.stop_node(done[-1])
                free_at = max(free_at, self.table.not_before(last.ends_at))
            may = tuple(may_visit(day, agent, problem.stops[i]) for i in self.open)
            counted = sum(problem.stops[i].counts_as for i in done)
            own = agent if done else None
            found.setdefault((day, own, may, self._moves_s(agent)), []).append((agent, start, free_at, counted))
        return [
            Kind(tuple(a for a, *_ in group), group[0][1], group[0][2], may, moves_s, group[0][3])
            for (_, _, may, moves_s), group in found.items()
        ]

    def _limit(self, kind: Kind) -> int | None:
        """How many stops each of them may have beside those done; None: as many as come."""
        most = self.problem.agents[kind.agents[0]].most_stops
        return None if most is None else max(0, most - kind.done)

    def _limited(self) -> bool:
        return any(self._limit(kind) is not None for kind in self.kinds)

    def _moves_s(self, agent: int) -> tuple[int, ...]:
        costs = [self.problem.stops[i].told for i in self.open]
        moves_s = tuple(0 if told is None else told.move_s * told.moved(agent) for told in costs)
        return moves_s if any(moves_s) else ()

    def _data(self) -> pyvrp.ProblemData:
        problem = self.problem
        stop_nodes = [problem.stop_node(index) for index in self.open]
        ends = [problem.end_node(kind.agents[0]) for kind in self.kinds]
        nodes = [*(kind.start for kind in self.kinds), *ends, *stop_nodes]
        travel = np.ascontiguousarray(problem.legs.travel_s[np.ix_(nodes, nodes)])
        profiles = sorted({(kind.may, kind.moves_s) for kind in self.kinds})
        times = [self._for(may, travel) for may, _ in profiles]
        costs = [self._costs(moves_s, own) for (_, moves_s), own in zip(profiles, times, strict=True)]
        clients, groups = self._clients()
        return pyvrp.ProblemData(
            [pyvrp.Location(0, 0) for _ in nodes],  # the search reads matrices, never coordinates
            clients,
            [pyvrp.Depot(node) for node in range(2 * len(self.kinds))],
            [
                self._vehicles(number, kind, profiles.index((kind.may, kind.moves_s)))
                for number, kind in enumerate(self.kinds)
            ],
            costs,
            times,
            groups,
        )

    def _costs(self, moves_s: tuple[int, ...], travel: Matrix) -> Matrix:
        """What legs cost: their time, and into a stop what it costs that it comes to these agents."""
        if not moves_s:
            return travel
        own = travel.copy()
        first = 2 * len(self.kinds)
        own[:, first:] += np.array(moves_s, dtype=own.dtype)
        np.fill_diagonal(own, 0)  # a place is nowhere from itself
        return own

    def _for(self, may: tuple[bool, ...], travel: Matrix) -> Matrix:
        closed = [2 * len(self.kinds) + at for at, allowed in enumerate(may) if not allowed]
        if not closed:
            return travel
        own = travel.copy()
        own[closed, :] = own[:, closed] = NEVER_S
        own[closed, closed] = 0  # a place is nowhere from itself
        return own

    def _clients(self) -> tuple[list[pyvrp.Client], list[pyvrp.ClientGroup]]:
        limited = self._limited()
        groups: list[pyvrp.ClientGroup] = []
        of_stop: dict[int, int] = {}
        clients = []
        for at, (index, number) in enumerate(self.clients):
            stop = self.problem.stops[index]
            several = len(self.chances[index]) > 1
            if several and index not in of_stop:
                of_stop[index] = len(groups)
                groups.append(pyvrp.ClientGroup(required=self.required))
            if several:
                groups[of_stop[index]].add_client(at)
            chance = self.chances[index][number]
            first, last = chance.first, chance.last
            # A window that is over before anybody starts: no shift reaches so far, and no empty window is taken.
            never = last < max(first, 0)
            clients.append(
                pyvrp.Client(
                    location=2 * len(self.kinds) + self.at[index],
                    delivery=[stop.counts_as] if limited else [],
                    service_duration=stop.service_s,
                    tw_early=NEVER_S if never else max(first, 0),
                    tw_late=NEVER_S if never else last,
                    prize=max(0, prize_of(stop) - chance.cost_s),
                    required=self.required and not several,
                    group=of_stop[index] if several else None,
                )
            )
        return clients, groups

    def _vehicles(self, number: int, kind: Kind, profile: int) -> pyvrp.VehicleType:
        day = self.problem.agents[kind.agents[0]]
        ends = max(self.table.not_after(day.ends_at), kind.free_at)
        limit = self._limit(kind)
        lunch = 0 if day.lunch is None or day.ends_at <= day.lunch.latest else day.lunch.duration_s
        return pyvrp.VehicleType(
            num_available=len(kind.agents),
            capacity=[NO_LIMIT if limit is None else limit] if self._limited() else [],
            start_depot=number,
            end_depot=len(self.kinds) + number,
            tw_early=kind.free_at,
            tw_late=ends,
            shift_duration=max(0, ends - kind.free_at - lunch),
            profile=profile,
        )
