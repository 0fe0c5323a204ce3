"""Active agents' weekly hours and absences, as the search for a possible day needs them."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from field_api.domain.roster import Working
from field_api.platform.tenancy import current_agency
from field_api.records.planning import Absence, Agent, Shift


def roster(session: Session) -> list[Working]:
    """Every active agent's shifts. Two statements."""
    absent: dict[UUID, list[tuple[date, date]]] = {}
    for row in session.scalars(select(Absence).where(Absence.agency_id == current_agency())):
        absent.setdefault(row.agent_id, []).append((row.first_day, row.last_day))
    query = (
        select(Agent, Shift)
        .join(Shift, (Shift.agency_id == Agent.agency_id) & (Shift.agent_id == Agent.id))
        .where(Agent.agency_id == current_agency(), Agent.active)
        .order_by(Agent.code, Shift.weekday)
    )
    return [
        Working(
            shift.weekday,
            shift.starts_at,
            shift.ends_at,
            agent.timezone,
            frozenset(agent.languages),
            frozenset(agent.skills),
            frozenset(agent.territories) or None,
            tuple(absent.get(agent.id, ())),
        )
        for agent, shift in session.execute(query)
    ]
