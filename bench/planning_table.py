"""The figures that planning has to keep, a line each, with what is wanted and whether it was kept.

    .venv/bin/python -m bench.planning_table LINE [--seeds N] [--peer-seeds N]
    .venv/bin/python -m bench.planning_table --list

Medians over seeds. Small lines use one processor, so that two of them run side by side; large days use two.
"""

from __future__ import annotations

import argparse
import os
import statistics
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from bench.figures import say, timed
from bench.planning import FULL_MATRIX_AT_MOST, Engine, gap_of, measure, of_peer, ours
from bench.planning_days import real_day, whole
from bench.planning_instances import best_known, solomon, tsplib
from bench.planning_large import WORKER_MB, ours_large
from bench.planning_peers import installed
from field_api.domain.routing import worth
from field_api.domain.territories import MOST_STOPS as CLUSTERS_ABOVE

MOST_STOPS = {"OR-Tools": 1_500, "VROOM": 1_500, "plain PyVRP": FULL_MATRIX_AT_MOST}
"""Of a peer: beyond them it passes its time limit by far, or takes more memory than a machine has. --peers asks all the
same."""


@dataclass
class Found:
    """By engine: a figure for each case and seed."""

    values: dict[str, dict[object, float]] = field(default_factory=dict)

    def add(self, engine: str, case: object, value: float) -> None:
        self.values.setdefault(engine, {})[case] = value

    def median(self, engine: str) -> float:
        return statistics.median(self.values[engine].values())


def verdict(what: str, figure: float, bound: float, unit: str, *, at_least: bool = False) -> None:
    kept = figure >= bound if at_least else figure <= bound
    sign = ">=" if at_least else "<="
    say(what, f"{figure:8.3f} {unit} (wanted {sign} {bound} {unit}) {'kept' if kept else 'NOT KEPT'}")


def engines() -> dict[str, Engine]:
    return {"ours": ours, **{name: of_peer(peer) for name, peer in installed().items()}}


def instances(kind: str, seconds: float, bound: float, *, each: bool) -> Callable[[argparse.Namespace], None]:
    """Gaps above the best known: `each` case's median within the bound, or the mean of the medians."""

    def run(arguments: argparse.Namespace) -> None:
        read = tsplib if kind == "tsplib" else solomon
        means: dict[str, list[float]] = {}
        for name, best in best_known(kind).items():
            problem, line = read(name), []
            for engine, solve in engines().items():
                seeds = arguments.seeds if engine == "ours" else arguments.peer_seeds
                if engine == "VROOM":
                    seeds = min(seeds, 1)  # it knows no seeds
                gaps = [gap_of(kind, best, measure(solve, problem, seed, seconds)[0]) for seed in range(seeds)]
                if gaps:
                    means.setdefault(engine, []).append(statistics.median(gaps))
                    line.append(f"{engine} {statistics.median(gaps):.3f} %")
            say(f"{kind} {name} in {seconds:g} s", ", ".join(line))
        for engine, found in means.items():
            say(f"mean of {kind}, {engine}", f"{statistics.fmean(found):8.3f} %, worst {max(found):.3f} %")
        figure = max(means["ours"]) if each else statistics.fmean(means["ours"])
        verdict(f"{kind} in {seconds:g} s, {'worst case' if each else 'mean'}", figure, bound, "%")

    return run


def day(size: str, seconds: float, *, below_best: float) -> Callable[[argparse.Namespace], None]:
    """Prize less travel, in percent below the best of the run."""
    stops, agents = (int(number) for number in size.split("x"))

    def run(arguments: argparse.Namespace) -> None:
        found = Found()
        for seed in range(arguments.seeds):
            peers = _peers(stops, arguments) if seed < arguments.peer_seeds else []
            values = dict(_day(stops, agents, seed, seconds, peers))
            best = max(values.values())
            for engine, value in values.items():
                found.add(engine, seed, 100 * (1 - value / best))
                if engine == "plain PyVRP":
                    found.add("ours above plain PyVRP", seed, 100 * (values["ours"] / value - 1))
        for engine in found.values:
            if engine != "ours above plain PyVRP":
                say(f"{size} in {seconds:g} s, {engine}", f"{found.median(engine):8.3f} % below the best of the run")
        verdict(f"{size} in {seconds:g} s", found.median("ours"), below_best, "% below the best")
        if "ours above plain PyVRP" in found.values and stops >= 5_000:
            verdict(f"{size} above plain PyVRP", found.median("ours above plain PyVRP"), 5.0, "%", at_least=True)

    return run


def _peers(stops: int, arguments: argparse.Namespace) -> list[str]:
    """Names of those that are asked."""
    if arguments.peers is not None:
        return [name for name in installed() if name in arguments.peers]
    return [name for name in installed() if stops <= MOST_STOPS[name]]


def _day(stops: int, agents: int, seed: int, seconds: float, peers: Sequence[str]) -> Iterator[tuple[str, float]]:
    made, large = real_day(stops, agents, seed=seed), stops > CLUSTERS_ABOVE
    if large:  # before the matrix is there: it would slow the start of processes
        with timed() as clock:
            value, worker_mb = ours_large(*made, seed, seconds)
        verdict("  by the clock", clock(), 1.1 * seconds, "s")
        verdict("  largest worker", worker_mb, WORKER_MB, "MB")
        yield "ours", value
    asked = {name: solve for name, solve in engines().items() if name in peers or (name == "ours" and not large)}
    if not asked:
        return
    problem = whole(*made)
    for name, solve in asked.items():
        answer, took = measure(solve, problem, seed, seconds)
        say(f"{stops}x{agents} seed {seed} {name}", f"{worth(problem, answer):12,d}  processor {took:6.1f} s")
        yield name, worth(problem, answer)


LINES: dict[str, Callable[[argparse.Namespace], None]] = {
    "tsplib": instances("tsplib", 1, 0.0, each=True),
    "solomon-5s": instances("solomon", 5, 0.5, each=False),
    "solomon-30s": instances("solomon", 30, 0.1, each=False),
    "60x1": day("60x1", 1, below_best=0.1),
    "300x5": day("300x5", 5, below_best=0.9),
    "1200x20": day("1200x20", 30, below_best=0.0),
    "5000x60": day("5000x60", 60, below_best=0.0),
    "20000x300": day("20000x300", 70, below_best=0.0),
}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("line", nargs="?", choices=sorted(LINES))
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--peer-seeds", type=int, help="as many as ours without it; 0: no peers")
    parser.add_argument("--peers", nargs="*", help="days: these, however long they take")
    parser.add_argument("--list", action="store_true")
    arguments = parser.parse_args()
    if arguments.peer_seeds is None:
        arguments.peer_seeds = arguments.seeds
    if arguments.list or arguments.line is None:
        say("lines", ", ".join(LINES))
        return
    say("load of the machine", " ".join(f"{load:.1f}" for load in os.getloadavg()))
    with timed() as clock:
        LINES[arguments.line](arguments)
    say("took", f"{clock():.0f} s by the clock")


if __name__ == "__main__":
    main()
