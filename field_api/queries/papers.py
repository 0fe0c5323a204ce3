"""Papers that were made: sheets by route, letters by route with where they are, one letter's custody."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from field_api.platform.problems import Problem
from field_api.platform.tenancy import current_agency
from field_api.records.base import load
from field_api.records.planning import Agent, Plan, Route, Stop
from field_api.records.visits import Letter, LetterCustody, Sheet, Visit


@dataclass(frozen=True)
class LetterLine:
    """A letter in its route's order, without its content."""

    id: UUID
    visit_id: UUID
    stop: int
    kind: str
    language: str
    jurisdiction: str
    serial: str
    state: str
    refusal: str | None
    pages: int | None
    issued_at: datetime | None


def latest_sheet(session: Session, route_id: UUID) -> Sheet:
    """The sheet issued last for a route. Raises Problem `not-found`."""
    query = select(Sheet).where(Sheet.route_id == route_id).order_by(Sheet.issued_at.desc(), Sheet.id.desc()).limit(1)
    sheet = session.scalars(query).one_or_none()
    if sheet is None:
        raise Problem("not-found", "no sheet was issued for this route")
    return sheet


def letters_of_route(session: Session, route_id: UUID) -> list[LetterLine]:
    """Every letter of a route's visits, in route order. Two statements. Raises Problem `not-found`."""
    load(session, Route, route_id)
    query = (
        select(
            Letter.id,
            Letter.visit_id,
            Stop.position,
            Letter.kind,
            Letter.language,
            Letter.jurisdiction,
            Letter.serial,
            Letter.state,
            Letter.refusal,
            Letter.pages,
            Letter.issued_at,
        )
        .join(Visit, Visit.id == Letter.visit_id)
        .join(Stop, Stop.id == Visit.stop_id)
        .where(Stop.route_id == route_id)
        .order_by(Stop.position, Letter.person_id, Letter.id)
    )
    return [LetterLine(*row) for row in session.execute(query)]


def routes_of_day(session: Session, day: date, code: str | None = None) -> list[tuple[UUID, UUID]]:
    """(plan, route) of every published route of a day, or of the agent with this code, by agent's code."""
    query = (
        select(Route.plan_id, Route.id)
        .join(Plan, (Plan.agency_id == Route.agency_id) & (Plan.id == Route.plan_id))
        .join(Agent, (Agent.agency_id == Route.agency_id) & (Agent.id == Route.agent_id))
        .where(Route.agency_id == current_agency(), Plan.for_day == day, Plan.state == "published")
        .order_by(Agent.code, Route.id)
    )
    if code:
        query = query.where(Agent.code == code)
    return [(plan_id, route_id) for plan_id, route_id in session.execute(query)]


def routes_of_plan(session: Session, plan_id: UUID) -> list[UUID]:
    """A plan's routes by agent's code. Raises Problem `not-found`, `conflict` for a draft. Two statements."""
    if load(session, Plan, plan_id).state != "published":
        raise Problem("conflict", "only a published plan is printed")
    query = (
        select(Route.id)
        .join(Agent, (Agent.agency_id == Route.agency_id) & (Agent.id == Route.agent_id))
        .where(Route.agency_id == current_agency(), Route.plan_id == plan_id)
        .order_by(Agent.code, Route.id)
    )
    return list(session.scalars(query))


def custody_of(session: Session, letter_id: UUID) -> Sequence[LetterCustody]:
    """A letter's story, oldest first. Raises Problem `not-found`."""
    load(session, Letter, letter_id)
    query = select(LetterCustody).where(LetterCustody.letter_id == letter_id)
    return session.scalars(query.order_by(LetterCustody.at, LetterCustody.id)).all()
