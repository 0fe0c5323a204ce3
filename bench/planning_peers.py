"""Other engines on the same problem, for comparison: plain PyVRP, VROOM, OR-Tools. Orders of stops by agent.

The last two come with `uv sync --group bench` and are left out of a run where they are not installed. What each finds
is timed by our own timetable, so that all are measured by one yardstick.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta
from importlib.util import find_spec

import pyvrp

from field_api.adapters.pyvrp_model import Model
from field_api.domain.routing import RoutingProblem, prize_of
from field_api.domain.timetable import Timetable

Orders = list[list[int]]
Peer = Callable[[RoutingProblem, int, float], Orders]
VROOM_PRIORITIES = 100


def plain_pyvrp(problem: RoutingProblem, seed: int, seconds: float) -> Orders:
    """PyVRP as it comes, on the whole problem at once."""
    model = Model(problem)
    began = time.thread_time()
    result = pyvrp.solve(
        model.data, lambda _cost: time.thread_time() - began > seconds, seed=seed, collect_stats=False, display=False
    )
    return model.orders(result.best) if result.is_feasible() else [[] for _ in problem.agents]


def vroom(problem: RoutingProblem, _seed: int, seconds: float) -> Orders:
    """VROOM has no prizes but priorities to 100, which it serves first; no seed, and threads only if told."""
    import numpy as np
    import vroom as engine

    table = Timetable(problem)
    matrix = np.asarray(problem.legs.travel_s, dtype=np.uint32)
    given = engine.Input()
    given.set_durations_matrix("car", matrix)
    limited = any(agent.most_stops is not None for agent in problem.agents)
    for number, agent in enumerate(problem.agents):
        given.add_vehicle(
            engine.Vehicle(
                number,
                problem.start_node(number),
                problem.end_node(number),
                capacity=[agent.most_stops] if limited else [],
                time_window=engine.TimeWindow(table.not_before(agent.starts_at), table.not_after(agent.ends_at)),
            )
        )
    largest = max((prize_of(stop) for stop in problem.stops), default=1)
    for index, stop in enumerate(problem.stops):
        windows = [engine.TimeWindow(max(first, 0), last) for first, last in table.windows(index) if last >= 0]
        if windows:
            given.add_job(
                engine.Job(
                    index,
                    problem.stop_node(index),
                    default_service=stop.service_s,
                    delivery=engine.Amount([stop.counts_as]) if limited else engine.Amount([]),
                    priority=VROOM_PRIORITIES * prize_of(stop) // largest,
                    time_windows=windows,
                )
            )
    solved = given.solve(exploration_level=5, nb_threads=1, timeout=timedelta(seconds=seconds))
    steps = solved.routes
    steps = steps[steps["type"] == "job"]
    orders: Orders = [[] for _ in problem.agents]
    for vehicle, index in zip(steps["vehicle_id"], steps["id"], strict=True):
        orders[int(vehicle)].append(int(index))
    return orders


def or_tools(problem: RoutingProblem, _seed: int, seconds: float) -> Orders:
    """Guided local search from the cheapest arcs, the usual recipe; prizes are penalties of disjunctions."""
    from ortools.constraint_solver import pywrapcp, routing_enums_pb2

    table, agents = Timetable(problem), len(problem.agents)
    starts, ends = list(range(agents)), list(range(agents, 2 * agents))
    manager = pywrapcp.RoutingIndexManager(2 * agents + len(problem.stops), agents, starts, ends)
    model = pywrapcp.RoutingModel(manager)
    model.SetArcCostEvaluatorOfAllVehicles(model.RegisterTransitMatrix(problem.legs.travel_s.tolist()))
    service = [0] * (2 * agents) + [stop.service_s for stop in problem.stops]
    with_service = (problem.legs.travel_s + [[seconds_there] for seconds_there in service]).tolist()
    horizon = max(table.not_after(agent.ends_at) for agent in problem.agents)
    model.AddDimension(model.RegisterTransitMatrix(with_service), horizon, horizon, False, "time")
    clock = model.GetDimensionOrDie("time")
    for number, agent in enumerate(problem.agents):
        clock.CumulVar(model.Start(number)).SetMin(table.not_before(agent.starts_at))
        clock.CumulVar(model.End(number)).SetMax(table.not_after(agent.ends_at))
    if any(agent.most_stops is not None for agent in problem.agents):
        loads = [0] * (2 * agents) + [stop.counts_as for stop in problem.stops]
        most = [agent.most_stops or horizon for agent in problem.agents]
        model.AddDimensionWithVehicleCapacity(model.RegisterUnaryTransitVector(loads), 0, most, True, "load")
    for index, stop in enumerate(problem.stops):
        node = manager.NodeToIndex(problem.stop_node(index))
        model.AddDisjunction([node], prize_of(stop))
        first, last = table.windows(index)[0]
        if last >= max(first, 0):
            clock.CumulVar(node).SetRange(max(first, 0), min(last, horizon))
        else:
            model.VehicleVar(node).SetValues([-1])
    how = pywrapcp.DefaultRoutingSearchParameters()
    how.first_solution_strategy = routing_enums_pb2.FirstSolutionStrategy.PARALLEL_CHEAPEST_INSERTION
    how.local_search_metaheuristic = routing_enums_pb2.LocalSearchMetaheuristic.GUIDED_LOCAL_SEARCH
    how.time_limit.FromMilliseconds(int(seconds * 1000))
    found = model.SolveWithParameters(how)
    orders: Orders = [[] for _ in problem.agents]
    for number in range(agents if found else 0):
        at = found.Value(model.NextVar(model.Start(number)))
        while not model.IsEnd(at):
            orders[number].append(manager.IndexToNode(at) - 2 * agents)
            at = found.Value(model.NextVar(at))
    return orders


def installed() -> dict[str, Peer]:
    """The peers of this run, by name."""
    known: dict[str, tuple[str, Peer]] = {
        "plain PyVRP": ("pyvrp", plain_pyvrp),
        "VROOM": ("vroom", vroom),
        "OR-Tools": ("ortools", or_tools),
    }
    return {name: peer for name, (module, peer) in known.items() if find_spec(module) is not None}
