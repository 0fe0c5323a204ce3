"""Houses that agents found at their doors: each becomes its address's place, or waits for a person if doubtful.

Done last, and in order of the addresses: phones whose operations name the same addresses never wait for each other.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from field_api.domain.findings import Finding, Source, doubt_about
from field_api.domain.placing import PlaceQuality
from field_api.platform.tenancy import current_agency
from field_api.queries.arrays import among
from field_api.records.people import Address
from field_api.usecases.keep_finding import keep_finding, place_of


@dataclass(frozen=True)
class FoundHouse:
    """What one operation said of the house that it was recorded at."""

    address_id: UUID
    finding: Finding
    at: datetime
    op_id: UUID
    agent_id: UUID


def apply_findings(session: Session, found: Sequence[FoundHouse]) -> None:
    """The last word on an address wins, in the order of the operations; every one is kept with what it replaced.

    The zone stays: what is believed lies within a walk of where the address was thought to be.
    """
    if not found:
        return
    wanted = {one.address_id for one in found}
    rows = session.scalars(
        select(Address)
        .where(Address.agency_id == current_agency(), among(Address.id, wanted))
        .order_by(Address.id)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    )
    addresses = {address.id: address for address in rows}
    for one in found:
        _apply(session, addresses[one.address_id], one)


def _apply(session: Session, address: Address, found: FoundHouse) -> None:
    quality = PlaceQuality(address.place_quality) if address.place_quality else None
    doubt = doubt_about(found.finding, place_of(address), quality)
    keep_finding(
        session,
        address,
        found.finding.point,
        state="candidate" if doubt else "applied",
        doubt=doubt,
        accuracy_m=found.finding.accuracy_m,
        found_at=found.at,
        op_id=found.op_id,
        agent_id=found.agent_id,
    )
    if doubt is None:
        take_finding(address, found.finding.point.latitude, found.finding.point.longitude)


def take_finding(address: Address, latitude: float, longitude: float) -> None:
    address.latitude, address.longitude = latitude, longitude
    address.place_quality, address.place_source = PlaceQuality.HOUSE.value, Source.AGENT.value
    address.geocode_state = "given"
    address.version += 1
