"""Processor seconds of other processes while something is measured: whose limit a figure is."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")


def family(first: int) -> set[int]:
    """A process and all that descend from it, as they run now."""
    parents = {pid: fields[1] for pid, fields in _processes()}
    found, size = {first}, 0
    while len(found) > size:
        size = len(found)
        found |= {pid for pid, parent in parents.items() if int(parent) in found}
    return found


def parent_of(pid: int) -> int:
    return int(dict(_processes())[pid][1])


def seconds_of(first: int) -> float:
    """User and system time so far, of the process and of what descends from it, also of what has ended, in steps of
    10 ms."""
    members = family(first)  # what has ended counts as its parent's `cutime` and `cstime`
    return sum(sum(map(int, fields[11:15])) for pid, fields in _processes() if pid in members) / TICKS_PER_SECOND


@contextmanager
def spent(first: int) -> Iterator[Callable[[], float]]:
    """Processor seconds of the block, to be read after it."""
    before, after = seconds_of(first), 0.0
    yield lambda: after - before
    after = seconds_of(first)


def _processes() -> Iterator[tuple[int, list[str]]]:
    """Each process with the fields of proc_pid_stat(5) from the third, its state, on."""
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            text = path.read_text()
        except OSError:  # it ended meanwhile
            continue
        yield int(path.parent.name), text.rpartition(")")[2].split()
