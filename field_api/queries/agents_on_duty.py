"""Who can be sent out on a day."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import Row, Select, exists, select
from sqlalchemy.orm import Session

from field_api.domain.routing import AgentDay, Lunch, Point
from field_api.platform.tenancy import current_agency
from field_api.records.planning import Absence, Agent, Plan, Route, Shift


@dataclass(frozen=True)
class OnDuty:
    agent_id: UUID
    code: str
    day: AgentDay


def agents_on_duty(session: Session, day: date, now: datetime, *, plan_id: UUID | None = None) -> list[OnDuty]:
    """Active agents with a shift on `day`, no absence and no published route that day, by code.

    A shift that has begun by `now` starts now; one that is over is none. `plan_id`: a published route of this plan does
    not count as one.
    """
    out_already = exists().where(
        Route.agency_id == Agent.agency_id,
        Route.agent_id == Agent.id,
        Plan.agency_id == Route.agency_id,
        Plan.id == Route.plan_id,
        Plan.for_day == day,
        Plan.state.in_(("publishing", "published")),
        *([] if plan_id is None else [Plan.id != plan_id]),
    )
    rows = session.execute(_shifts_on(day).where(~out_already).order_by(Agent.code))
    found = [_on_duty(row, day, now) for row in rows]
    return [entry for entry in found if entry.day.starts_at < entry.day.ends_at]


def shift_on(session: Session, agent: Agent, day: date, now: datetime) -> AgentDay | None:
    """One agent's working time on a day, whatever route they have; None where they do not work (any more)."""
    row = session.execute(_shifts_on(day).where(Agent.id == agent.id)).one_or_none()
    found = day_of_shift(row[0], row[1], day, now) if row else None
    return found if found and found.starts_at < found.ends_at else None


def _shifts_on(day: date) -> Select[tuple[Agent, Shift]]:
    absent = exists().where(
        Absence.agency_id == Agent.agency_id,
        Absence.agent_id == Agent.id,
        Absence.first_day <= day,
        Absence.last_day >= day,
    )
    return (
        select(Agent, Shift)
        .join(Shift, (Shift.agency_id == Agent.agency_id) & (Shift.agent_id == Agent.id))
        .where(Agent.agency_id == current_agency(), Agent.active, Shift.weekday == day.weekday(), ~absent)
    )


def _on_duty(row: Row[tuple[Agent, Shift]], day: date, now: datetime) -> OnDuty:
    agent, shift = row
    return OnDuty(agent.id, agent.code, day_of_shift(agent, shift, day, now))


def day_of_shift(agent: Agent, shift: Shift, day: date, now: datetime) -> AgentDay:
    """The agent's working time on that day in UTC, from their local hours; a shift under way starts at `now`."""
    zone = ZoneInfo(agent.timezone)
    return AgentDay(
        starts_at=max(datetime.combine(day, shift.starts_at, zone).astimezone(UTC), now.replace(microsecond=0)),
        ends_at=datetime.combine(day, shift.ends_at, zone).astimezone(UTC),
        start=Point(shift.start_latitude, shift.start_longitude),
        end=Point(shift.end_latitude, shift.end_longitude),
        languages=frozenset(agent.languages),
        skills=frozenset(agent.skills),
        territories=frozenset(agent.territories) or None,
        most_stops=agent.most_stops,
        lunch=_lunch(shift, zone, day, now),
    )


def _lunch(shift: Shift, zone: ZoneInfo, day: date, now: datetime) -> Lunch | None:
    """None where the shift has none, or where its time is over."""
    if shift.lunch_minutes is None or shift.lunch_from is None or shift.lunch_until is None:
        return None
    earliest, latest = (
        datetime.combine(day, local, zone).astimezone(UTC) for local in (shift.lunch_from, shift.lunch_until)
    )
    return Lunch(60 * shift.lunch_minutes, earliest, latest) if latest > now else None
