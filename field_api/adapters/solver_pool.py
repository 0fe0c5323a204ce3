"""A solver in processes of its own: parts of a large day at the same time, one on each processor.

Processes are started anew (not forked: a served office has threads and connections) and end with the call.
"""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial

from field_api.domain.ports import Solver
from field_api.domain.routing import RoutingAnswer, RoutingProblem, Watch, unwatched

WORTH_A_PROCESS = 3
"""Problems for which a second to start processes is well spent."""


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

    def solve_all(self, problems: Sequence[RoutingProblem], *, seed: int) -> list[RoutingAnswer]:
        processes = min(self.processes or len(os.sched_getaffinity(0)), len(problems))
        if processes < 2 or len(problems) < WORTH_A_PROCESS:
            return self.solver.solve_all(problems, seed=seed)
        with ProcessPoolExecutor(processes, multiprocessing.get_context("spawn")) as pool:
            return list(pool.map(partial(_solve, self.solver, seed), problems))


def _solve(solver: Solver, seed: int, problem: RoutingProblem) -> RoutingAnswer:
    return solver.solve(problem, seed=seed)
