"""Made-up days that look like real ones: a metropolitan area of clusters, evening windows, prizes, too much for all.

About three times as many stops as find a place. Prizes are in seconds of travel, as bands of priority would set them.
"""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta

from field_api.adapters.travel_great_circle import GreatCircleTravel
from field_api.domain.routing import AgentDay, Point, RoutingProblem, StopWish

TRAVEL = GreatCircleTravel(slack=0.15, parking_s=60)
"""Fixed here: measurements stay comparable whatever the product's slack becomes."""
CENTRE = Point(19.43, -99.13)
MORNING = datetime(2026, 11, 18, 14, tzinfo=UTC)
DEGREE_M = 111_195.0
PRIZES_S = (1_200, 1_800, 2_700, 4_500)
WINDOWS_H = ((0, 12), (0, 12), (0, 12), (0, 4), (3, 8), (7, 12))
"""Hours after the morning: half may be visited all day, others before noon, about noon or in the evening."""
SERVICES_S = (600, 600, 900, 1_200)


def real_day(stops: int, agents: int, *, seed: int) -> tuple[list[AgentDay], list[StopWish]]:
    """The same day for the same seed; its area grows with the number of agents."""
    draw = random.Random(f"{stops} {agents} {seed}")  # noqa: S311 - made-up days come from a seed
    spread_m = 3_000 * agents**0.5
    clusters = [(_near(draw, CENTRE, spread_m), draw.uniform(300, 1_500)) for _ in range(3 + agents)]
    wishes = [_stop(draw, clusters, spread_m) for _ in range(stops)]
    return [_agent(draw, clusters) for _ in range(agents)], wishes


def whole(agents: list[AgentDay], stops: list[StopWish]) -> RoutingProblem:
    """With the full matrix: what peers need, and what no day of thousands of stops is given here."""
    points = [*(a.start for a in agents), *(a.end for a in agents), *(s.point for s in stops)]
    return RoutingProblem(tuple(agents), tuple(stops), TRAVEL.between(points, points))


def _near(draw: random.Random, point: Point, spread_m: float) -> Point:
    return Point(
        point.latitude + draw.gauss(0, spread_m) / DEGREE_M, point.longitude + draw.gauss(0, spread_m) / DEGREE_M
    )


def _agent(draw: random.Random, clusters: list[tuple[Point, float]]) -> AgentDay:
    home, _ = draw.choice(clusters)
    start = _near(draw, home, 1_500)
    begins = MORNING + timedelta(hours=draw.choice((0, 0, 1, 3)))
    return AgentDay(begins, begins + timedelta(hours=draw.choice((6, 8, 8))), start, start, frozenset(["es"]))


def _stop(draw: random.Random, clusters: list[tuple[Point, float]], spread_m: float) -> StopWish:
    place, within_m = (CENTRE, spread_m) if draw.random() < 0.15 else draw.choice(clusters)
    point = _near(draw, place, within_m)
    opens_h, closes_h = draw.choice(WINDOWS_H)
    return StopWish(
        point,
        MORNING + timedelta(hours=opens_h),
        MORNING + timedelta(hours=closes_h),
        draw.choice(SERVICES_S),
        "es",
        prize=draw.choice(PRIZES_S),
    )
