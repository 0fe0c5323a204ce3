"""Plan a published day again while agents are out: who is ill, who is late, what comes in, and as little changed as is
worth it. The rules stand in docs/planning.md.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy.orm import Session

from field_api.domain.day_under_way import RouteNow, TravelTime, whereabouts
from field_api.domain.disturbance import Weights
from field_api.domain.ports import PlanningParts
from field_api.domain.replanned import ChangeOfStop, Line, changes, digest_of
from field_api.domain.replanning import (
    UnderWay,
    as_told,
    disturbed,
    least_changed,
    left_alone,
    nearest_routes,
    under_way,
)
from field_api.domain.route_checks import broken_promises
from field_api.domain.routing import Legs, Point
from field_api.platform.problems import Problem
from field_api.queries.day_under_way import AgentNow, DayNow, day_now
from field_api.records.base import load
from field_api.records.planning import Plan
from field_api.usecases.lock_visit import lock_visits
from field_api.usecases.newcomers import Newcomers, newcomers
from field_api.usecases.plan_day import one_planner_at_a_time
from field_api.usecases.replanned_day import Replanned
from field_api.usecases.travel_of_day import travel_of_day
from field_api.usecases.write_replan import write_replan

NEVER_TODAY = timedelta(days=2)
"""Who is free again later than this is not today. Times are added to it, which the calendar's end would not bear."""


@dataclass(frozen=True)
class Happened:
    """What the office was told of the day. `late_s` and `free_at` by agent; `added`: accounts."""

    ill: frozenset[UUID] = frozenset()
    late_s: Mapping[UUID, int] = field(default_factory=dict)
    free_at: Mapping[UUID, datetime] = field(default_factory=dict)
    added: tuple[UUID, ...] = ()

    @property
    def anything(self) -> bool:
        return bool(self.ill or self.late_s or self.free_at or self.added)

    @property
    def agents(self) -> set[UUID]:
        return {*self.ill, *self.late_s, *self.free_at}


def replan_day(
    session: Session,
    plan_id: UUID,
    happened: Happened,
    *,
    parts: PlanningParts,
    heard: Mapping[UUID, datetime],
    now: datetime,
    by: UUID | None,
    seed: int = 1,
    weights: Weights | None = None,
    expect: str | None = None,
    preview: bool = False,
) -> Replanned:
    """Plan the plan's day again, all of its published routes included; with `preview` nothing is written.

    Visits are locked after the search, and what was found holds only where the day is then as it was; else it is
    searched again under the locks. Raises `not-found`; `conflict` for a plan that is not published, for agents who are
    not out that day, or where the change is not the expected one; RuntimeError where a solver breaks its promise.
    """
    plan = load(session, Plan, plan_id)
    if plan.state != "published":
        raise Problem("conflict", "only a published plan is planned again: publish it first")
    parts = travel_of_day(session, parts, plan.for_day, now)
    search = _Search(session, plan, happened, parts, heard, now, seed, weights or Weights())
    if preview:
        return search.found(search.look())
    one_planner_at_a_time(session, plan.for_day)
    seen = search.look()
    found = search.found(seen)
    lock_visits(session, seen.day.open_visits(), and_accounts=happened.added)
    again = search.look()
    if again != seen:
        found = search.found(again)
    if expect is not None and expect != found.digest:
        raise Problem("conflict", "the day is another by now: look at the change again", at="expect")
    write_replan(session, found, by=by, ill=happened.ill)
    return replace(found, applied=True)


@dataclass(frozen=True)
class _Seen:
    """The day and who comes in, from one look at the database."""

    day: DayNow
    newcomers: Newcomers


@dataclass(frozen=True)
class _Search:
    session: Session
    plan: Plan
    happened: Happened
    parts: PlanningParts
    heard: Mapping[UUID, datetime]
    now: datetime
    seed: int
    weights: Weights

    def look(self) -> _Seen:
        day = day_now(self.session, self.plan.for_day, self.parts, now=self.now, heard=self.heard)
        told = self.happened
        if told.agents - {agent.agent_id for agent in day.agents}:
            raise Problem("conflict", "an agent is not out that day, and has no shift either", at="agents")
        agents = tuple(replace(agent, now=_as_told(agent.now, told, self.now)) for agent in day.agents)
        come = newcomers(self.session, self.plan.for_day, told.added, self.parts)
        return _Seen(replace(day, agents=agents), come)

    def found(self, seen: _Seen) -> Replanned:
        agents = self._looked_at(seen)
        wishes = [stop.wish() for stop in seen.newcomers.stops]
        under = under_way([agent.now for agent in agents], wishes, self.now, self.weights, self._travel_s())
        problem = under.problem(self._legs(under.points()))
        searched = self.parts.solver.solve(problem, seed=self.seed)
        if broken := broken_promises(problem, searched):
            raise RuntimeError(f"{self.parts.solver.name} broke its promise: {', '.join(sorted(set(broken)))}")
        answer = least_changed(problem, searched)
        lines = (*changes(under, problem, answer), *_refused_beside_others(under, seen.day))
        before_s = sum(agent.travel_s for agent in agents)
        kept_s = sum(agent.travel_s for agent in agents if agent.now.ill)
        return Replanned(
            plan=self.plan,
            day=seen.day,
            under=under,
            looked_at=tuple(agents),
            lines=lines,
            newcomers=seen.newcomers.stops,
            refused=seen.newcomers.refused,
            told=disturbed(problem, answer),
            travel_change_s=sum(route.travel_s for route in answer.routes) - (before_s - kept_s),
            digest=digest_of(lines, [route.agent_id for route in under.routes]),
            now=self.now,
            problem=problem,
            answer=answer,
        )

    def _looked_at(self, seen: _Seen) -> list[AgentNow]:
        """Whom it concerns, and who is near enough to help; with nothing told, whoever cannot keep what was told."""
        agents = seen.day.agents
        routes = [agent.now for agent in agents]
        if self.happened.anything:
            wanted = [at for at, agent in enumerate(agents) if agent.now.ill or agent.agent_id in self.happened.agents]
        else:
            wanted = [at for at, route in enumerate(routes) if route.ill or not self._keeps_its_word(route)]
        places = [stop.point for stop in seen.newcomers.stops]
        for at in wanted:
            places += [stop.wish.point for stop in whereabouts(routes[at], self.now, self._travel_s()).left]
        return [agents[at] for at in nearest_routes(routes, wanted, places)]

    def _keeps_its_word(self, route: RouteNow) -> bool:
        alone = under_way([route], [], self.now, self.weights, self._travel_s())
        problem = alone.problem(self._legs(alone.points()))
        return not (alone.refused or disturbed(problem, as_told(problem, left_alone(problem))).stops)

    def _travel_s(self) -> TravelTime:
        return lambda here, there: int(self.parts.travel.between([here], [there]).travel_s[0, 0])

    def _legs(self, points: Sequence[Point]) -> Legs:
        return self.parts.travel.between(points, points)


def _refused_beside_others(under: UnderWay, day: DayNow) -> Iterator[Line]:
    """People whom the law refuses, at stops where others may still be visited."""
    for stop in under.open_stops:
        for visit in day.visits.get(stop.key, ()):
            if visit.visit_id in day.refused:
                yield Line(ChangeOfStop.DROPPED, stop, visit_id=visit.visit_id, why=day.refused[visit.visit_id])


def _as_told(route: RouteNow, happened: Happened, now: datetime) -> RouteNow:
    free_at = happened.free_at.get(route.agent_id)
    return replace(
        route,
        ill=route.ill or route.agent_id in happened.ill,
        late_s=happened.late_s.get(route.agent_id, 0),
        free_at=None if free_at is None else min(free_at, now + NEVER_TODAY),
    )
