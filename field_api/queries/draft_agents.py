"""Whose routes a draft has, and who could have one."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from field_api.domain.routing import AgentDay, Point
from field_api.platform.tenancy import current_agency
from field_api.queries.agents_on_duty import OnDuty, agents_on_duty
from field_api.records.planning import Agent, Plan, Route


@dataclass(frozen=True)
class DraftAgents:
    """`working` may be given stops; `away` have a route and no shift any more: their stops can only leave it."""

    working: tuple[OnDuty, ...]
    away: tuple[OnDuty, ...]
    routes: dict[UUID, Route]  # by agent

    @property
    def known(self) -> dict[UUID, OnDuty]:
        return {agent.agent_id: agent for agent in (*self.working, *self.away)}

    def may_take(self, agent_id: UUID) -> bool:
        return any(agent.agent_id == agent_id for agent in self.working)


def draft_agents(session: Session, plan: Plan, now: datetime) -> DraftAgents:
    """Two statements."""
    working = agents_on_duty(session, plan.for_day, now, plan_id=plan.id)
    rows = session.execute(
        select(Route, Agent)
        .join(Agent, (Agent.agency_id == Route.agency_id) & (Agent.id == Route.agent_id))
        .where(Route.agency_id == current_agency(), Route.plan_id == plan.id)
        .order_by(Agent.code)
        .execution_options(populate_existing=True)
    ).all()
    on_duty = {agent.agent_id for agent in working}
    away = tuple(_without_shift(route, agent) for route, agent in rows if agent.id not in on_duty)
    return DraftAgents(tuple(working), away, {route.agent_id: route for route, _ in rows})


def codes(agents: Iterable[OnDuty]) -> dict[UUID, str]:
    return {agent.agent_id: agent.code for agent in agents}


def _without_shift(route: Route, agent: Agent) -> OnDuty:
    """The day as the route has it."""
    day = AgentDay(
        starts_at=route.starts_at,
        ends_at=route.ends_at,
        start=Point(route.start_latitude, route.start_longitude),
        end=Point(route.end_latitude, route.end_longitude),
        languages=frozenset(agent.languages),
    )
    return OnDuty(agent.id, agent.code, day)
