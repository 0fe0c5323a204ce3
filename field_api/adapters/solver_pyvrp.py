"""Routes by PyVRP (iterated local search), in two steps that keep what a debt is worth out of the order.

1. *Choose*, where not everything fits: stops are optional, by prize. Only the set is kept: what is on whose sheet.
2. *Order* each agent's set, from nothing but the set, by number, every stop worth the same. So other prizes that put
   the same stops on a sheet give the same sheet.

Where everything fits, one search over all stops, all worth the same, does both, and prizes are not even read.

What the next developer should know: PyVRP 0.14 has no 2-opt within a route, so that single round trips go through
`field_api.domain.round_trip` first; a history of 50 instead of 300 converges within the seconds that a dispatcher
waits; agents who are alike are one vehicle type, which halves the cost of a step with 25 of them.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from importlib.metadata import version
from math import ceil

import numpy as np
import pyvrp
from pyvrp.exceptions import PenaltyBoundWarning
from pyvrp.search import NeighbourhoodParams
from pyvrp.stop import MaxIterations, MultipleCriteria, NoImprovement

from field_api.adapters.pyvrp_model import Model
from field_api.domain.few_stops import every_choice_tried, every_order_tried
from field_api.domain.mending import mended
from field_api.domain.ports import Count, uncounted
from field_api.domain.round_trip import round_trip
from field_api.domain.routing import (
    AgentDay,
    Progress,
    RoutingAnswer,
    RoutingProblem,
    Watch,
    alone,
    as_whole,
    part_of,
    prize_of,
    unwatched,
    without_one_agent,
    worth,
)

HISTORY = 50
KICKS = 2_400
FEW_STOPS, FEW_NEIGHBOURS = 100, 20
SHEET_PENALTY = 100.0
"""A second's late arrival while a sheet is ordered, in seconds of travel."""
A_FEW = 30
SHEET_ITERATIONS = 40
"""For one agent's stops, and one more for each: with 50 all sheets of a day of 128 stops were as with 400."""
MORE_TIMES = 10
"""Where a stop of the set found no place."""
TOLD_EVERY = 100
"""Iterations between two reports."""
OPTIONAL_EACH = 4
"""Of several searches, how many are between two that may leave stops out."""
ANOTHER_SEED = 1_000_003
"""Between the searches of one answer: plans of neighbouring seeds share none."""


@dataclass(frozen=True)
class PyVrpSolver:
    """Keeps the promise of field_api.domain.ports.Solver.

    The search ends by iterations, so that the same seed gives the same plan on any machine; the limit of processor time
    is there for a machine much slower than expected.
    """

    iterations: int = 2_000
    without_improvement: int = 800
    at_most_s: float = 60.0
    history: int = HISTORY
    searches: int = 1
    """That share iterations and time where several agents' stops are ordered: one settles within seconds, another seed
    elsewhere. Every other one has an agent less than the best so far: a search hardly ever empties a route itself."""

    name: str = "PyVRP " + version("pyvrp")

    def solve(self, problem: RoutingProblem, *, seed: int, watch: Watch = unwatched) -> RoutingAnswer:
        return self._solve(problem, seed, watch, draft=False)

    def _solve(self, problem: RoutingProblem, seed: int, watch: Watch, draft: bool) -> RoutingAnswer:
        if not problem.agents:
            return RoutingAnswer((), tuple(range(len(problem.stops))), {"iterations": 0, "seconds": 0.0})
        began, limit = time.thread_time(), _Limit(self.at_most_s)
        run = _Run(self, seed, watch, limit, draft)
        answer = _kept(problem, run.solve(problem), run)
        facts = {
            "iterations": run.iterations,
            "seconds": round(time.thread_time() - began, 3),
            "time_limit_reached": limit.reached,
        }
        return replace(answer, facts=facts)

    def solve_all(
        self, problems: Sequence[RoutingProblem], *, seed: int, count: Count = uncounted, draft: bool = False
    ) -> list[RoutingAnswer]:
        answers = []
        for problem in problems:
            answers.append(self._solve(problem, seed, unwatched, draft))
            count(len(answers))
        return answers


def _kept(problem: RoutingProblem, found: RoutingAnswer, run: _Run) -> RoutingAnswer:
    """The order that was known before, where it is worth more: an answer is never worse than it. Of a draft's, the
    sheets in an order of their own."""
    if not problem.before:
        return found
    before = mended(problem, problem.before)
    if problem.before_is_draft and not run.draft and worth(problem, before) > worth(problem, found):
        before = run.by_sheet(problem, before)
    return before if worth(problem, before) > worth(problem, found) else found


THOROUGH = PyVrpSolver(60_000, 10_000, at_most_s=300.0, history=300, searches=6)
"""For a dispatcher who waits: about half a minute a hundred stops of several agents."""


@dataclass
class _Limit:
    """Processor seconds of this thread, from the first question on, over all searches of an answer."""

    seconds: float
    share: float = 1.0  # that the running search may use
    reached: bool = False
    began: float = field(default_factory=time.thread_time)

    def __call__(self, _best_cost: int) -> bool:
        over = time.thread_time() - self.began > self.seconds * self.share
        self.reached = self.reached or over
        return over


@dataclass
class _Run:
    """One answer on its way."""

    solver: PyVrpSolver
    seed: int
    watch: Watch
    limit: _Limit
    draft: bool = False  # an order is not wanted
    iterations: int = 0

    def solve(self, problem: RoutingProblem) -> RoutingAnswer:
        if all(stop.done is not None for stop in problem.stops):
            return mended(problem, ())
        if problem.balance is None and not _too_much(problem):
            answer = self._order(_anew(problem), range(len(problem.stops)))
            if not answer.left_out:
                return answer
        chosen = self.choose(problem)
        return chosen if self.draft else self.by_sheet(problem, chosen)

    def choose(self, problem: RoutingProblem) -> RoutingAnswer:
        """Whose sheet has what; nothing else of it may be used."""
        if problem.balance is None:
            return every_choice_tried(problem) or self._search(problem, "choose", share=0.8)
        chosen = self._search(problem, "choose", share=0.8)
        placed = _placed(chosen)
        part = part_of(replace(problem, agents=_bounded(problem, placed), balance=None), placed)
        return as_whole(problem, placed, self._search(part, "choose", share=0.9))

    def by_sheet(self, problem: RoutingProblem, chosen: RoutingAnswer) -> RoutingAnswer:
        """Each agent's stops in an order of their own."""
        routes = []
        for sheet in chosen.routes:
            own, stops = alone(_anew(problem), sheet.agent), sorted(entry.stop for entry in sheet.stops)
            few = SHEET_ITERATIONS + len(stops)
            answer = self._order(own, stops, most=few)
            if len(_placed(answer)) < len(stops):
                answer = self._order(own, stops, most=MORE_TIMES * few)
            routes += [replace(route, agent=sheet.agent) for route in as_whole(own, stops, answer).routes]
        placed = {entry.stop for route in routes for entry in route.stops}
        return RoutingAnswer(tuple(routes), tuple(i for i in range(len(problem.stops)) if i not in placed))

    def _order(
        self, problem: RoutingProblem, chosen: Sequence[int], *, share: float = 1.0, most: int | None = None
    ) -> RoutingAnswer:
        equal = part_of(problem, chosen, equal=True)
        tried = every_order_tried(equal) or round_trip(equal, seed=self.seed, kicks=KICKS)
        if tried or most or self.solver.searches == 1:
            return tried or self._search(equal, "order", share=share, most=most)
        return self._searches(equal, share)

    def _searches(self, problem: RoutingProblem, share: float) -> RoutingAnswer:
        """With one agent fewer for as long as that helps; now and then as if stops might be left out, which crosses
        what the others do not."""
        count, fewer_helps = self.solver.searches, True
        best = self._search(problem, "order", share=share / count)
        for number in range(1, count):
            fewer = fewer_helps and number % 2 == 1
            found = self._search(
                without_one_agent(problem, best) if fewer else problem,
                "order",
                share=share * (number + 1) / count,
                number=number,
                required=not best.left_out and number % OPTIONAL_EACH != 0,
            )
            better = worth(problem, found) > worth(problem, best)
            best, fewer_helps = (found, fewer_helps) if better else (best, fewer_helps and not fewer)
        return best

    def _search(
        self,
        problem: RoutingProblem,
        step: str,
        *,
        share: float,
        most: int | None = None,
        number: int = 0,
        required: bool = False,
    ) -> RoutingAnswer:
        self.limit.share = share
        model = Model(problem, required=required)
        each = ceil(self.solver.iterations / (self.solver.searches if step == "order" and most is None else 1))
        watcher = _Watcher(self, model, step, number * each)
        ils = pyvrp.IteratedLocalSearchParams(history_length=self.solver.history, callbacks=watcher)
        params = _params(model, "sheet" if most else step, ils)
        ends = [MaxIterations(most or each), NoImprovement(self.solver.without_improvement)]
        if most is None:  # a sheet's order is never cut short: what it has no place for would be lost
            ends.append(self.limit)
        stop = MultipleCriteria(ends)
        start = model.solution(problem.before) if any(problem.before) else None
        with warnings.catch_warnings():
            # That a penalty is at its upper end tells of a hard day, which is no fault: the answer is checked.
            warnings.simplefilter("ignore", PenaltyBoundWarning)
            result = pyvrp.solve(
                model.data,
                stop,
                seed=self.seed + number * ANOTHER_SEED,
                collect_stats=False,
                display=False,
                params=params,
                initial_solution=start,
            )
        self.iterations += result.num_iterations
        # An infeasible best is mended like any order; on a few stops, what the search overlooked is tried one by one.
        return mended(problem, model.orders(result.best), refill=len(model.open) <= A_FEW)


class _Watcher(pyvrp.IteratedLocalSearchCallbacks):
    """Tells how far the search is, and while it orders, the best order so far."""

    def __init__(self, run: _Run, model: Model, step: str, done: int) -> None:
        self.run, self.model, self.step, self.done = run, model, step, done
        self.told: pyvrp.Solution | None = None

    def on_iteration(self, _current, _candidate, best, _cost_evaluator) -> None:
        self.done += 1
        if self.run.watch is unwatched or self.done % TOLD_EVERY:
            return
        answer = None
        if self.step == "order" and best is not self.told and best.is_feasible():
            self.told, answer = best, mended(self.model.problem, self.model.orders(best))
        self.run.watch(Progress(self.step, self.done, self.run.solver.iterations, best.num_clients(), answer))


def _params(model: Model, step: str, ils: pyvrp.IteratedLocalSearchParams) -> pyvrp.SolveParams:
    """PyVRP's own, but on few stops to choose or to order a sheet: there a search gets further with fewer neighbours,
    and where late arrivals cost little beside what stops are worth, so that it may cross them.

    To choose: 1.2 % more in a second at 60 stops; at 300 by 5 agents 1.7 % less. A sheet as full as can be finds a
    place for all of its stops in 70 iterations, where with PyVRP's own it lost one of 29 in 700.
    """
    if step == "order" or not 0 < len(model.open) <= FEW_STOPS:
        return pyvrp.SolveParams(ils=ils)
    worth_s = float(np.median([prize_of(model.problem.stops[index]) for index in model.open]))
    most = SHEET_PENALTY if step == "sheet" else max(20.0, worth_s / 100)
    penalty = pyvrp.PenaltyParams(max_penalty=most, solutions_between_updates=50)
    near = NeighbourhoodParams(num_neighbours=FEW_NEIGHBOURS)
    return pyvrp.SolveParams(ils=ils, penalty=penalty, neighbourhood=near)


def _bounded(problem: RoutingProblem, placed: Sequence[int]) -> tuple[AgentDay, ...]:
    """The agents, none with more than the share of the stops that `balance` allows."""
    stops = sum(problem.stops[index].counts_as for index in placed)
    most = max(1, ceil((problem.balance or 1) * stops / len(problem.agents)))
    return tuple(replace(day, most_stops=min(most, day.most_stops or most)) for day in problem.agents)


def _anew(problem: RoutingProblem) -> RoutingProblem:
    """From no earlier order, which shows what was chosen before; but from that which agents are out with."""
    return problem if any(stop.told is not None for stop in problem.stops) else replace(problem, before=())


def _placed(answer: RoutingAnswer) -> list[int]:
    return sorted(entry.stop for route in answer.routes for entry in route.stops)


def _too_much(problem: RoutingProblem) -> bool:
    """Whether the visits alone take longer than all shifts: then no order of everything need be tried."""
    service_s = sum(stop.service_s for stop in problem.stops if stop.done is None)
    return service_s > sum((agent.ends_at - agent.starts_at).total_seconds() for agent in problem.agents)
