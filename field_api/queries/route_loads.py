"""How full agents' days are: minutes at work against their shift, and where routes lead."""

from __future__ import annotations

from collections import defaultdict
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from field_api.domain.route_sketch import Sketch, sketch
from field_api.platform.tenancy import current_agency
from field_api.records.people import Address
from field_api.records.planning import Plan, Route, Shift, Stop

PICTURE_HEIGHT = 0.75
Place = tuple[float, float]


def shift_s(session: Session, day: date) -> dict[UUID, int]:
    """Length of each agent's shift on that weekday, by agent; nobody's who has none. One statement."""
    rows = session.scalars(select(Shift).where(Shift.agency_id == current_agency(), Shift.weekday == day.weekday()))
    return {
        shift.agent_id: int(
            (datetime.combine(day, shift.ends_at) - datetime.combine(day, shift.starts_at)).total_seconds()
        )
        for shift in rows
    }


def service_s(session: Session, plan_id: UUID) -> dict[UUID, int]:
    """Seconds at doors, by route. One statement."""
    rows = session.execute(
        select(Stop.route_id, func.sum(Stop.service_s))
        .join(Route, (Route.agency_id == Stop.agency_id) & (Route.id == Stop.route_id))
        .where(Stop.agency_id == current_agency(), Route.plan_id == plan_id)
        .group_by(Stop.route_id)
    )
    return {route_id: int(seconds) for route_id, seconds in rows}


def route_sketches(session: Session, plan: Plan) -> dict[UUID, Sketch]:
    """By route: its way drawn to scale. Two statements."""
    stops: dict[UUID, list[Place]] = defaultdict(list)
    rows = session.execute(
        select(Stop.route_id, Address.latitude, Address.longitude)
        .join(Route, (Route.agency_id == Stop.agency_id) & (Route.id == Stop.route_id))
        .join(Address, (Address.agency_id == Stop.agency_id) & (Address.id == Stop.address_id))
        .where(Stop.agency_id == current_agency(), Route.plan_id == plan.id)
        .order_by(Stop.route_id, Stop.position)
    )
    for route_id, latitude, longitude in rows:
        if latitude is not None and longitude is not None:
            stops[route_id].append((latitude, longitude))
    routes = session.scalars(select(Route).where(Route.agency_id == current_agency(), Route.plan_id == plan.id))
    return {
        route.id: sketch(
            (route.start_latitude, route.start_longitude),
            stops[route.id],
            (route.end_latitude, route.end_longitude),
            PICTURE_HEIGHT,
        )
        for route in routes
    }
