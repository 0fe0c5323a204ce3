"""When and from where an agent works, and when not."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, time
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from field_api.domain.routing import Point
from field_api.platform.problems import Problem
from field_api.platform.tenancy import current_agency
from field_api.records.base import load
from field_api.records.planning import Absence, Agent, Shift

LONGEST_LUNCH_MINUTES = 180


@dataclass(frozen=True)
class LunchBreak:
    """A pause wherever the agent then is, begun between the two local times."""

    minutes: int
    begins_from: time
    begins_until: time


def set_shift(
    session: Session,
    agent_id: UUID,
    weekday: int,
    *,
    starts_at: time,
    ends_at: time,
    start: Point,
    end: Point | None = None,
    start_label: str = "",
    end_label: str = "",
    lunch: LunchBreak | None = None,
) -> Shift:
    """The agent's working window on a weekday (0 Monday), local to the agent, replacing an earlier one, lunch included.

    It starts at `start` and ends at `end` (the same place where None). Raises `not-found`, `invalid-fields`.
    """
    load(session, Agent, agent_id, lock=True)
    if not 0 <= weekday <= 6:
        raise Problem("invalid-fields", "a weekday is 0 (Monday) to 6 (Sunday)", at="weekday")
    if starts_at >= ends_at:
        raise Problem("invalid-fields", "a shift ends after it starts, on the same day", at="ends_at")
    if lunch is not None:
        _check(lunch, starts_at, ends_at)
    end = end or start
    for at, point in (("start", start), ("end", end)):
        checked_point(point, at)
    shift = _present(session, agent_id, weekday) or Shift(agent_id=agent_id, weekday=weekday)
    shift.starts_at, shift.ends_at = starts_at, ends_at
    told = (None, None, None) if lunch is None else (lunch.minutes, lunch.begins_from, lunch.begins_until)
    shift.lunch_minutes, shift.lunch_from, shift.lunch_until = told
    shift.start_latitude, shift.start_longitude, shift.start_label = start.latitude, start.longitude, start_label
    shift.end_latitude, shift.end_longitude, shift.end_label = end.latitude, end.longitude, end_label or start_label
    session.add(shift)
    session.flush()
    return shift


def _check(lunch: LunchBreak, starts_at: time, ends_at: time) -> None:
    if not 1 <= lunch.minutes <= LONGEST_LUNCH_MINUTES:
        raise Problem("invalid-fields", "a lunch takes 1 to 180 minutes", at="lunch")
    if not starts_at <= lunch.begins_from <= lunch.begins_until < ends_at:
        raise Problem("invalid-fields", "a lunch begins within the shift, between two times", at="lunch")


def end_shift(session: Session, agent_id: UUID, weekday: int) -> None:
    """The agent does not work on that weekday any more. Raises `not-found`."""
    shift = _present(session, agent_id, weekday)
    if shift is None:
        raise Problem("not-found", "no shift on that weekday")
    session.delete(shift)
    session.flush()


def record_absence(session: Session, agent_id: UUID, first_day: date, last_day: date, reason: str = "") -> Absence:
    """The agent is away from the first to the last day, both included. Raises `not-found`, `invalid-fields`."""
    load(session, Agent, agent_id)
    if last_day < first_day:
        raise Problem("invalid-fields", "an absence ends on or after its first day", at="last_day")
    absence = Absence(agent_id=agent_id, first_day=first_day, last_day=last_day, reason=reason)
    session.add(absence)
    session.flush()
    return absence


def checked_point(point: Point, at: str) -> Point:
    """The point, if it is one on Earth and not the null island that empty cells give. Raises `invalid-fields`."""
    on_earth = -90 <= point.latitude <= 90 and -180 <= point.longitude <= 180
    if not on_earth or (point.latitude == 0 and point.longitude == 0):
        raise Problem("invalid-fields", "latitude is -90 to 90, longitude -180 to 180, in degrees", at=at)
    return point


def _present(session: Session, agent_id: UUID, weekday: int) -> Shift | None:
    return session.scalars(
        select(Shift).where(Shift.agency_id == current_agency(), Shift.agent_id == agent_id, Shift.weekday == weekday)
    ).one_or_none()
