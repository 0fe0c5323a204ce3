"""Where visits were and whose they are, for captions."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, tzinfo
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from field_api.platform.tenancy import current_agency
from field_api.records.people import Address
from field_api.records.planning import Agent
from field_api.records.visits import Visit


@dataclass(frozen=True)
class VisitPlace:
    visit_id: UUID
    street: str
    agent: str
    zone: tzinfo


def visit_places(session: Session, visit_ids: Collection[UUID]) -> dict[UUID, VisitPlace]:
    """One statement. An address without a time zone is told in UTC."""
    rows = session.execute(
        select(Visit.id, Address.street, Address.number, Address.city, Address.timezone, Agent.name)
        .join(Address, (Address.agency_id == Visit.agency_id) & (Address.id == Visit.address_id))
        .join(Agent, (Agent.agency_id == Visit.agency_id) & (Agent.id == Visit.agent_id))
        .where(Visit.agency_id == current_agency(), Visit.id.in_(visit_ids))
    )
    return {
        visit_id: VisitPlace(
            visit_id,
            ", ".join(part for part in (" ".join(filter(None, (street, number))), city) if part),
            agent,
            ZoneInfo(zone) if zone else UTC,
        )
        for visit_id, street, number, city, zone, agent in rows
    }
