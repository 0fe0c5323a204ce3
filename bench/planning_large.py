"""A day of thousands of stops by clusters, in two processes: prize less travel, seconds by the clock, memory."""

from __future__ import annotations

import os
import resource
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from bench.figures import say
from bench.planning_days import TRAVEL
from bench.processor_time import family
from field_api.adapters.solver_pool import SolverPool
from field_api.adapters.solver_pyvrp import PyVrpSolver
from field_api.domain.clusters import AGENTS_TOGETHER
from field_api.domain.routing import AgentDay, StopWish, prize_of
from field_api.usecases.solve_day import ROUNDS, solve_wishes

PROCESSES = 2
SHARE = 0.8
"""Of the seconds, for the searches; the rest is for cutting, matrices, processes and sheets' orders."""
BESIDE_S = 0.46
"""Processor seconds that a part costs beside its search, measured: what is left of a small share."""
WORKER_MB = 150
SAMPLE_S = 0.2


def ours_large(agents: Sequence[AgentDay], stops: Sequence[StopWish], seed: int, seconds: float) -> tuple[int, float]:
    """The worth, and the largest worker's most memory in MB. Ended by time, as the peers are: each part gets its share
    of the processors' seconds."""
    share_s = seconds * PROCESSES / (ROUNDS * max(1, len(agents) / AGENTS_TOGETHER))
    solver = PyVrpSolver(10**9, 10**9, min(SHARE * share_s, share_s - BESIDE_S))
    began, used = time.monotonic(), _used_s()
    with largest_worker() as peak_mb:
        solved = solve_wishes(agents, stops, solver=SolverPool(solver, PROCESSES), travel=TRAVEL, seed=seed)
    took, spent = time.monotonic() - began, _used_s() - used
    placed = [entry.stop for route in solved.routes for entry in route.stops]
    value = sum(prize_of(stops[index]) for index in placed) - sum(route.travel_s for route in solved.routes)
    say(
        f"{len(stops)}x{len(agents)} seed {seed} ours, clusters",
        f"{value:12,d}  {len(placed)} stops {took:.1f} s, processor {spent:.1f} s, worker {peak_mb[0]:.0f} MB",
    )
    return value, peak_mb[0]


@contextmanager
def largest_worker() -> Iterator[list[float]]:
    """The most that one process of ours held in the block, this one apart, in MB. Of the process as it runs: what is
    counted when it ends holds that of the one who started it."""
    peak, over = [0.0], threading.Event()

    def watch() -> None:
        while not over.wait(SAMPLE_S):
            peak[0] = max([peak[0], *(_most_mb(pid) for pid in family(os.getpid()) - {os.getpid()})])

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield peak
    finally:
        over.set()
        watcher.join()


def _most_mb(pid: int) -> float:
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
        if b"solver_worker" not in Path(f"/proc/{pid}/cmdline").read_bytes():
            return 0.0
    except OSError:  # it ended meanwhile
        return 0.0
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM")), 0.0)


def _used_s() -> float:
    """Processor seconds of this process and of workers that have ended."""
    own, ended = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return own.ru_utime + own.ru_stime + ended.ru_utime + ended.ru_stime
