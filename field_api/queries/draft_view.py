"""A plan's routes with all that is on them, for a map and a list: six statements, whatever the size."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Row, select
from sqlalchemy.orm import Session

from field_api.platform.tenancy import current_agency
from field_api.queries.plan_version import plan_version
from field_api.records.base import load
from field_api.records.drafts import ManualWish
from field_api.records.people import Address
from field_api.records.planning import Agent, Plan, Route, Stop
from field_api.records.visits import Visit, VisitAccount


@dataclass(frozen=True)
class StopView:
    stop: Stop
    address: Address
    visits: int
    pinned_agent: bool
    pinned_position: int | None
    added: bool


@dataclass(frozen=True)
class RouteView:
    """`work_s` at doors, `travel_s` between them, `idle_s` whatever else is between leaving and being home: waiting for
    hours to begin, and lunch. `line` is where the agent goes, as the crow flies between stops."""

    route: Route
    agent: Agent
    stops: list[StopView]

    @property
    def visits(self) -> int:
        return sum(stop.visits for stop in self.stops)

    @property
    def work_s(self) -> int:
        return sum(entry.stop.service_s for entry in self.stops)

    @property
    def idle_s(self) -> int:
        out_s = int((self.route.ends_at - self.route.starts_at).total_seconds())
        return max(0, out_s - self.route.travel_s - self.work_s)

    @property
    def line(self) -> dict[str, Any]:
        """GeoJSON (RFC 7946): longitude before latitude."""
        places = [(entry.address.longitude, entry.address.latitude) for entry in self.stops]
        start = (self.route.start_longitude, self.route.start_latitude)
        end = (self.route.end_longitude, self.route.end_latitude)
        known = [place for place in (start, *places, end) if None not in place]
        return {"type": "LineString", "coordinates": [list(place) for place in known]}


@dataclass(frozen=True)
class DraftView:
    plan: Plan
    version: str
    routes: list[RouteView]


def draft_view(session: Session, plan_id: UUID) -> DraftView:
    """The plan's routes by agent's code. Raises `not-found`."""
    plan = load(session, Plan, plan_id)
    routes = session.execute(
        select(Route, Agent)
        .join(Agent, (Agent.agency_id == Route.agency_id) & (Agent.id == Route.agent_id))
        .where(Route.agency_id == current_agency(), Route.plan_id == plan_id)
        .order_by(Agent.code)
    ).all()
    stops = _stops(session, plan_id)
    views = [RouteView(route, agent, stops.get(route.id, [])) for route, agent in routes]
    return DraftView(plan, plan_version(session, plan), views)


def _stops(session: Session, plan_id: UUID) -> dict[UUID, list[StopView]]:
    rows = session.execute(
        select(Stop, Address)
        .join(Route, (Route.agency_id == Stop.agency_id) & (Route.id == Stop.route_id))
        .join(Address, (Address.agency_id == Stop.agency_id) & (Address.id == Stop.address_id))
        .where(Route.agency_id == current_agency(), Route.plan_id == plan_id)
        .order_by(Stop.route_id, Stop.position)
    ).all()
    about = _about(session, plan_id)
    found: dict[UUID, list[StopView]] = {}
    for stop, address in rows:
        found.setdefault(stop.route_id, []).append(_view(stop, address, about.get(stop.id, [])))
    return found


def _view(stop: Stop, address: Address, about: Sequence[Row[Any]]) -> StopView:
    return StopView(
        stop,
        address,
        visits=len({row.visit_id for row in about}),
        pinned_agent=any(row.agent_id is not None for row in about),
        pinned_position=next((row.position for row in about if row.position is not None), None),
        added=any(row.added for row in about),
    )


def _about(session: Session, plan_id: UUID) -> dict[UUID, list[Row[Any]]]:
    """By stop: its visits' accounts with what was said of them by hand."""
    query = (
        select(
            Visit.stop_id,
            Visit.id.label("visit_id"),
            ManualWish.agent_id,
            ManualWish.position,
            ManualWish.added,
        )
        .join(Stop, (Stop.agency_id == Visit.agency_id) & (Stop.id == Visit.stop_id))
        .join(Route, (Route.agency_id == Stop.agency_id) & (Route.id == Stop.route_id))
        .join(VisitAccount, (VisitAccount.agency_id == Visit.agency_id) & (VisitAccount.visit_id == Visit.id))
        .outerjoin(
            ManualWish,
            (ManualWish.agency_id == VisitAccount.agency_id)
            & (ManualWish.account_id == VisitAccount.account_id)
            & (ManualWish.plan_id == Route.plan_id),
        )
        .where(Route.agency_id == current_agency(), Route.plan_id == plan_id)
    )
    found: dict[UUID, list[Row[Any]]] = {}
    for row in session.execute(query):
        found.setdefault(row.stop_id, []).append(row)
    return found
