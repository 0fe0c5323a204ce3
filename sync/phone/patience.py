"""How long the phone waits when the door says "later": exponential, with jitter, never sooner than told."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from sync.phone.errors import Later

T = TypeVar("T")


@dataclass(frozen=True)
class Patience:
    """`tries` calls in all; waits grow from `first_s` to `longest_s`. Longer than `give_up_s` is the caller's."""

    tries: int = 6
    first_s: float = 0.5
    longest_s: float = 30.0
    give_up_s: float = 120.0
    sleep: Callable[[float], None] = time.sleep
    chance: Callable[[], float] = field(default=secrets.SystemRandom().random, repr=False)

    def wait_s(self, attempt: int, told_s: float) -> float:
        """Seconds to wait after attempt 0, 1, 2 …: a random share of the growing step. Where the door told a time, that
        and up to a second or a quarter more: the door gives out turns, and a phone that adds much to its own loses it.
        """
        growing_s = min(self.longest_s, self.first_s * 2.0**attempt)
        return told_s + self.chance() * (max(1.0, told_s / 4) if told_s else growing_s)

    def insist(self, call: Callable[[], T]) -> T:
        """The result of `call`, tried again for as long as it raises Later. Raises the last Later."""
        for attempt in range(self.tries - 1):
            try:
                return call()
            except Later as later:
                wait_s = self.wait_s(attempt, later.after_s)
                if wait_s > self.give_up_s:
                    raise
            self.sleep(wait_s)
        return call()
