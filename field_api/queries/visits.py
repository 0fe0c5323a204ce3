"""Visits as lists: by day, agent and state."""

from __future__ import annotations

from datetime import date
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, Date, Select, and_, cast, func, select, union_all

from field_api.platform.tenancy import current_agency
from field_api.records.people import Address, Person
from field_api.records.planning import Agent, Plan, Route, Stop
from field_api.records.results import Attempt
from field_api.records.visits import Visit

_DAY_ALONE = cast(func.timezone("UTC", func.coalesce(Visit.published_at, Visit.planned_at)), Date)
DAY = func.coalesce(Plan.for_day, _DAY_ALONE)
"""The day a visit was for; one that was taken off its route has only the day it was published or planned."""


class VisitLine(NamedTuple):
    """One visit of a list, with the outcome of its latest attempt."""

    visit: Visit
    day: date
    agent: str
    person: str
    street: str
    number: str | None
    city: str | None
    outcome: str | None


def visits(
    *,
    day: date | None = None,
    agent_id: UUID | None = None,
    state: str | None = None,
    creditor_id: UUID | None = None,
) -> Select[Any]:
    """VisitLine columns of the running agency's visits.

    `creditor_id` bounds it to that creditor's people. Unordered: the list orders and cuts it.
    """
    statement = joined_visits(
        select(
            Visit,
            DAY.label("day"),
            Agent.name.label("agent"),
            Person.name.label("person"),
            Address.street,
            Address.number,
            Address.city,
            _latest_outcome().label("outcome"),
        )
    )
    if day is not None:
        statement = statement.where(of_days(day, day))
    if agent_id is not None:
        statement = statement.where(Visit.agent_id == agent_id)
    if state is not None:
        statement = statement.where(Visit.state == state)
    if creditor_id is not None:
        statement = statement.where(Person.creditor_id == creditor_id)
    return statement


def of_days(first: date, last: date) -> ColumnElement[bool]:
    """Visits for the days from first to last, both included; two index scans instead of one over all visits."""
    on_a_route = (
        select(Visit.id)
        .join(Stop, and_(Stop.agency_id == Visit.agency_id, Stop.id == Visit.stop_id))
        .join(Route, and_(Route.agency_id == Stop.agency_id, Route.id == Stop.route_id))
        .join(Plan, and_(Plan.agency_id == Route.agency_id, Plan.id == Route.plan_id))
        .where(Visit.agency_id == current_agency(), Plan.for_day.between(first, last))
    )
    taken_off = select(Visit.id).where(
        Visit.agency_id == current_agency(), Visit.stop_id.is_(None), _DAY_ALONE.between(first, last)
    )
    return Visit.id.in_(union_all(on_a_route, taken_off))


def joined_visits(statement: Select[Any]) -> Select[Any]:
    return (
        statement.select_from(Visit)
        .join(Person, and_(Person.agency_id == Visit.agency_id, Person.id == Visit.person_id))
        .join(Address, and_(Address.agency_id == Visit.agency_id, Address.id == Visit.address_id))
        .join(Agent, and_(Agent.agency_id == Visit.agency_id, Agent.id == Visit.agent_id))
        .outerjoin(Stop, and_(Stop.agency_id == Visit.agency_id, Stop.id == Visit.stop_id))
        .outerjoin(Route, and_(Route.agency_id == Stop.agency_id, Route.id == Stop.route_id))
        .outerjoin(Plan, and_(Plan.agency_id == Route.agency_id, Plan.id == Route.plan_id))
        .where(Visit.agency_id == current_agency())
    )


def _latest_outcome() -> Any:
    return (
        select(Attempt.outcome)
        .where(Attempt.agency_id == Visit.agency_id, Attempt.visit_id == Visit.id)
        .order_by(Attempt.number.desc())
        .limit(1)
        .scalar_subquery()
    )
