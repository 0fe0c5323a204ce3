"""What it costs to change a day that agents are out on: a told stop at another agent's, or at another time.

Costs are seconds of driving that a change must save, or a stop that it must keep on a route, to be worth it. They are
the same for every debt, so that what is owed shows in no order.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True)
class Weights:
    """Product defaults: a quarter of an hour of driving to give a stop to somebody else, five minutes to change an
    announced time (see RETIMED_BY); and where its letter is in the first agent's bag, more than any detour costs, so
    that it moves only where it would be visited by nobody otherwise."""

    move_s: int = 900
    retime_s: int = 300
    letter_s: int = 86_400


RETIMED_BY = ((timedelta(hours=1), 1), (timedelta(hours=3), 2))
"""How often `retime_s` counts where a stop begins no more than that outside of its told time; FAR_OFF further away."""
FAR_OFF = 4


@dataclass(frozen=True)
class Told:
    """What phones know of a stop: whose it is and when it begins, first and last moment included.

    `agent` is an index into the problem's agents; -1 for somebody who takes no stop any more, so that anybody else is
    as good as the next. Costs are seconds.
    """

    agent: int
    arrives_from: datetime
    arrives_to: datetime
    move_s: int = 0
    retime_s: int = 0

    def moved(self, agent: int) -> bool:
        return agent != self.agent

    def retimed(self, begins_at: datetime) -> bool:
        return not self.arrives_from <= begins_at <= self.arrives_to

    def cost_s(self, agent: int, begins_at: datetime) -> int:
        """Of the stop being this agent's, begun at that moment. Who takes it over was told no time."""
        if self.moved(agent):
            return self.move_s
        off = max(self.arrives_from - begins_at, begins_at - self.arrives_to)
        if off <= timedelta(0):
            return 0
        times = next((times for within, times in RETIMED_BY if off <= within), FAR_OFF)
        return self.retime_s * times


@dataclass(frozen=True)
class Disturbance:
    """How far an answer is from what was told. `dropped` are told stops on no route."""

    moved: int
    retimed: int
    dropped: int
    cost_s: int  # of what was moved and retimed; what a dropped stop costs is its prize

    @property
    def stops(self) -> int:
        return self.moved + self.retimed + self.dropped


Placed = tuple[int, datetime]
"""Whose a stop is, and when it begins."""


def disturbance(before: Iterable[Told | None], after: Iterable[Placed | None]) -> Disturbance:
    """Of stops in the same order: what was told of each, and where it is now; None for nothing told, and on no route.
    A stop that changes hands is moved and not retimed as well: its new agent was told no time."""
    moved = retimed = dropped = cost_s = 0
    for told, now in zip(before, after, strict=True):
        if told is None:
            continue
        if now is None:
            dropped += 1
            continue
        moved += told.moved(now[0])
        retimed += told.retimed(now[1]) and not told.moved(now[0])
        cost_s += told.cost_s(*now)
    return Disturbance(moved, retimed, dropped, cost_s)
