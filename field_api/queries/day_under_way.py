"""A published day as it stands: where agents are, what they have left, and in whose bag letters are."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, func, select
from sqlalchemy.orm import Session

from field_api.domain.contact_rules import Refusal
from field_api.domain.day_under_way import RouteNow, StopNow
from field_api.domain.letters import LetterState
from field_api.domain.ports import PlanningParts
from field_api.domain.routing import AgentDay, Point
from field_api.domain.vocabulary import AT_THE_DOOR, VisitEventKind
from field_api.platform.tenancy import current_agency
from field_api.queries.agents_on_duty import agents_on_duty, day_of_shift
from field_api.queries.arrays import among
from field_api.queries.draft_problem import StopOnPlan, VisitOnPlan, stops_of_plan
from field_api.queries.plan_overview import plans
from field_api.queries.still_lawful import still_lawful
from field_api.records.planning import Absence, Agent, Plan, Route, Shift, Stop
from field_api.records.visits import Letter, Visit, VisitEvent


@dataclass(frozen=True)
class AgentNow:
    """An agent who is out or could be. `route_id` is None for whom nothing was planned."""

    agent_id: UUID
    code: str
    now: RouteNow
    route_id: UUID | None = None
    travel_s: int = 0


@dataclass(frozen=True)
class DayNow:
    """`visits`: those that are out still, by stop. `refused`: of these, whom the law lets nobody visit any more, with
    the first reason. Compared by value: equal days are planned again alike."""

    agents: tuple[AgentNow, ...]
    visits: Mapping[UUID, tuple[VisitOnPlan, ...]]
    refused: Mapping[UUID, Refusal]

    def open_visits(self) -> list[UUID]:
        return sorted(visit.visit_id for own in self.visits.values() for visit in own)


def day_now(
    session: Session, day: date, parts: PlanningParts, *, now: datetime, heard: Mapping[UUID, datetime]
) -> DayNow:
    """All agents with a published route on the day or on duty without one, by code. `heard`: when an agent's phones
    were heard last. Whoever has an absence on that day is ill. A bounded number of statements for each plan of the day.
    """
    rows = session.execute(_routes(day)).all()
    published = {row.Plan.id: row.Plan for row in rows}
    on_plan = [stop for plan in published.values() for stop in stops_of_plan(session, plan, parts)]
    known = _Known(session, on_plan)
    out = [visit for stop in on_plan for visit in stop.visits if visit.state == "published"]
    refused = still_lawful(session, day, out, parts)
    absent = set(session.scalars(_absent(day)))
    stops: dict[UUID, list[StopNow]] = {}
    for stop in on_plan:
        stops.setdefault(stop.route_id, []).append(known.stop_now(stop, refused))
    found = [_agent_now(row, day, stops.get(row.Route.id, []), row.Agent.id in absent, heard) for row in rows]
    found += [
        AgentNow(entry.agent_id, entry.code, RouteNow(entry.agent_id, entry.day, heard_at=heard.get(entry.agent_id)))
        for entry in agents_on_duty(session, day, now)
    ]
    visits = {stop.stop_id: tuple(v for v in stop.visits if v.state == "published") for stop in on_plan}
    return DayNow(tuple(sorted(found, key=lambda one: one.code)), {k: v for k, v in visits.items() if v}, refused)


def published_plans(session: Session, day: date) -> Sequence[Plan]:
    return session.scalars(plans(day).where(Plan.state == "published").order_by(Plan.created_at, Plan.id)).all()


def _routes(day: date) -> Any:
    return (
        select(Plan, Route, Agent, Shift)
        .join(Route, (Route.agency_id == Plan.agency_id) & (Route.plan_id == Plan.id))
        .join(Agent, (Agent.agency_id == Route.agency_id) & (Agent.id == Route.agent_id))
        .outerjoin(
            Shift,
            (Shift.agency_id == Agent.agency_id) & (Shift.agent_id == Agent.id) & (Shift.weekday == day.weekday()),
        )
        .where(Plan.agency_id == current_agency(), Plan.for_day == day, Plan.state == "published")
        .order_by(Plan.created_at, Plan.id, Agent.code)
        .execution_options(populate_existing=True)
    )


def _absent(day: date) -> Any:
    return select(Absence.agent_id).where(
        Absence.agency_id == current_agency(), Absence.first_day <= day, Absence.last_day >= day
    )


def _agent_now(
    row: Row[Any], day: date, stops: Sequence[StopNow], ill: bool, heard: Mapping[UUID, datetime]
) -> AgentNow:
    route: Route = row.Route
    ordered = tuple(sorted(stops, key=lambda stop: stop.position))
    now = RouteNow(row.Agent.id, _day_of(row, day), ordered, heard.get(row.Agent.id), ill, lunch_at=route.lunch_at)
    return AgentNow(row.Agent.id, row.Agent.code, now, route.id, route.travel_s)


def _day_of(row: Row[Any], day: date) -> AgentDay:
    """The shift from when the route begins; where the weekday has none any more, the route's own time."""
    route: Route = row.Route
    start, end = (
        Point(route.start_latitude, route.start_longitude),
        Point(route.end_latitude, route.end_longitude),
    )
    if row.Shift is None:
        return AgentDay(route.starts_at, route.ends_at, start, end, frozenset(row.Agent.languages))
    return replace(day_of_shift(row.Agent, row.Shift, day, route.starts_at), start=start, end=end)


class _Known:
    """What was reported of stops, and what lies in bags; four statements."""

    def __init__(self, session: Session, on_plan: Collection[StopOnPlan]) -> None:
        visit_ids = [visit.visit_id for stop in on_plan for visit in stop.visits]
        self.rows = {row.id: row for row in session.scalars(_rows(on_plan))}
        self.told = {(row.visit_id, row.actor): row for row in session.execute(_reported(visit_ids))}
        self.done_at = dict(session.execute(select(Visit.id, Visit.done_at).where(*_are(visit_ids))).all())
        self.letters = dict(session.execute(_in_bags(visit_ids)).all())

    def stop_now(self, stop: StopOnPlan, refused: Mapping[UUID, Refusal]) -> StopNow:
        row = self.rows[stop.stop_id]
        out = [visit for visit in stop.visits if visit.state == "published"]
        lawful = [visit for visit in out if visit.visit_id not in refused]
        told = list(self._told_at(stop))
        ends = [one.last for one in told] or [at for v in stop.visits if (at := self.done_at.get(v.visit_id))]
        sought = {visit.person_id for visit in (lawful or out)}
        left = tuple(visit for visit in stop.sought.visits if visit.person_id in sought) or stop.sought.visits
        wish = replace(stop.sought, visits=left).wish()
        return StopNow(
            key=stop.stop_id,
            position=row.position,
            wish=wish if len(left) < len(stop.visits) else replace(wish, service_s=row.service_s),
            arrival_from=row.arrival_from,
            arrival_to=row.arrival_to,
            begun_at=min((one.first for one in told), default=None),
            done_at=None if out else max(ends, default=None),
            letters=sum(self.letters.get(visit.visit_id, 0) for visit in out),
            refused=refused[out[0].visit_id] if out and not lawful else None,
            pinned=stop.pinned_agent == stop.agent_id,
            hours=(stop.sought.opens_at, stop.sought.closes_at) if stop.entries else None,
        )

    def _told_at(self, stop: StopOnPlan) -> Iterator[Row[Any]]:
        """What its agent recorded at each visit's door. Who skipped a visit, which is still out, has gone on."""
        for visit in stop.visits:
            one = self.told.get((visit.visit_id, f"agent:{stop.agent_id}"))
            if one is not None and (visit.state == "done" or one.outcome_at is None or one.outcome_at < one.last):
                yield one


def _rows(on_plan: Iterable[StopOnPlan]) -> Any:
    return (
        select(Stop)
        .where(Stop.agency_id == current_agency(), among(Stop.id, [stop.stop_id for stop in on_plan]))
        .execution_options(populate_existing=True)
    )


def _are(visit_ids: Collection[UUID]) -> tuple[Any, Any]:
    return Visit.agency_id == current_agency(), among(Visit.id, visit_ids)


def _reported(visit_ids: Collection[UUID]) -> Any:
    """When facts were recorded at each visit's door, first and last, by actor."""
    return (
        select(
            VisitEvent.visit_id,
            VisitEvent.actor,
            func.min(VisitEvent.at).label("first"),
            func.max(VisitEvent.at).label("last"),
            func.max(VisitEvent.at).filter(VisitEvent.kind == VisitEventKind.OUTCOME.value).label("outcome_at"),
        )
        .where(
            VisitEvent.agency_id == current_agency(),
            among(VisitEvent.visit_id, visit_ids),
            VisitEvent.kind.in_([kind.value for kind in AT_THE_DOOR]),
        )
        .group_by(VisitEvent.visit_id, VisitEvent.actor)
    )


def _in_bags(visit_ids: Collection[UUID]) -> Any:
    """Letters on paper that nobody was given yet, by visit."""
    return (
        select(Letter.visit_id, func.count())
        .where(
            Letter.agency_id == current_agency(),
            among(Letter.visit_id, visit_ids),
            Letter.state == LetterState.PRINTED.value,
        )
        .group_by(Letter.visit_id)
    )
