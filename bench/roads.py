"""Whether a planned day can be driven: planned on one source of travel times, driven on another.

    python -m bench.roads [--towns helsinki,baltimore,liechtenstein] [--seeds 5] [--stops 150] [--agents 3]

Days are made up over real address points: half of the stops may be visited all day, the rest in the morning, about noon
or in the evening; more than fits. Each is planned on great circle x detour, on Valhalla and on OSRM, and driven on the
two engines that it was not planned on, raw, with a drawn time to park at every stop; `rush` drives it once more with
what no plan knew: a third slower at 7-10 and 17-20 o'clock, and every leg off by a drawn 15 %. A visit is late where it
is not over when its contact hours are; the overrun is how long after the shift somebody is home.
"""

from __future__ import annotations

import argparse
import random
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median

import numpy as np

from bench.roads_engines import Bench
from field_api.adapters.solver_pyvrp import PyVrpSolver
from field_api.adapters.travel_great_circle import GreatCircleTravel
from field_api.adapters.travel_roads import RoadTravel
from field_api.domain.ports import Travel
from field_api.domain.routing import NO_WAY_S, AgentDay, Legs, PlacedRoute, Point, StopWish
from field_api.usecases.solve_day import SolvedDay, solve_wishes

MORNING = datetime(2026, 11, 18, 7, tzinfo=UTC)
WINDOWS_H = ((0, 12), (0, 12), (0, 12), (0, 4), (3, 8), (7, 12))
SERVICES_S = (420, 600, 600, 900)
PRIZES_S = (1_200, 1_800, 2_700, 4_500)
PARKING_S = (20, 100)
SOLVER = PyVrpSolver(iterations=150, without_improvement=100)
Leg = Callable[[int, int, datetime], float]


@dataclass(frozen=True)
class Driven:
    """What became of a day's sheets."""

    visits: int
    late: int
    overruns: int
    worst_overrun_s: float
    slack_s: float  # that was left at the end of a shift, of the route with the least


def a_day(points: Sequence[Point], stops: int, agents: int, seed: int) -> tuple[list[AgentDay], list[StopWish]]:
    draw = random.Random(f"day {seed}")  # noqa: S311 - made-up days come from a seed
    days = []
    for place in draw.sample(points, agents):
        begins = MORNING + timedelta(hours=draw.choice((0, 0, 1, 3)))
        days.append(AgentDay(begins, begins + timedelta(hours=draw.choice((6, 8, 8))), place, place, frozenset(["es"])))
    wishes = [
        StopWish(
            place,
            MORNING + timedelta(hours=opens),
            MORNING + timedelta(hours=closes),
            draw.choice(SERVICES_S),
            "es",
            prize=draw.choice(PRIZES_S),
        )
        for place in draw.sample(points, stops)
        for opens, closes in [draw.choice(WINDOWS_H)]
    ]
    return days, wishes


def driven(agents: Sequence[AgentDay], wishes: Sequence[StopWish], routes: Sequence[PlacedRoute], leg: Leg) -> Driven:
    """Everybody sets out as planned, goes on as soon as a visit is over, and waits for hours that have not begun.
    `leg(here, there, at)`: seconds between nodes, which are the agents' starts, their ends, and the stops."""
    visits = late = 0
    overruns: list[float] = []
    for route in routes:
        at, node, day = route.starts_at, route.agent, agents[route.agent]
        for placed in route.stops:
            there, wish = 2 * len(agents) + placed.stop, wishes[placed.stop]
            at = max(at + timedelta(seconds=leg(node, there, at)), wish.opens_at) + timedelta(seconds=wish.service_s)
            visits, late, node = visits + 1, late + (at > wish.closes_at), there
        home = at + timedelta(seconds=leg(node, len(agents) + route.agent, at))
        overruns.append((home - day.ends_at).total_seconds())
    over = [overrun for overrun in overruns if overrun > 0]
    return Driven(visits, late, len(over), max(over, default=0.0), -max(overruns, default=0.0))


def quiet(legs: Legs, seed: int) -> Leg:
    """The engine's own times, and a drawn time to park."""
    draw = random.Random(f"parking {seed}")  # noqa: S311

    def leg(here: int, there: int, _at: datetime) -> float:
        own = float(legs.travel_s[here, there])
        return own + draw.uniform(*PARKING_S) if own else 0.0

    return leg


def rush(legs: Legs, seed: int) -> Leg:
    draw, own = random.Random(f"rush {seed}"), quiet(legs, seed)  # noqa: S311

    def leg(here: int, there: int, at: datetime) -> float:
        slower = 1.33 if at.hour in (7, 8, 9, 17, 18, 19) else 1.0
        return own(here, there, at) * slower * draw.lognormvariate(0, 0.15)

    return leg


def planned(agents: list[AgentDay], wishes: list[StopWish], travel: Travel, seed: int) -> SolvedDay:
    return solve_wishes(agents, wishes, solver=SOLVER, travel=travel, seed=seed)


def main() -> None:
    arguments = _arguments()
    bench = Bench(arguments.cache.absolute())
    bench.make(arguments.python)
    for town in arguments.towns.split(","):
        extract, points = bench.town(town)
        with bench.engines(town, extract) as (valhalla, osrm):
            _town(town, points, [RoadTravel(valhalla), RoadTravel(osrm)], arguments)


def _town(town: str, points: list[Point], roads: list[RoadTravel], arguments: argparse.Namespace) -> None:
    sources: list[Travel] = [_with_slack(travel, arguments) for travel in (GreatCircleTravel(), *roads)]
    points = _on_one_network(points, roads)
    found: dict[tuple[str, str], list[Driven]] = {}
    for seed in range(1, arguments.seeds + 1):
        agents, wishes = a_day(points, arguments.stops, arguments.agents, seed)
        nodes = [*(a.start for a in agents), *(a.end for a in agents), *(wish.point for wish in wishes)]
        raw = {travel.name: replace(travel, slack=0.0, parking_s=0).between(nodes, nodes) for travel in roads}
        for travel in sources:
            routes = planned(agents, wishes, travel, seed).routes
            for name, legs in raw.items():
                if name != travel.name:
                    for how in (quiet, rush):
                        key = (travel.name, f"{name} {how.__name__}")
                        found.setdefault(key, []).append(driven(agents, wishes, routes, how(legs, seed)))
    for (plan, drive), days in found.items():
        _tell(town, plan, drive, days)


def _on_one_network(points: list[Point], roads: list[RoadTravel]) -> list[Point]:
    """Those to and from which both engines know a way: at the edge of a small extract many streets lead nowhere."""
    for travel in roads:
        some = points[:: max(1, len(points) // 30)]
        ways = travel.between(some, some).travel_s < NO_WAY_S
        centre = some[int(np.minimum(ways.sum(axis=0), ways.sum(axis=1)).argmax())]
        out, back = travel.between([centre], points).travel_s[0], travel.between(points, [centre]).travel_s[:, 0]
        points = [point for at, point in enumerate(points) if out[at] < NO_WAY_S and back[at] < NO_WAY_S]
    return points


def _with_slack(travel: Travel, arguments: argparse.Namespace) -> Travel:
    known = "great" if isinstance(travel, GreatCircleTravel) else "road"
    given = getattr(arguments, f"{known}_slack"), getattr(arguments, f"{known}_parking")
    chosen = {name: value for name, value in zip(("slack", "parking_s"), given, strict=True) if value is not None}
    return replace(travel, **chosen)  # type: ignore[type-var]  # both are frozen dataclasses with these fields


def _tell(town: str, plan: str, drive: str, days: list[Driven]) -> None:
    shares = [100 * day.late / max(1, day.visits) for day in days]
    sys.stdout.write(
        f"{town:14} planned {plan:12} driven {drive:15} visits {sum(d.visits for d in days):4}"
        f"  late {sum(d.late for d in days):3} median {median(shares):4.1f} % worst {max(shares):4.1f} %"
        f"  overruns {sum(d.overruns for d in days):2} worst {max(d.worst_overrun_s for d in days) / 60:4.1f} min"
        f"  least slack {min(d.slack_s for d in days) / 60:5.1f} min\n"
    )
    sys.stdout.flush()


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--towns", default="helsinki,baltimore,liechtenstein")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--stops", type=int, default=150)
    parser.add_argument("--agents", type=int, default=3)
    parser.add_argument("--cache", type=Path, default=Path(".venv/roads"))
    parser.add_argument("--python", default="3.12", help="an interpreter of 3.12 or newer, by version or path")
    for known in ("great", "road"):
        parser.add_argument(f"--{known}-slack", type=float, default=None)
        parser.add_argument(f"--{known}-parking", type=int, default=None)
    return parser.parse_args()


if __name__ == "__main__":
    main()
