"""An agent's day: stops in order, with the visits behind each."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from field_api.platform.problems import Problem
from field_api.platform.tenancy import current_agency
from field_api.records.base import load
from field_api.records.people import Address, Person
from field_api.records.planning import Agent, Plan, Route, Stop
from field_api.records.visits import Visit


@dataclass(frozen=True)
class VisitOnRoute:
    visit: Visit
    person_name: str


@dataclass(frozen=True)
class StopOnRoute:
    stop: Stop
    address: Address
    visits: list[VisitOnRoute]


@dataclass(frozen=True)
class RouteOfAgent:
    agent: Agent
    plan: Plan
    route: Route
    stops: list[StopOnRoute]


def route_of_agent(session: Session, agent_id: UUID, day: date) -> RouteOfAgent:
    """The agent's published route of the day, else the drafted one. Four statements. Raises `not-found`."""
    agent = load(session, Agent, agent_id)
    # "draft" sorts before "published".
    found = session.execute(
        select(Plan, Route)
        .join(Route, (Route.agency_id == Plan.agency_id) & (Route.plan_id == Plan.id))
        .where(Plan.agency_id == current_agency(), Plan.for_day == day, Route.agent_id == agent_id)
        .order_by(Plan.state.desc(), Plan.created_at.desc())
        .limit(1)
    ).one_or_none()
    if found is None:
        raise Problem("not-found", "the agent has no route on that day")
    plan, route = found
    return RouteOfAgent(agent, plan, route, _stops(session, route.id))


def _stops(session: Session, route_id: UUID) -> list[StopOnRoute]:
    visits: dict[UUID, list[VisitOnRoute]] = {}
    for visit, name in session.execute(_visits(route_id)):
        visits.setdefault(visit.stop_id, []).append(VisitOnRoute(visit, name))
    rows = session.execute(
        select(Stop, Address)
        .join(Address, (Address.agency_id == Stop.agency_id) & (Address.id == Stop.address_id))
        .where(Stop.agency_id == current_agency(), Stop.route_id == route_id)
        .order_by(Stop.position)
    )
    return [StopOnRoute(stop, address, visits.get(stop.id, [])) for stop, address in rows]


def _visits(route_id: UUID) -> Select[tuple[Visit, str]]:
    return (
        select(Visit, Person.name)
        .join(Stop, (Stop.agency_id == Visit.agency_id) & (Stop.id == Visit.stop_id))
        .join(Person, (Person.agency_id == Visit.agency_id) & (Person.id == Visit.person_id))
        .where(Stop.agency_id == current_agency(), Stop.route_id == route_id)
        .order_by(Person.name, Visit.id)
    )
