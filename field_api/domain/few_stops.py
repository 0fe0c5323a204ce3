"""One agent with a few stops: every way is tried, since a search may overlook the best one."""

from __future__ import annotations

from itertools import combinations, permutations

from field_api.domain.mending import mended
from field_api.domain.routing import RoutingAnswer, RoutingProblem, as_whole, part_of, worth

MOST_STOPS = 5
"""120 orders cost as much as a search; 720 six times that."""


def every_order_tried(problem: RoutingProblem) -> RoutingAnswer | None:
    """All stops with the least travel, the first of equal orders; None where not all fit, or where there are several
    agents, more stops, a day begun, or times that were told."""
    if not _are_few(problem):
        return None
    answers = (mended(problem, [order]) for order in permutations(range(len(problem.stops))))
    whole = (answer for answer in answers if not answer.left_out)
    return min(whole, key=lambda answer: answer.routes[0].travel_s, default=None)


def every_choice_tried(problem: RoutingProblem) -> RoutingAnswer | None:
    """The stops that are worth most together, none where none is worth the way; None as for `every_order_tried`."""
    if not _are_few(problem):
        return None
    count = len(problem.stops)
    choices = [chosen for size in range(1, count + 1) for chosen in combinations(range(count), size)]
    tried = ((chosen, every_order_tried(part_of(problem, chosen))) for chosen in choices)
    answers = [as_whole(problem, chosen, answer) for chosen, answer in tried if answer is not None]
    return max([RoutingAnswer((), tuple(range(count))), *answers], key=lambda answer: worth(problem, answer))


def _are_few(problem: RoutingProblem) -> bool:
    if len(problem.agents) != 1 or not 0 < len(problem.stops) <= MOST_STOPS:
        return False
    return all(stop.done is None and stop.told is None for stop in problem.stops)
