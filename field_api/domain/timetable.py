"""When an agent is where, for a given order of stops; or that the order cannot be kept.

Going on as early as possible is never worse where a leg takes as long at any time of day: whoever waits for a window
can do so at its door. Lunch is taken where it brings the agent home earliest.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from math import ceil, floor

from field_api.domain.routing import PlacedRoute, PlacedStop, RoutingProblem, may_visit


class Timetable:
    """Answers for one problem; times inside are whole seconds after the first shift's begin."""

    def __init__(self, problem: RoutingProblem) -> None:
        self.problem = problem
        facts = [stop.done.begins_at for stop in problem.stops if stop.done is not None]
        self.epoch: datetime = min([*(agent.starts_at for agent in problem.agents), *facts])
        self._travel_s = problem.legs.travel_s
        done = sorted((s.done.begins_at, i, s.done.agent) for i, s in enumerate(problem.stops) if s.done is not None)
        self._done = {agent: tuple(i for _, i, whose in done if whose == agent) for _, _, agent in done}
        # The last moment to begin, not to end: a visit must be over when the contact hours are.
        self._windows = [
            [(self.not_before(opens), self.not_after(closes) - stop.service_s) for opens, closes in stop.windows]
            for stop in problem.stops
        ]

    def not_before(self, moment: datetime) -> int:
        return ceil((moment - self.epoch).total_seconds())

    def not_after(self, moment: datetime) -> int:
        return floor((moment - self.epoch).total_seconds())

    def windows(self, stop: int) -> list[tuple[int, int]]:
        """First and last second at which the visit may begin, of each window; the last may lie before the first."""
        return self._windows[stop]

    def done_by(self, agent: int) -> tuple[int, ...]:
        """The stops that the agent has been at, in order."""
        return self._done.get(agent, ())

    def route(self, agent: int, order: Sequence[int]) -> PlacedRoute | None:
        """The route over `order`, which begins with `done_by(agent)`; None where it breaks what must be kept."""
        problem, day = self.problem, self.problem.agents[agent]
        done = self.done_by(agent)
        new = [index for index in order if problem.stops[index].done is None]
        if tuple(order[: len(done)]) != done or len(done) + len(new) != len(order):
            return None
        if new and not all(may_visit(day, agent, problem.stops[index]) for index in new):
            return None
        if new and day.most_stops is not None and sum(problem.stops[i].counts_as for i in order) > day.most_stops:
            return None
        if any(
            (pin := problem.stops[index].position) is not None and position != min(pin, len(order))
            for position, index in enumerate(order, start=1)
            if problem.stops[index].done is None
        ):
            return None
        found = self._times(agent, order, None)
        if found is None:
            return None
        if day.lunch is not None and found[1] > self.not_after(day.lunch.latest):
            options = [self._times(agent, order, before) for before in range(len(order) + 1)]
            found = min(
                (option for option in options if option is not None), key=lambda option: option[1], default=None
            )
            if found is None:
                return None
        begins, home, lunch_at = found
        return self.placed(agent, order, begins, home, lunch_at)

    def _times(
        self, agent: int, order: Sequence[int], lunch_before: int | None
    ) -> tuple[list[int], int, int | None] | None:
        problem, day = self.problem, self.problem.agents[agent]
        node, at = problem.start_node(agent), self.not_before(day.starts_at)
        begins: list[int] = []
        lunch_at: int | None = None
        for number in range(len(order) + 1):
            stop = problem.stops[order[number]] if number < len(order) else None
            if number == lunch_before and day.lunch is not None:
                if stop is not None and stop.done is not None:
                    return None  # the morning is over
                lunch_at = max(at, self.not_before(day.lunch.earliest))
                if lunch_at > self.not_after(day.lunch.latest):
                    return None
                at = lunch_at + day.lunch.duration_s
            if stop is None:
                break
            there = problem.stop_node(order[number])
            if stop.done is not None:
                begins.append(self.not_before(stop.done.begins_at))
                at = self.not_before(stop.done.ends_at)
            else:
                arrives = at + int(self._travel_s[node, there])
                found = [
                    max(arrives, first) for first, last in self._windows[order[number]] if max(arrives, first) <= last
                ]
                if not found:
                    return None
                begins.append(min(found))
                at = begins[-1] + stop.service_s
            node = there
        home = at + int(self._travel_s[node, problem.end_node(agent)])
        over = home > self.not_after(day.ends_at)
        if over and any(problem.stops[index].done is None for index in order):
            return None
        return begins, home, lunch_at

    def placed(
        self, agent: int, order: Sequence[int], begins: Sequence[int], home: int, lunch_at: int | None
    ) -> PlacedRoute:
        """The route with these times, in seconds after `epoch`: when each visit begins, when the agent is home."""
        problem = self.problem
        nodes = [problem.start_node(agent), *(problem.stop_node(index) for index in order), problem.end_node(agent)]
        starts = self.not_before(problem.agents[agent].starts_at)
        if order and problem.stops[order[0]].done is not None:
            starts = min(starts, begins[0])
        elif order:
            # Nobody leaves early only to wait at the first door; a lunch before it is taken at the start.
            leaves = begins[0] - int(self._travel_s[nodes[0], nodes[1]])
            starts = max(starts, leaves if lunch_at is None else min(leaves, lunch_at))
        return PlacedRoute(
            agent=agent,
            starts_at=self.moment(starts),
            ends_at=self.moment(home),
            distance_m=int(problem.legs.distance_m[nodes[:-1], nodes[1:]].sum()),
            travel_s=int(self._travel_s[nodes[:-1], nodes[1:]].sum()),
            stops=tuple(PlacedStop(index, self.moment(at)) for index, at in zip(order, begins, strict=True)),
            lunch_at=None if lunch_at is None else self.moment(lunch_at),
        )

    def moment(self, seconds: int) -> datetime:
        return self.epoch + timedelta(seconds=seconds)
