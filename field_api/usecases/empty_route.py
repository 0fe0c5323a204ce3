"""A route for an agent for whom a plan has none yet."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy.orm import Session

from field_api.domain.routing import AgentDay
from field_api.records.planning import Route


def empty_route(session: Session, plan_id: UUID, agent_id: UUID, day: AgentDay) -> Route:
    """As long as the agent's day, with no stop and no way yet."""
    route = Route(
        plan_id=plan_id,
        agent_id=agent_id,
        starts_at=day.starts_at,
        ends_at=day.ends_at,
        start_latitude=day.start.latitude,
        start_longitude=day.start.longitude,
        end_latitude=day.end.latitude,
        end_longitude=day.end.longitude,
        distance_m=0,
        travel_s=0,
    )
    session.add(route)
    session.flush()
    return route
