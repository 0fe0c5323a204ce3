"""A routing problem as PyVRP 0.14 takes it, and its solutions as orders by agent.

PyVRP bounds when service *begins*: the timetable's windows are such. What it does not know is left to
`field_api.domain.mending`: pinned positions, and where lunch lies (the shift is shorter by it).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyvrp

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
    done: int  # stops it has been at, as its limit counts them


class Model:
    """PyVRP's data for a problem, and the way between its indices and the problem's."""

    def __init__(self, problem: RoutingProblem) -> None:
        self.problem = problem
        self.table = Timetable(problem)
        self.open = [i for i, stop in enumerate(problem.stops) if stop.done is None]
        self.at = {index: at for at, index in enumerate(self.open)}
        self.clients = [  # (stop, window): one client each
            (index, number) for index in self.open for number in self._windows(index)
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
            numbers = self._windows(index)
            at = begins.get(index)
            fitting = [n for n in numbers if at is not None and at <= self.table.windows(index)[n][1]]
            visits.append(self.client_of[index, (fitting or numbers)[0]])
        return visits

    def _windows(self, index: int) -> list[int]:
        numbers = [n for n, (first, last) in enumerate(self.table.windows(index)) if max(first, 0) <= last]
        return numbers or [0]

    def _kinds(self) -> list[Kind]:
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
            found.setdefault((day, own, may), []).append((agent, start, free_at, counted))
        return [
            Kind(tuple(a for a, *_ in group), group[0][1], group[0][2], may, group[0][3])
            for (_, _, may), group in found.items()
        ]

    def _data(self) -> pyvrp.ProblemData:
        problem = self.problem
        stop_nodes = [problem.stop_node(index) for index in self.open]
        ends = [problem.end_node(kind.agents[0]) for kind in self.kinds]
        nodes = [*(kind.start for kind in self.kinds), *ends, *stop_nodes]
        travel = np.ascontiguousarray(problem.legs.travel_s[np.ix_(nodes, nodes)])
        masks = sorted({kind.may for kind in self.kinds})
        matrices = [self._for(mask, travel) for mask in masks]
        clients, groups = self._clients()
        return pyvrp.ProblemData(
            [pyvrp.Location(0, 0) for _ in nodes],  # the search reads matrices, never coordinates
            clients,
            [pyvrp.Depot(node) for node in range(2 * len(self.kinds))],
            [self._vehicles(number, kind, masks.index(kind.may)) for number, kind in enumerate(self.kinds)],
            matrices,
            matrices,
            groups,
        )

    def _for(self, may: tuple[bool, ...], travel: Matrix) -> Matrix:
        closed = [2 * len(self.kinds) + at for at, allowed in enumerate(may) if not allowed]
        if not closed:
            return travel
        own = travel.copy()
        own[closed, :] = own[:, closed] = NEVER_S
        own[closed, closed] = 0  # a place is nowhere from itself
        return own

    def _clients(self) -> tuple[list[pyvrp.Client], list[pyvrp.ClientGroup]]:
        limited = any(agent.most_stops is not None for agent in self.problem.agents)
        groups: list[pyvrp.ClientGroup] = []
        of_stop: dict[int, int] = {}
        clients = []
        for at, (index, number) in enumerate(self.clients):
            stop = self.problem.stops[index]
            several = len(self._windows(index)) > 1
            if several and index not in of_stop:
                of_stop[index] = len(groups)
                groups.append(pyvrp.ClientGroup(required=False))
            if several:
                groups[of_stop[index]].add_client(at)
            first, last = self.table.windows(index)[number]
            # A window that is over before anybody starts: no shift reaches so far, and no empty window is taken.
            never = last < max(first, 0)
            clients.append(
                pyvrp.Client(
                    location=2 * len(self.kinds) + self.at[index],
                    delivery=[stop.counts_as] if limited else [],
                    service_duration=stop.service_s,
                    tw_early=NEVER_S if never else max(first, 0),
                    tw_late=NEVER_S if never else last,
                    prize=prize_of(stop),
                    required=False,
                    group=of_stop[index] if several else None,
                )
            )
        return clients, groups

    def _vehicles(self, number: int, kind: Kind, profile: int) -> pyvrp.VehicleType:
        day = self.problem.agents[kind.agents[0]]
        ends = max(self.table.not_after(day.ends_at), kind.free_at)
        limited = any(agent.most_stops is not None for agent in self.problem.agents)
        limit = NO_LIMIT if day.most_stops is None else max(0, day.most_stops - kind.done)
        lunch = 0 if day.lunch is None or day.ends_at <= day.lunch.latest else day.lunch.duration_s
        return pyvrp.VehicleType(
            num_available=len(kind.agents),
            capacity=[limit] if limited else [],
            start_depot=number,
            end_depot=len(self.kinds) + number,
            tw_early=kind.free_at,
            tw_late=ends,
            shift_duration=max(0, ends - kind.free_at - lunch),
            profile=profile,
        )
