"""Write solved routes as rows: routes, stops, visits, what each visit is about, and the first line of its story."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import insert
from sqlalchemy.orm import Session

from field_api.domain.confidential import Confidential
from field_api.domain.routing import PlacedRoute, PlacedStop
from field_api.domain.stops import SoughtStop
from field_api.domain.vocabulary import VisitEventKind
from field_api.platform.bounded_json import canonical
from field_api.platform.ids import new_id, new_opaque_id
from field_api.queries.agents_on_duty import OnDuty
from field_api.records.planning import Plan, Route, Stop
from field_api.records.visits import Visit, VisitAccount, VisitEvent

ARRIVAL_SPAN = timedelta(minutes=30)
"""How far an arrival may be off before a dispatcher would call it late."""

Rows = dict[type, list[dict[str, Any]]]


def write_routes(
    session: Session,
    plan: Plan,
    routes: Sequence[PlacedRoute],
    on_duty: Sequence[OnDuty],
    stops: Sequence[SoughtStop],
    *,
    now: datetime,
    actor: str,
) -> None:
    """Insert everything, table by table: five statements, whatever the size of the plan."""
    rows: Rows = {Route: [], Stop: [], Visit: [], VisitAccount: [], VisitEvent: []}
    for route in routes:
        agent = on_duty[route.agent]
        route_id = new_id()
        rows[Route].append(
            {
                "id": route_id,
                "plan_id": plan.id,
                "agent_id": agent.agent_id,
                "starts_at": route.starts_at,
                "ends_at": route.ends_at,
                "start_latitude": agent.day.start.latitude,
                "start_longitude": agent.day.start.longitude,
                "end_latitude": agent.day.end.latitude,
                "end_longitude": agent.day.end.longitude,
                "distance_m": route.distance_m,
                "travel_s": route.travel_s,
                "lunch_at": route.lunch_at,
            }
        )
        for position, placed in enumerate(route.stops, start=1):
            add_stop(rows, plan, route_id, agent.agent_id, position, placed, stops[placed.stop], now, actor)
    insert_rows(session, rows)


def insert_rows(session: Session, rows: Rows) -> None:
    """A statement for each table, in order of what refers to what."""
    for table, entries in rows.items():
        if entries:
            session.execute(insert(table), entries)


def add_stop(
    rows: Rows,
    plan: Plan,
    route_id: UUID,
    agent_id: UUID,
    position: int,
    placed: PlacedStop,
    stop: SoughtStop,
    now: datetime,
    actor: str,
) -> UUID:
    """Add the rows of one stop with its visits; returns its id."""
    stop_id = new_id()
    rows[Stop].append(
        {
            "id": stop_id,
            "route_id": route_id,
            "address_id": stop.visits[0].address_id,
            "position": position,
            **stop_times(placed.begins_at, stop),
        }
    )
    story = {
        "plan_id": str(plan.id),
        "position": position,
        "arrival_from": placed.begins_at.isoformat(),
        "contact_hours": [stop.opens_at.isoformat(), stop.closes_at.isoformat()],
        "rules": [str(rule) for rule in stop.rules],
    }
    body = canonical(story).decode()
    for sought in stop.visits:
        visit_id = new_opaque_id()
        rows[Visit].append(
            {
                "id": visit_id,
                "stop_id": stop_id,
                "agent_id": agent_id,
                "person_id": sought.person_id,
                "address_id": sought.address_id,
                "state": "planned",
                "planned_at": now,
            }
        )
        rows[VisitAccount] += [
            {"id": new_id(), "visit_id": visit_id, "account_id": account_id, "role": role}
            for account_id, role in sought.accounts
        ]
        rows[VisitEvent].append(
            {
                "id": new_id(),
                "visit_id": visit_id,
                "at": now,
                "kind": VisitEventKind.PLANNED.value,
                "actor": actor,
                "body": Confidential(body),
            }
        )
    return stop_id


def stop_times(begins_at: datetime, stop: SoughtStop) -> dict[str, Any]:
    """The columns of a stop that say when: with the hours that hold there, and how late an arrival may be."""
    latest = stop.over_by(begins_at) - timedelta(seconds=stop.service_s)
    return {
        "arrival_from": begins_at,
        "arrival_to": max(begins_at, min(begins_at + ARRIVAL_SPAN, latest)),
        "visit_from": stop.opens_at,
        "visit_until": stop.closes_at,
        "service_s": stop.service_s,
    }
