"""A person decides about a house that was found where it could not be believed by itself."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from field_api.domain.findings import Source
from field_api.domain.placing import Located, PlaceQuality
from field_api.domain.ports import Calendars
from field_api.domain.routing import Point
from field_api.platform.problems import Problem
from field_api.records.base import load
from field_api.records.people import Address
from field_api.records.places import HouseFinding
from field_api.usecases.place_address import place_address


def decide_finding(
    session: Session, finding_id: UUID, calendars: Calendars, *, accept: bool, now: datetime
) -> HouseFinding:
    """Accept: the address lies there, by a person's word; it may be far off, in another zone. Raises `not-found`,
    `already-done`."""
    finding = load(session, HouseFinding, finding_id, lock=True)
    if finding.state != "candidate":
        raise Problem("already-done", f"this finding was {finding.state} before")
    finding.state = "applied" if accept else "rejected"
    finding.decided_at = now
    if accept:
        address = load(session, Address, finding.address_id, lock=True)
        point = Point(finding.latitude, finding.longitude)
        place_address(address, Located(point, PlaceQuality.HOUSE, Source.DISPATCHER), "given", calendars)
    return finding
