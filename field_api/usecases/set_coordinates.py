"""A dispatcher says where an address is."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from field_api.domain.findings import Source
from field_api.domain.placing import Located, PlaceQuality
from field_api.domain.ports import Calendars
from field_api.domain.routing import Point
from field_api.records.base import load
from field_api.records.people import Address
from field_api.usecases.keep_finding import keep_finding
from field_api.usecases.place_address import place_address
from field_api.usecases.set_shift import checked_point


def set_coordinates(
    session: Session, address_id: UUID, point: Point, calendars: Calendars, *, now: datetime
) -> Address:
    """They found the place on a map. Kept with where it was before. Raises `not-found`, `invalid-fields`."""
    address = load(session, Address, address_id, lock=True)
    checked = checked_point(point, "latitude")
    keep_finding(session, address, checked, state="applied", found_at=now, decided_at=now)
    place_address(address, Located(checked, PlaceQuality.HOUSE, Source.DISPATCHER), "given", calendars)
    return address
