"""A day of thousands of stops by clusters, in two processes: prize less travel, seconds by the clock, memory."""

from __future__ import annotations

import resource
import time
from collections.abc import Sequence

from bench.figures import say
from field_api.adapters.solver_pool import SolverPool
from field_api.adapters.solver_pyvrp import PyVrpSolver
from field_api.adapters.travel_great_circle import GreatCircleTravel
from field_api.domain.routing import AgentDay, StopWish, prize_of
from field_api.usecases.solve_day import ROUNDS, solve_wishes

PROCESSES = 2
SHARE = 0.8
"""Of the seconds, for the searches; the rest is for cutting, matrices and processes."""


def ours_large(agents: Sequence[AgentDay], stops: Sequence[StopWish], seed: int, seconds: float) -> int:
    """Ended by time, as the peers are: each part gets its share of the processors' seconds."""
    parts = ROUNDS * max(1, len(agents) / 4.5)
    solver = PyVrpSolver(10**9, 10**9, SHARE * seconds * PROCESSES / parts)
    began = time.monotonic()
    solved = solve_wishes(agents, stops, solver=SolverPool(solver, PROCESSES), travel=GreatCircleTravel(), seed=seed)
    took = time.monotonic() - began
    placed = [entry.stop for route in solved.routes for entry in route.stops]
    value = sum(prize_of(stops[index]) for index in placed) - sum(route.travel_s for route in solved.routes)
    worker = resource.getrusage(resource.RUSAGE_CHILDREN)
    name = f"{len(stops)}x{len(agents)} seed {seed} ours, clusters"
    say(name, f"{value:12,d}  {len(placed)} stops {took:7.1f} s by the clock")
    say(
        "largest worker",
        f"{worker.ru_maxrss / 1024:.0f} MB; processor {worker.ru_utime + worker.ru_stime:.0f} s so far",
    )
    return value
