"""Processes that search for routes know nothing of ours, go with whoever started them, and may be killed at any time."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from routing_days import agent, near, problem, stop

from field_api.adapters.solver_pool import SolverLost, SolverPool
from field_api.adapters.solver_pyvrp import PyVrpSolver
from field_api.adapters.solver_worker import CPU_S, MEMORY_BYTES
from field_api.domain.routing import RoutingProblem

QUICK = PyVrpSolver(iterations=25)
LONG = PyVrpSolver(iterations=10**9, without_improvement=10**9, at_most_s=500)
WAIT_S = 60.0
MODULE = b"field_api.adapters.solver_worker"


def days(count: int = 3) -> list[RoutingProblem]:
    return [problem([agent(), agent()], [stop(near(500 * n + m)) for n in range(3)]) for m in range(count)]


def workers_of(parent: int) -> list[int]:
    found = []
    for path in Path("/proc").glob("[0-9]*"):
        with suppress(OSError, IndexError):
            starter = int((path / "stat").read_text().rpartition(")")[2].split()[1])
            if starter == parent and MODULE in (path / "cmdline").read_bytes():
                found.append(int(path.name))
    return found


def wait_for_workers(parent: int) -> list[int]:
    until = time.monotonic() + WAIT_S
    while time.monotonic() < until:
        if found := workers_of(parent):
            return found
        time.sleep(0.01)
    raise AssertionError("no worker was started")


@contextmanager
def killing(most: int) -> Iterator[list[int]]:
    """Kill workers as soon as they are seen, that many of them."""
    killed: list[int] = []
    over = threading.Event()

    def hunt() -> None:
        while not over.is_set() and len(killed) < most:
            for worker in workers_of(os.getpid()):
                if worker not in killed and len(killed) < most:
                    os.kill(worker, signal.SIGKILL)
                    killed.append(worker)

    hunter = threading.Thread(target=hunt)
    hunter.start()
    try:
        yield killed
    finally:
        over.set()
        hunter.join()


def test_a_killed_worker_costs_time_and_nothing_else() -> None:
    alone = QUICK.solve_all(days(), seed=3)
    told: list[int] = []
    with killing(1) as killed:
        found = SolverPool(QUICK, 2).solve_all(days(), seed=3, count=told.append)
    assert len(killed) == 1
    assert [answer.routes for answer in found] == [answer.routes for answer in alone]
    assert told == [1, 2, 3]
    assert workers_of(os.getpid()) == []


def test_a_problem_that_ends_every_worker_is_an_error_and_no_endless_loop() -> None:
    with killing(100) as killed, pytest.raises(SolverLost) as lost:
        SolverPool(LONG, 2).solve_all(days(), seed=3)
    assert lost.value.code == "unavailable" and killed
    assert workers_of(os.getpid()) == []


def test_what_fails_in_a_worker_is_told_by_its_kind_alone() -> None:
    with pytest.raises(RuntimeError, match=r"failed in its process: ValueError$"):
        SolverPool(PyVrpSolver(iterations=-1), 2).solve_all(days(), seed=3)


PARENT = """
from routing_days import agent, near, problem, stop
from field_api.adapters.solver_pool import SolverPool
from field_api.adapters.solver_pyvrp import PyVrpSolver
long = PyVrpSolver(iterations=10**9, without_improvement=10**9, at_most_s=500)
day = problem([agent(1), agent(1)], [stop(near(500 * n)) for n in range(40)])
SolverPool(long, 2).solve_all([day] * 3, seed=1)
"""


def test_a_worker_is_told_no_secret_is_bounded_and_dies_with_its_parent() -> None:
    secret = "postgresql://doorstep_owner:hunter2@db/doorstep"
    environment = os.environ | {"DATABASE_URL": secret, "PYTHONPATH": str(Path(__file__).parent)}
    parent = subprocess.Popen([sys.executable, "-c", PARENT], env=environment, cwd=Path(__file__).parents[2])
    try:
        first = wait_for_workers(parent.pid)[0]
        _wait_until(lambda: f"{MEMORY_BYTES}" in Path(f"/proc/{first}/limits").read_text())
        _wait_until(lambda: _cpu_limit(first) >= CPU_S)  # its search has begun
        told = Path(f"/proc/{first}/environ").read_bytes() + Path(f"/proc/{first}/cmdline").read_bytes()
        assert b"DATABASE" not in told and b"hunter2" not in told and b"DOORSTEP" not in told
        assert len(list(Path(f"/proc/{first}/fd").iterdir())) <= 4, "its socket, twice, and two that go nowhere"
        both = workers_of(parent.pid)
    finally:
        parent.kill()
        parent.wait()
    for worker in both:
        _wait_until(lambda worker=worker: not _runs(worker))


def _cpu_limit(pid: int) -> int:
    line = next(line for line in Path(f"/proc/{pid}/limits").read_text().splitlines() if line.startswith("Max cpu"))
    soft = line.split()[3]
    return 0 if soft == "unlimited" else int(soft)


def _runs(pid: int) -> bool:
    try:
        return MODULE in Path(f"/proc/{pid}/cmdline").read_bytes()  # a zombie's is empty
    except OSError:
        return False


def _wait_until(condition) -> None:
    until = time.monotonic() + WAIT_S
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.02)
