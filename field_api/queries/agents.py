"""Agents with their shifts and absences."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from field_api.platform.problems import Problem
from field_api.platform.tenancy import current_agency
from field_api.records.base import load
from field_api.records.planning import Absence, Agent, Shift


@dataclass(frozen=True)
class AgentWithTimes:
    agent: Agent
    shifts: list[Shift]
    absences: list[Absence]


def agents() -> Select[tuple[Agent]]:
    """The running agency's agents. Unordered."""
    return select(Agent).where(Agent.agency_id == current_agency())


def agent_of_code(session: Session, code: str) -> Agent:
    """Raises `not-found`."""
    found = session.scalars(agents().where(Agent.code == code)).one_or_none()
    if found is None:
        raise Problem("not-found", "no agent has this code")
    return found


def agent_with_times(session: Session, agent_id: UUID, *, since: date) -> AgentWithTimes:
    """The agent, the week's shifts, and absences that do not end before `since`. Raises `not-found`."""
    agent = load(session, Agent, agent_id)
    shifts = select(Shift).where(Shift.agency_id == current_agency(), Shift.agent_id == agent_id)
    absences = select(Absence).where(
        Absence.agency_id == current_agency(), Absence.agent_id == agent_id, Absence.last_day >= since
    )
    return AgentWithTimes(
        agent,
        list(session.scalars(shifts.order_by(Shift.weekday))),
        list(session.scalars(absences.order_by(Absence.first_day, Absence.id))),
    )
