"""What is kept of travel: legs that an engine told, areas that visits taught, and when agents were at which door."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import BigInteger, Boolean, any_, func, literal, not_, select
from sqlalchemy.dialects.postgresql import ARRAY, TEXT
from sqlalchemy.orm import Session

from field_api.domain.routing import Point
from field_api.domain.travel_areas import Stay
from field_api.domain.vocabulary import AT_THE_DOOR, VisitEventKind
from field_api.platform.tenancy import current_agency
from field_api.records.people import Address
from field_api.records.travel import KnownLegs, TravelArea
from field_api.records.visits import Visit, VisitEvent

DOUBTFUL = ["clock", "late"]
"""Flags of facts whose time or place is no measure of a road."""


def known_legs(session: Session, source: str, origins: Iterable[int], since: datetime) -> dict[int, bytes]:
    """The packed legs of these origins, not older than `since`."""
    wanted = literal(list(origins), ARRAY(BigInteger()))
    rows = session.execute(
        select(KnownLegs.origin, KnownLegs.legs).where(
            KnownLegs.agency_id == current_agency(),
            KnownLegs.source == source,
            KnownLegs.origin == any_(wanted),
            KnownLegs.asked_at >= since,
        )
    )
    return {row.origin: row.legs for row in rows}


def travel_areas(session: Session) -> dict[str, TravelArea]:
    rows = session.scalars(select(TravelArea).where(TravelArea.agency_id == current_agency()))
    return {row.area: row for row in rows}


def stays(session: Session, since: datetime, until: datetime) -> list[Stay]:
    """When agents were at doors: arrivals that phones reported, with the last fact from there."""
    event_at = func.min(VisitEvent.at).filter(VisitEvent.kind == VisitEventKind.ARRIVED.value)
    rows = session.execute(
        select(
            Visit.agent_id,
            func.date(VisitEvent.at),
            Address.latitude,
            Address.longitude,
            event_at.label("arrived_at"),
            func.max(VisitEvent.at).label("left_at"),
        )
        .join(Visit, (Visit.agency_id == VisitEvent.agency_id) & (Visit.id == VisitEvent.visit_id))
        .join(Address, (Address.agency_id == Visit.agency_id) & (Address.id == Visit.address_id))
        .where(
            VisitEvent.agency_id == current_agency(),
            VisitEvent.kind.in_([kind.value for kind in AT_THE_DOOR]),
            VisitEvent.at.between(since, until),
            VisitEvent.op_id.is_not(None),
            not_(VisitEvent.flags.op("?|", return_type=Boolean())(literal(DOUBTFUL, ARRAY(TEXT)))),
            Visit.state == "done",
            Address.latitude.is_not(None),
        )
        .group_by(Visit.agent_id, func.date(VisitEvent.at), Address.latitude, Address.longitude)
        .having(event_at.is_not(None))
    )
    return [
        Stay(f"{agent} {day}", Point(latitude, longitude), arrived_at, left_at)
        for agent, day, latitude, longitude, arrived_at, left_at in rows
    ]
