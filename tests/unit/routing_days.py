"""Made-up agents, stops and days for tests of routing."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from field_api.adapters.travel_great_circle import GreatCircleTravel
from field_api.domain.routing import AgentDay, Point, RoutingProblem, StopWish

MORNING = datetime(2026, 11, 18, 14, tzinfo=UTC)
HERE = Point(19.4326, -99.1332)
TRAVEL = GreatCircleTravel()


def near(metres_north: float, metres_east: float = 0.0, of: Point = HERE) -> Point:
    return Point(of.latitude + metres_north / 111_195, of.longitude + metres_east / 105_000)


def agent(
    hours: float = 8, languages: str = "es", at: Point = HERE, end: Point | None = None, starts: float = 0
) -> AgentDay:
    begin = MORNING + timedelta(hours=starts)
    return AgentDay(begin, begin + timedelta(hours=hours), at, end or at, frozenset(languages.split()))


def stop(at: Point, opens: float = -2, closes: float = 12, language: str = "es", service_s: int = 600) -> StopWish:
    return StopWish(at, MORNING + timedelta(hours=opens), MORNING + timedelta(hours=closes), service_s, language)


def problem(agents: list[AgentDay], stops: list[StopWish]) -> RoutingProblem:
    points = [*(a.start for a in agents), *(a.end for a in agents), *(s.point for s in stops)]
    return RoutingProblem(tuple(agents), tuple(stops), TRAVEL.between(points, points))
