"""A process that solves routing problems: `python -I -m field_api.adapters.solver_worker`, started and bounded by its
parent (`field_api.adapters.solver_pool`).

Its standard input is a socket to the parent, who sends a solver, a seed and a problem each time and gets an answer.
It has no environment of ours, no keys, no database; memory is limited before the first problem and processor time for
each; it writes no file. It ends when the socket does: a thread waits there all the time, so that it goes with its
parent in the middle of a search, too.
"""

from __future__ import annotations

import os
import queue
import resource
import threading
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from field_api.domain.ports import Solver
    from field_api.domain.routing import RoutingProblem

    Job = tuple[Solver, int, bool, RoutingProblem]

MEMORY_BYTES = 2 * 1024**3
"""Address space, of which a search over 450 stops touches 150 MB."""
CPU_S = 600
"""For one problem; a search of a part takes some 10 s."""


def limit_memory() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def limit_time() -> None:
    """From now on; the kernel ends a process that is over."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    most = int(used.ru_utime + used.ru_stime) + CPU_S
    resource.setrlimit(resource.RLIMIT_CPU, (most, resource.RLIM_INFINITY))


def listen(parent: Connection, waiting: queue.SimpleQueue[Job]) -> None:
    """Take jobs until nobody can send any more, then end the process, whatever it is doing."""
    try:
        while True:
            waiting.put(parent.recv())
    except (EOFError, OSError):
        os._exit(0)


def main() -> None:
    limit_memory()
    parent = Connection(os.dup(0))
    waiting: queue.SimpleQueue[Job] = queue.SimpleQueue()
    threading.Thread(target=listen, args=(parent, waiting), daemon=True).start()
    while True:
        solver, seed, draft, problem = waiting.get()
        limit_time()
        try:
            answer: object = solver.solve_all([problem], seed=seed, draft=draft)[0]
        except Exception as error:  # noqa: BLE001 - whatever failed is the parent's to tell, not this process's end
            answer = type(error).__name__
        parent.send(answer)


if __name__ == "__main__":
    main()
