"""Plans as a dispatcher sees them: routes with what is on them, and how many accounts are left out for which reason."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from field_api.domain.vocabulary import NotPlannedReason
from field_api.platform.problems import Problem
from field_api.platform.tenancy import current_agency
from field_api.queries.plan_version import version_of
from field_api.records.base import load
from field_api.records.planning import Agent, NotPlanned, Plan, Route, Stop
from field_api.records.visits import Visit


@dataclass(frozen=True)
class RouteLine:
    """One route. `stops` and `visits` count what is still on it."""

    id: UUID
    agent_id: UUID
    agent_code: str
    agent_name: str
    starts_at: datetime
    ends_at: datetime
    distance_m: int
    travel_s: int
    stops: int
    visits: int
    lunch_at: datetime | None = None


@dataclass(frozen=True)
class PlanOverview:
    plan: Plan
    routes: list[RouteLine]
    not_planned: dict[str, int]  # accounts by reason

    @property
    def version(self) -> str:
        """As field_api.queries.plan_version has it."""
        return version_of(self.plan, self.not_planned.get(NotPlannedReason.WITHDRAWN.value, 0))

    @property
    def visits(self) -> int:
        return sum(route.visits for route in self.routes)


def plans(for_day: date | None = None) -> Select[tuple[Plan]]:
    """Plans of the running agency, of one day where given. Unordered."""
    query = select(Plan).where(Plan.agency_id == current_agency())
    return query if for_day is None else query.where(Plan.for_day == for_day)


def plan_overview(session: Session, plan_id: UUID) -> PlanOverview:
    """Three statements, whatever the plan's size. Raises `not-found`."""
    plan = load(session, Plan, plan_id)
    reasons = session.execute(
        select(NotPlanned.reason, func.count().label("accounts"))
        .where(NotPlanned.agency_id == current_agency(), NotPlanned.plan_id == plan_id)
        .group_by(NotPlanned.reason)
        .order_by(NotPlanned.reason)
    )
    return PlanOverview(plan, _routes(session, plan_id), {row.reason: row.accounts for row in reasons})


def not_planned(plan_id: UUID, reason: str | None = None) -> Select[tuple[NotPlanned]]:
    """Why accounts are not on the plan, of one reason where given. Unordered."""
    query = select(NotPlanned).where(NotPlanned.agency_id == current_agency(), NotPlanned.plan_id == plan_id)
    return query if reason is None else query.where(NotPlanned.reason == reason)


def latest_plan(session: Session, day: date) -> Plan:
    """The day's draft, else its newest published plan. Raises `not-found`."""
    query = plans(day).order_by(Plan.state == "draft", Plan.created_at)
    found = session.scalars(query).all()
    if not found:
        raise Problem("not-found", "no plan for that day")
    return found[-1]


def _routes(session: Session, plan_id: UUID) -> list[RouteLine]:
    rows: Select[Any] = (
        select(
            Route.id,
            Route.agent_id,
            Agent.code,
            Agent.name,
            Route.starts_at,
            Route.ends_at,
            Route.distance_m,
            Route.travel_s,
            func.count(Stop.id.distinct()),
            func.count(Visit.id),
            Route.lunch_at,
        )
        .join(Agent, (Agent.agency_id == Route.agency_id) & (Agent.id == Route.agent_id))
        .outerjoin(Stop, (Stop.agency_id == Route.agency_id) & (Stop.route_id == Route.id))
        .outerjoin(Visit, (Visit.agency_id == Stop.agency_id) & (Visit.stop_id == Stop.id))
        .where(Route.agency_id == current_agency(), Route.plan_id == plan_id)
        .group_by(Route.agency_id, Route.id, Agent.agency_id, Agent.id)
        .order_by(Agent.code)
    )
    return [RouteLine(*row) for row in session.execute(rows)]
