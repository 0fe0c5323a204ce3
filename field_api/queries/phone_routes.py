"""All that a phone must be told of routes, for many at once."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from field_api.queries.arrays import among
from field_api.records.planning import Agent, Plan, Route, Shift, Stop
from field_api.records.visits import Visit

OUT = ("publishing", "published")
"""States of a plan whose routes phones may hold, some of them or all."""


@dataclass
class PhoneRoute:
    """A route as it stands now, with the names of the places where the agent's day starts and ends."""

    route: Route
    plan: Plan
    agent: Agent
    stops: int
    visits: int
    start_label: str
    end_label: str


def phone_routes(session: Session, route_ids: Collection[UUID]) -> list[PhoneRoute]:
    """The routes of plans that are out among `route_ids`. Two statements."""
    stops = func.count(Stop.id.distinct())
    visits = func.count(Visit.id).filter(Visit.state == "published")
    rows = session.execute(
        select(Route, Plan, Agent, stops, visits)
        .join(Plan, Plan.id == Route.plan_id)
        .join(Agent, Agent.id == Route.agent_id)
        .outerjoin(Stop, Stop.route_id == Route.id)
        .outerjoin(Visit, Visit.stop_id == Stop.id)
        .where(among(Route.id, route_ids), Plan.state.in_(OUT))
        .group_by(Route.agency_id, Route.id, Plan.agency_id, Plan.id, Agent.agency_id, Agent.id)
        .order_by(Route.id)
    ).all()
    agents = {agent.id for _, _, agent, _, _ in rows}
    shifts = {
        (shift.agent_id, shift.weekday): shift
        for shift in session.scalars(select(Shift).where(among(Shift.agent_id, agents)))
    }
    result = []
    for route, plan, agent, stop_count, visit_count in rows:
        shift = shifts.get((agent.id, plan.for_day.weekday()))
        labels = (shift.start_label, shift.end_label) if shift else ("", "")
        result.append(PhoneRoute(route, plan, agent, stop_count, visit_count, *labels))
    return result


def current_sheet(session: Session, agent_id: UUID) -> tuple[list[UUID], list[UUID]]:
    """Ids of the routes and of the visits that the agent's sheet holds now."""
    rows = session.execute(
        select(Stop.route_id, Visit.id)
        .outerjoin(Stop, Stop.id == Visit.stop_id)
        .where(Visit.agent_id == agent_id, Visit.state == "published")
        .order_by(Visit.id)
    ).all()
    return sorted({row.route_id for row in rows if row.route_id}), [row.id for row in rows]
