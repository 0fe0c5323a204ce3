"""What the door does when more comes than it can do: each kind of call has slots of its own, and whoever finds none
free is told at once when to come again.

Slots are counted for each process. They add up to one less than its threads, so that a thread is always free to refuse,
and a kind that floods the door takes nothing from another. Refused callers get turns: each the next moment at which,
as calls of its kind go now, somebody can be served. So a crowd that came together comes back one after the other.
"""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from math import ceil

from flask import Flask, g

from field_api.platform.problems import Problem


class Load(StrEnum):
    """Kinds of calls, what matters most first."""

    OPS = "ops"  # what agents recorded: nothing may keep it waiting
    PULLS = "pulls"
    SMALL = "small"  # anchors, enrolments, returning phones: short, and the way to everything else
    SNAPSHOTS = "snapshots"
    PHOTOS = "photos"
    HEALTH = "health"  # of whoever watches the process: never refused


SLOTS = {Load.OPS: 6, Load.SMALL: 4, Load.PULLS: 3, Load.PHOTOS: 2, Load.SNAPSHOTS: 1}
"""Calls in hand at once. Python serves with one core, so these are shares of it as well: six to two against
photographs. One snapshot, since each holds some megabytes. Together as many as the database's pool
has connections."""
THREADS = sum(SLOTS.values()) + 1

LONGEST_TURN_S = 24.0  # measured in turns; jitter comes on top
LONGEST_RETRY_S = 30
FIRST_GUESS_S = 0.02  # of a call's length, until some were measured
WEIGHT = 0.1  # of the newest call in the running mean

_CHANCE = secrets.SystemRandom()


def later_s(least: int, most: int) -> str:
    """A `Retry-After` between the two, in whole seconds: never the same for everybody."""
    return str(_CHANCE.randint(least, most))


@dataclass
class _Lane:
    slots: int
    in_hand: int = 0
    call_s: float = FIRST_GUESS_S
    next_turn: float = 0.0


@dataclass
class Lanes:
    """The slots of one process. `now` is a monotonic clock in seconds, `chance` a number from 0 up to 1; `told` hears
    of every slot that is taken (1) or given back (-1)."""

    slots: dict[Load, int] = field(default_factory=lambda: dict(SLOTS))
    now: Callable[[], float] = time.monotonic
    chance: Callable[[], float] = _CHANCE.random
    told: Callable[[Load, int], None] = lambda _load, _by: None

    def __post_init__(self) -> None:
        self._lanes = {load: _Lane(slots) for load, slots in self.slots.items()}
        self._lock = threading.Lock()

    def enter(self, load: Load) -> int | None:
        """Take a slot: None. Or, where none is free, in how many whole seconds to come again: 1 to 30."""
        with self._lock:
            lane = self._lanes[load]
            if lane.in_hand < lane.slots:
                lane.in_hand += 1
                self.told(load, 1)
                return None
            return self._turn(lane)

    def leave(self, load: Load, seconds: float) -> None:
        """Give the slot back after a call that took so long."""
        with self._lock:
            lane = self._lanes[load]
            lane.in_hand -= 1
            self.told(load, -1)
            lane.call_s += WEIGHT * (seconds - lane.call_s)

    def in_hand(self, load: Load) -> int:
        return self._lanes[load].in_hand

    def _turn(self, lane: _Lane) -> int:
        """The next free turn, a share of the wait as jitter on top. Beyond the horizon all get its end: whoever comes
        back then and finds no slot asks again, which costs less than a phone that waits for minutes."""
        now = self.now()
        lane.next_turn = max(lane.next_turn, now) + lane.call_s / lane.slots
        lane.next_turn = min(lane.next_turn, now + LONGEST_TURN_S)
        wait = ceil(lane.next_turn - now)
        return min(LONGEST_RETRY_S, wait + int(self.chance() * (1 + wait / 4)))


def install_lanes(app: Flask, load_of_request: Callable[[], Load], lanes: Lanes) -> None:
    """Let calls in through `lanes`, before anything of them is looked at but the route and the limits per minute."""
    app.extensions["doorstep.lanes"] = lanes

    @app.before_request
    def enter() -> None:
        load = load_of_request()
        if load is Load.HEALTH:
            return
        retry_s = lanes.enter(load)
        if retry_s is not None:
            headers = {"Retry-After": str(retry_s)}
            raise Problem("unavailable", "more calls of this kind than can be served", headers=headers)
        g.lane = load, time.monotonic()

    @app.teardown_request
    def leave(_error: BaseException | None) -> None:
        taken = g.pop("lane", None)
        if taken is not None:
            load, began = taken
            lanes.leave(load, time.monotonic() - began)


def told_later(least_s: int, most_s: int) -> Problem:
    """503: something that everybody needs is away; each is told another moment."""
    return Problem("unavailable", headers={"Retry-After": later_s(least_s, most_s)})
