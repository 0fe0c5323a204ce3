"""One agent whose windows do not bind: the shortest round trip over all stops, where it can be kept."""

from __future__ import annotations

import numpy as np

from field_api.domain.mending import mended
from field_api.domain.routing import RoutingAnswer, RoutingProblem
from field_api.domain.tour import shortest_tour

MOST_STOPS = 400
"""Above it a kick costs more than it brings."""


def round_trip(problem: RoutingProblem, *, seed: int, kicks: int) -> RoutingAnswer | None:
    """All stops by the shortest way, either way round; None where that breaks a window, the shift, a pin or lunch, or
    where there are several agents, places that are left in another time than they are reached, a day begun, or times
    that were told."""
    if len(problem.agents) != 1 or not 0 < len(problem.stops) <= MOST_STOPS:
        return None
    if any(stop.done is not None or stop.told is not None for stop in problem.stops):
        return None
    stops = [problem.stop_node(index) for index in range(len(problem.stops))]
    travel = problem.legs.travel_s[np.ix_(nodes := [0, 1, *stops], nodes)].copy()
    if not np.array_equal(travel[2:, 2:], travel[2:, 2:].T) or not np.array_equal(travel[0, 2:], travel[2:, 0]):
        return None
    # Start and end are one after the other on the way round: every other leg of theirs is lengthened alike.
    beyond = int(travel.max()) * 2 + 1
    travel[1, :] = travel[:, 1]  # only arrivals at the end count
    travel[:2, 2:] += beyond
    travel[2:, :2] += beyond
    travel[0, 1] = travel[1, 0] = 0
    lengths = travel.tolist()
    # Most days have windows that bind: a quick trip tells, before a good one is looked for.
    quick = _kept(problem, shortest_tour(lengths, seed=seed, kicks=0))
    return quick and (_kept(problem, shortest_tour(lengths, seed=seed, kicks=kicks)) or quick)


def _kept(problem: RoutingProblem, tour: list[int]) -> RoutingAnswer | None:
    """The better way round; start and end are places 0 and 1 of the tour."""
    order = [node - 2 for node in tour if node > 1]
    answers = [mended(problem, [way]) for way in (order, order[::-1])]
    whole = [answer for answer in answers if not answer.left_out]
    return min(whole, key=lambda answer: answer.routes[0].travel_s, default=None)
