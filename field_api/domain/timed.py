"""What an order of stops comes to when somebody insists on it: its times, and everything that it breaks. Pure.

`field_api.domain.timetable` says only that an order cannot be kept; a dispatcher wants to know by which stop, and by
how much.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from field_api.domain.routing import AgentDay, PlacedRoute, RoutingProblem, StopWish, speaks
from field_api.domain.timetable import Timetable


class Why(StrEnum):
    """What of an order cannot be kept."""

    LATE = "late"  # the visit would be over after its contact hours, by so many seconds
    AFTER_SHIFT = "after_shift"  # the agent would be home after the shift, by so many seconds
    LANGUAGE = "language"  # the agent does not speak that of the person sought
    SKILL = "skill"
    TERRITORY = "territory"
    TOO_MANY_STOPS = "too_many_stops"  # more than the agent's day may have, by so many
    NO_LUNCH = "no_lunch"  # lunch would begin too late, by so many seconds
    NO_SHIFT = "no_shift"  # the agent has none any more: their stops can only go to others


@dataclass(frozen=True)
class Fault:
    why: Why
    stop: int | None = None  # index into the problem's stops
    by: int | None = None  # seconds; of TOO_MANY_STOPS stops


@dataclass(frozen=True)
class Timed:
    route: PlacedRoute
    faults: tuple[Fault, ...]  # empty where the order can be kept

    @property
    def badness(self) -> int:
        """Of orders that cannot be kept the one with the least is nearest to possible."""
        return sum(1_000_000 if fault.by is None else fault.by for fault in self.faults)


def timed(table: Timetable, order: Sequence[int], *, agent: int = 0) -> Timed:
    """The order's times. Where it cannot be kept, those of an agent who goes on all the same. Pins and visits that took
    place are not looked at."""
    route = table.route(agent, order)
    if route is not None:
        return Timed(route, ())
    problem, day = table.problem, table.problem.agents[agent]
    fixed = tuple(_who_and_how_many(problem, day, order))
    plain = _Walk(table, agent, order, None)
    if day.lunch is None or plain.home <= table.not_after(day.lunch.latest):
        walks = [plain]
    else:
        walks = [_Walk(table, agent, order, before) for before in range(len(order) + 1)]
    best = min(walks, key=lambda walk: (sum(fault.by or 0 for fault in walk.faults), walk.home))
    return Timed(table.placed(agent, order, best.begins, best.home, best.lunch_at), (*fixed, *best.faults))


def _who_and_how_many(problem: RoutingProblem, day: AgentDay, order: Sequence[int]) -> Iterator[Fault]:
    for index in order:
        for why in _not_for(day, problem.stops[index]):
            yield Fault(why, index)
    count = sum(problem.stops[index].counts_as for index in order)
    if day.most_stops is not None and count > day.most_stops:
        yield Fault(Why.TOO_MANY_STOPS, None, count - day.most_stops)


def _not_for(day: AgentDay, stop: StopWish) -> Iterator[Why]:
    if not speaks(day.languages, stop.language):
        yield Why.LANGUAGE
    if not stop.skills <= day.skills:
        yield Why.SKILL
    if day.territories is not None and stop.territory not in day.territories:
        yield Why.TERRITORY


class _Walk:
    """A day in that order whatever the hours say, with lunch before the stop of that number or at the end."""

    def __init__(self, table: Timetable, agent: int, order: Sequence[int], lunch_before: int | None) -> None:
        self.table, self.day = table, table.problem.agents[agent]
        self.begins: list[int] = []
        self.lunch_at: int | None = None
        self.faults: list[Fault] = []
        problem = table.problem
        node, at = problem.start_node(agent), table.not_before(self.day.starts_at)
        for number, index in enumerate(order):
            if number == lunch_before:
                at = self._lunch(at)
            there = problem.stop_node(index)
            self.begins.append(self._begin(index, at + int(problem.legs.travel_s[node, there])))
            node, at = there, self.begins[-1] + problem.stops[index].service_s
        if lunch_before == len(order):
            at = self._lunch(at)
        self.home = at + int(problem.legs.travel_s[node, problem.end_node(agent)])
        if over := max(0, self.home - table.not_after(self.day.ends_at)):
            self.faults.append(Fault(Why.AFTER_SHIFT, None, over))

    def _begin(self, index: int, arrives: int) -> int:
        """In the first window that it can lie in; else where it is least late."""
        options = [(max(0, max(arrives, first) - last), max(arrives, first)) for first, last in self._windows(index)]
        late, begins = min(options)
        if late:
            self.faults.append(Fault(Why.LATE, index, late))
        return begins

    def _windows(self, index: int) -> list[tuple[int, int]]:
        return self.table.windows(index)

    def _lunch(self, at: int) -> int:
        lunch = self.day.lunch
        if lunch is None:
            return at
        self.lunch_at = max(at, self.table.not_before(lunch.earliest))
        if late := max(0, self.lunch_at - self.table.not_after(lunch.latest)):
            self.faults.append(Fault(Why.NO_LUNCH, None, late))
        return self.lunch_at + lunch.duration_s
