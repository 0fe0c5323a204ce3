"""What one picture costs the sandbox, as its zygote tells of each process.

A process counts as its own peak what its parent held when it was copied; a zygote holds decoders alone. It is started
by a process that is small itself: `lean()`.
"""

from __future__ import annotations

import multiprocessing
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass

from media.sandbox.run import Renditions, Sandbox, Undevelopable


@dataclass(frozen=True)
class Cost:
    cpu_s: float
    wall_s: float
    peak_bytes: int  # both zero for one that had to be ended


SANDBOX = Sandbox()
"""Kept from picture to picture, as a worker does."""


def lean() -> ProcessPoolExecutor:
    """One process, started anew and not copied."""
    return ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn"))


def measured(picture: bytes) -> tuple[Renditions | str, Cost]:
    """Renditions, or the code of the refusal. Whatever else the sandbox lets escape is raised."""
    started = time.monotonic()
    try:
        became: Renditions | str = SANDBOX.develop(picture)
    except Undevelopable as refusal:
        became = refusal.reason
    wall_s, used = time.monotonic() - started, SANDBOX.used
    return became, Cost(used.cpu_s if used else 0.0, wall_s, used.peak_bytes if used else 0)
