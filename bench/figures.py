"""How benches say what they measured."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager


def say(what: str, figure: str) -> None:
    sys.stdout.write(f"{what:34} {figure}\n")
    sys.stdout.flush()


@contextmanager
def timed() -> Iterator[Callable[[], float]]:
    """Seconds of the block, to be read after it."""
    began, ended = time.perf_counter(), 0.0
    yield lambda: ended - began
    ended = time.perf_counter()
