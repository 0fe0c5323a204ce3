"""What one picture costs the sandbox, measured from a process that is small itself.

A process counts as its own peak what its parent held when it was started: asked from the test's process, which has just
made pictures of 50 megapixels, the figures would be the test's. So `lean()` gives a process that holds nothing.
"""

from __future__ import annotations

import multiprocessing
import resource
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass

from media.sandbox.run import Renditions, Undevelopable, develop_in_sandbox


@dataclass(frozen=True)
class Cost:
    cpu_s: float
    wall_s: float
    peak_bytes: int  # of the hungriest picture yet


def lean() -> ProcessPoolExecutor:
    """One process, started anew and not copied."""
    return ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn"))


def measured(picture: bytes) -> tuple[Renditions | str, Cost]:
    """Renditions, or the code of the refusal. Whatever else the sandbox lets escape is raised."""
    before, started = _children(), time.monotonic()
    try:
        became: Renditions | str = develop_in_sandbox(picture)
    except Undevelopable as refusal:
        became = refusal.reason
    wall_s, after = time.monotonic() - started, _children()
    cpu_s = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return became, Cost(cpu_s, wall_s, after.ru_maxrss * 1024)


def _children() -> resource.struct_rusage:
    return resource.getrusage(resource.RUSAGE_CHILDREN)
