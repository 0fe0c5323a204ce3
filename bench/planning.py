"""How good routes are, and how long they take, beside other engines on the same input.

    .venv/bin/python -m bench.planning tsplib|solomon|day [--seconds S] [--seeds N] [--only CASE] [--size STOPSxAGENTS]
        [--large] [--peers NAME...]

Figures are medians over seeds; seconds are processor seconds of one thread (VROOM and OR-Tools end by the clock). Gaps
are in percent above the best known value; on days, prizes less seconds of travel, in percent below the best of the run.
"""

from __future__ import annotations

import argparse
import os
import statistics
import time
from collections.abc import Callable
from dataclasses import replace

from bench.figures import say
from bench.planning_days import real_day, whole
from bench.planning_instances import SOLOMON_SCALE, best_known, solomon, tsplib
from bench.planning_large import ours_large
from bench.planning_peers import Peer, installed
from field_api.adapters.solver_pyvrp import THOROUGH, PyVrpSolver
from field_api.domain.mending import mended
from field_api.domain.route_checks import broken_promises
from field_api.domain.routing import RoutingAnswer, RoutingProblem, worth

Engine = Callable[[RoutingProblem, int, float], RoutingAnswer]

UNBOUNDED = 10**9
LONG_S = 10.0
"""From here on as for a dispatcher who waits: several searches, with PyVRP's own history."""
FULL_MATRIX_AT_MOST = 6_000
"""Stops for which peers get their matrix: it takes 600 MB."""


def ours(problem: RoutingProblem, seed: int, seconds: float) -> RoutingAnswer:
    solver = THOROUGH if seconds >= LONG_S else PyVrpSolver()
    solver = replace(solver, iterations=UNBOUNDED, without_improvement=UNBOUNDED, at_most_s=seconds)
    answer = solver.solve(problem, seed=seed)
    if broken := broken_promises(problem, answer):
        raise RuntimeError(f"broken: {broken}")
    return answer


def of_peer(peer: Peer) -> Engine:
    return lambda problem, seed, seconds: mended(problem, peer(problem, seed, seconds))


def measure(solve: Engine, problem: RoutingProblem, seed: int, seconds: float) -> tuple[RoutingAnswer, float]:
    """The answer, and processor seconds of this process."""
    began = time.process_time()
    return solve(problem, seed, seconds), time.process_time() - began


def instances(kind: str, arguments: argparse.Namespace) -> None:
    """A line for each case and engine: median gap and seconds; a mean over the cases at the end."""
    read = tsplib if kind == "tsplib" else solomon
    means: dict[str, list[float]] = {}
    for name, best in best_known(kind).items():
        if arguments.only not in (None, name):
            continue
        problem = read(name)
        for engine, solve in engines(arguments).items():
            gaps, took = [], []
            for seed in range(arguments.seeds):
                answer, seconds = measure(solve, problem, seed, arguments.seconds)
                gaps.append(gap_of(kind, best, answer))
                took.append(seconds)
            means.setdefault(engine, []).append(statistics.median(gaps))
            say(f"{name} {engine}", f"{statistics.median(gaps):7.3f} % {statistics.median(took):6.2f} s")
    for engine, found in means.items():
        say(f"mean of {kind}, {engine}", f"{statistics.fmean(found):7.3f} %")


def gap_of(kind: str, best: float, answer: RoutingAnswer) -> float:
    """Percent above the best known; infinite where a stop has no place."""
    scale = 1 if kind == "tsplib" else SOLOMON_SCALE
    travel = sum(route.travel_s for route in answer.routes) / scale
    return float("inf") if answer.left_out else 100 * (travel / best - 1)


def engines(arguments: argparse.Namespace) -> dict[str, Engine]:
    peers = {
        name: of_peer(peer) for name, peer in installed().items() if arguments.peers is None or name in arguments.peers
    }
    return {"ours": ours, **peers}


def days(arguments: argparse.Namespace) -> None:
    """Prize less travel of each engine, by seed, then the median shortfall from the best of the run."""
    stops, agents = (int(number) for number in arguments.size.split("x"))
    short: dict[str, list[float]] = {}
    for seed in range(arguments.seeds):
        day = real_day(stops, agents, seed=seed)
        found: dict[str, float] = {}
        if arguments.large:  # before the matrix is there: a process that starts is as large as who starts it
            found["ours, clusters"], _ = ours_large(*day, seed, arguments.seconds)
        problem = whole(*day) if stops <= FULL_MATRIX_AT_MOST else None
        for name, solve in engines(arguments).items():
            if problem is None or (arguments.large and name == "ours"):
                continue
            answer, seconds = measure(solve, problem, seed, arguments.seconds)
            found[name] = worth(problem, answer)
            visits = sum(len(route.stops) for route in answer.routes)
            say(f"{arguments.size} seed {seed} {name}", f"{found[name]:12,d}  {visits} stops {seconds:7.1f} s")
        for name, value in found.items():
            short.setdefault(name, []).append(100 * (1 - value / max(found.values())))
    for name, values in short.items():
        say(f"{arguments.size} {name}", f"{statistics.median(values):7.3f} % below the best of the run")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("kind", choices=["tsplib", "solomon", "day"])
    parser.add_argument("--seconds", type=float, default=1.0)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--only")
    parser.add_argument("--size", default="60x1")
    parser.add_argument("--peers", nargs="*", help="names of those to run; all that are installed without it")
    parser.add_argument("--large", action="store_true", help="ours by clusters, in two processes")
    arguments = parser.parse_args()
    say("load of the machine", " ".join(f"{load:.1f}" for load in os.getloadavg()))
    if arguments.kind == "day":
        days(arguments)
    else:
        instances(arguments.kind, arguments)


if __name__ == "__main__":
    main()
