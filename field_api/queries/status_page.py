"""The status page: a day's routes and their progress, who is not on them and why, phones. Four statements."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import Row, func, select
from sqlalchemy.orm import Session

from field_api.platform.devices import Device
from field_api.platform.tenancy import current_agency
from field_api.records.planning import Agent, NotPlanned, Plan, Route, Stop
from field_api.records.visits import Visit

DEVICES_SHOWN = 100


@dataclass(frozen=True)
class RouteProgress:
    agent_code: str
    agent_name: str
    timezone: str
    stops: int
    visits: int
    done: int
    starts_at: datetime
    ends_at: datetime
    distance_m: int
    id: UUID


def plan_shown(session: Session, day: date | None) -> Plan | None:
    """The plan of `day`, or of the newest planned day: a published one before a draft, never a superseded one."""
    statement = select(Plan).where(Plan.agency_id == current_agency(), Plan.state != "superseded")
    if day is not None:
        statement = statement.where(Plan.for_day == day)
    newest = statement.order_by(Plan.for_day.desc(), Plan.state.desc(), Plan.created_at.desc(), Plan.id.desc())
    return session.scalars(newest.limit(1)).first()


def routes_of(session: Session, plan_id: UUID) -> list[RouteProgress]:
    """Every route of the plan by agent code, with how many stops and visits it has and how many visits are done."""
    visits = (
        select(
            Stop.route_id,
            func.count(Stop.id.distinct()).label("stops"),
            func.count(Visit.id).label("visits"),
            func.count(Visit.id).filter(Visit.state == "done").label("done"),
        )
        .outerjoin(Visit, (Visit.agency_id == Stop.agency_id) & (Visit.stop_id == Stop.id))
        .where(Stop.agency_id == current_agency())
        .group_by(Stop.route_id)
        .subquery()
    )
    rows = session.execute(
        select(
            Agent.code,
            Agent.name,
            Agent.timezone,
            func.coalesce(visits.c.stops, 0),
            func.coalesce(visits.c.visits, 0),
            func.coalesce(visits.c.done, 0),
            Route.starts_at,
            Route.ends_at,
            Route.distance_m,
            Route.id,
        )
        .join(Agent, (Agent.agency_id == Route.agency_id) & (Agent.id == Route.agent_id))
        .outerjoin(visits, visits.c.route_id == Route.id)
        .where(Route.agency_id == current_agency(), Route.plan_id == plan_id)
        .order_by(Agent.code)
    )
    return [RouteProgress(*row) for row in rows]


def not_planned_by_reason(session: Session, plan_id: UUID) -> list[tuple[str, int]]:
    rows = session.execute(
        select(NotPlanned.reason, func.count())
        .where(NotPlanned.agency_id == current_agency(), NotPlanned.plan_id == plan_id)
        .group_by(NotPlanned.reason)
        .order_by(func.count().desc(), NotPlanned.reason)
    )
    return [(reason, count) for reason, count in rows]


def devices(session: Session) -> list[Row[tuple[UUID, str, datetime, datetime | None, str | None]]]:
    """The newest phones: id, state, enrolled at, revoked at, agent's code."""
    return list(
        session.execute(
            select(Device.id, Device.state, Device.enrolled_at, Device.revoked_at, Agent.code)
            .outerjoin(Agent, (Agent.agency_id == Device.agency_id) & (Agent.id == Device.agent_id))
            .where(Device.agency_id == current_agency())
            .order_by(Device.enrolled_at.desc(), Device.id)
            .limit(DEVICES_SHOWN)
        )
    )
