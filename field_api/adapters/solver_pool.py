"""A solver in processes of its own: parts of a large day at the same time, one on each processor.

Processes are started anew (not forked: a served office has threads and connections), know nothing but coordinates and
times, and end with the call or with whoever made it. One that is killed, by the kernel for its memory or by hand, has
its problem solved in another; where that ends too, or does not answer in time, the call fails and says so.
"""

from __future__ import annotations

import os
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from subprocess import DEVNULL
from typing import TYPE_CHECKING

from field_api.domain.ports import Count, Solver, uncounted
from field_api.domain.routing import RoutingAnswer, RoutingProblem, Watch, unwatched
from field_api.platform.problems import Problem

if TYPE_CHECKING:
    from field_api.adapters.solver_worker import Job

COMMAND = (sys.executable, "-I", "-m", "field_api.adapters.solver_worker")
ENVIRONMENT = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
"""Nothing of ours. A library's threads would be memory and no help: each worker has one processor."""
WORTH_A_PROCESS = 3
"""Problems for which a second to start processes is well spent."""
ANSWER_S = 900.0
"""For one problem, by the clock: a search is bounded by processor time, and this machine may be busy with others."""
TAKE_S = 120
"""Until a process reads what it is sent: its start, on a busy machine."""
END_S = 5.0
TRIES = 2


class SolverLost(Problem):
    """`unavailable`: this machine's trouble, not the day's. Nothing was planned."""

    def __init__(self) -> None:
        super().__init__("unavailable", "processes that search for routes end or do not answer: nothing was planned")


@dataclass(frozen=True)
class SolverPool:
    """Keeps the promise of field_api.domain.ports.Solver with another solver's answers."""

    solver: Solver
    processes: int = 0  # 0: as many as there are processors for us

    @property
    def name(self) -> str:
        return self.solver.name

    def solve(self, problem: RoutingProblem, *, seed: int, watch: Watch = unwatched) -> RoutingAnswer:
        return self.solver.solve(problem, seed=seed, watch=watch)

    def solve_all(
        self, problems: Sequence[RoutingProblem], *, seed: int, count: Count = uncounted, draft: bool = False
    ) -> list[RoutingAnswer]:
        """Raises SolverLost where a problem ends two processes, or none answers."""
        processes = min(self.processes or len(os.sched_getaffinity(0)), len(problems))
        if processes < 2 or len(problems) < WORTH_A_PROCESS:
            return self.solver.solve_all(problems, seed=seed, count=count, draft=draft)
        with ExitStack() as ends:
            return _Run(self.solver, seed, draft, problems, count, ends).all(processes)


class Worker:
    """One process and the problem that it works on."""

    def __init__(self) -> None:
        ours, theirs = socket.socketpair()
        for option in (socket.SO_SNDTIMEO, socket.SO_RCVTIMEO):
            ours.setsockopt(socket.SOL_SOCKET, option, struct.pack("@ll", TAKE_S, 0))
        with theirs:
            # Its words go nowhere: a library's complaint is no log line of ours.
            self.process = subprocess.Popen(
                COMMAND, stdin=theirs.fileno(), stdout=DEVNULL, stderr=DEVNULL, env=ENVIRONMENT, cwd="/"
            )
        self.connection = Connection(ours.detach())
        self.number = -1
        self.until = 0.0

    def take(self, number: int, job: Job) -> None:
        """Raises OSError where it has ended, or does not take what it is sent."""
        self.number, self.until = number, time.monotonic() + ANSWER_S
        self.connection.send(job)

    def close(self) -> None:
        """It ends by itself when nobody can send any more; one that is stopped or stuck is killed."""
        self.connection.close()
        try:
            self.process.wait(END_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


@dataclass
class _Run:
    solver: Solver
    seed: int
    draft: bool
    problems: Sequence[RoutingProblem]
    count: Count
    ends: ExitStack
    answers: dict[int, RoutingAnswer] = field(default_factory=dict)
    tries: dict[int, int] = field(default_factory=dict)
    busy: dict[Connection, Worker] = field(default_factory=dict)

    def all(self, processes: int) -> list[RoutingAnswer]:
        # The largest first: nobody waits for it alone at the end.
        left = sorted(range(len(self.problems)), key=lambda at: len(self.problems[at].stops))
        for _ in range(processes):
            self._give(left.pop(), None)
        while self.busy:
            for worker in self._heard():
                del self.busy[worker.connection]
                number = worker.number
                if self._answered(worker):
                    self.count(len(self.answers))
                    if left:
                        self._give(left.pop(), worker)
                else:
                    self._give(number, None)
        return [self.answers[number] for number in range(len(self.problems))]

    def _give(self, number: int, worker: Worker | None) -> None:
        """To the worker, or to a new one where there is none or where it died meanwhile."""
        while True:
            self.tries[number] = self.tries.get(number, 0) + 1
            if self.tries[number] > TRIES:
                raise SolverLost
            try:
                if worker is None:
                    worker = Worker()
                    self.ends.callback(worker.close)
                worker.take(number, (self.solver, self.seed, self.draft, self.problems[number]))
            except OSError:
                worker = None
                continue
            self.busy[worker.connection] = worker
            return

    def _heard(self) -> list[Worker]:
        """Those who answered or ended."""
        first = min(worker.until for worker in self.busy.values())
        heard = [
            self.busy[one] for one in wait(list(self.busy), first - time.monotonic()) if isinstance(one, Connection)
        ]
        if not heard:
            raise SolverLost
        return heard

    def _answered(self, worker: Worker) -> bool:
        """Whether the answer is there; not, where the process ended. Raises RuntimeError with what it says failed."""
        with suppress(EOFError, OSError):
            answer = worker.connection.recv()
            if not isinstance(answer, RoutingAnswer):
                raise RuntimeError(f"{self.solver.name} failed in its process: {answer}")
            self.answers[worker.number] = answer
            return True
        return False
