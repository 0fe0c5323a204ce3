"""Keep a house that somebody found, with where it was thought to be."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from field_api.domain.house_numbers import metres
from field_api.domain.routing import Point
from field_api.records.people import Address
from field_api.records.places import HouseFinding


def keep_finding(
    session: Session,
    address: Address,
    point: Point,
    *,
    state: str,
    found_at: datetime,
    doubt: str | None = None,
    accuracy_m: float | None = None,
    op_id: UUID | None = None,
    agent_id: UUID | None = None,
    decided_at: datetime | None = None,
) -> HouseFinding:
    """Before the address is changed: the row says where it was."""
    known = _place_of(address)
    finding = HouseFinding(
        address_id=address.id,
        op_id=op_id,
        agent_id=agent_id,
        state=state,
        doubt=doubt,
        latitude=point.latitude,
        longitude=point.longitude,
        accuracy_m=accuracy_m,
        moved_m=round(metres(known, point), 1) if known else None,
        before_latitude=address.latitude,
        before_longitude=address.longitude,
        before_quality=address.place_quality,
        before_source=address.place_source,
        found_at=found_at,
        decided_at=decided_at,
    )
    session.add(finding)
    return finding


def _place_of(address: Address) -> Point | None:
    if address.latitude is None or address.longitude is None:
        return None
    return Point(address.latitude, address.longitude)
