"""Houses that agents found at their doors: each becomes its address's place, or waits for a person if doubtful.

Done last, and in order of the addresses: phones whose operations name the same addresses never wait for each other.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import Session

from field_api.domain.findings import Finding, Source, doubt_about
from field_api.domain.placing import PlaceQuality
from field_api.domain.routing import Point
from field_api.platform.tenancy import current_agency
from field_api.queries.arrays import among
from field_api.records.people import Address
from field_api.records.places import HouseFinding
from field_api.usecases.keep_finding import keep_finding

Known = tuple[Point | None, PlaceQuality | None]


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

    Each is held against where the address lies and against where it lay before any phone moved it: steps that are each
    believed take no address across a town.

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
    before = _before_phones(session, addresses.values())
    for one in found:
        _apply(session, addresses[one.address_id], one, before)


def _before_phones(session: Session, addresses: Iterable[Address]) -> dict[UUID, Known]:
    """Where those that lie where phones found them were thought to be before."""
    moved = [address.id for address in addresses if address.place_source == Source.AGENT]
    if not moved:
        return {}
    firsts = (
        select(HouseFinding)
        .ext(distinct_on(HouseFinding.address_id))
        .where(
            HouseFinding.agency_id == current_agency(),
            among(HouseFinding.address_id, moved),
            HouseFinding.state == "applied",
            HouseFinding.before_source.is_distinct_from(Source.AGENT.value),
        )
        .order_by(HouseFinding.address_id, HouseFinding.id.desc())
    )
    return {
        one.address_id: _known(one.before_latitude, one.before_longitude, one.before_quality)
        for one in session.scalars(firsts)
    }


def _known(latitude: float | None, longitude: float | None, quality: str | None) -> Known:
    point = None if latitude is None or longitude is None else Point(latitude, longitude)
    return point, PlaceQuality(quality) if quality else None


def _apply(session: Session, address: Address, found: FoundHouse, before: dict[UUID, Known]) -> None:
    now = _known(address.latitude, address.longitude, address.place_quality)
    first = before.get(address.id, now)
    doubt = doubt_about(found.finding, *now) or doubt_about(found.finding, *first)
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
        before.setdefault(address.id, first)
        _take(address, found.finding.point)


def _take(address: Address, point: Point) -> None:
    address.latitude, address.longitude = point.latitude, point.longitude
    address.place_quality, address.place_source = PlaceQuality.HOUSE.value, Source.AGENT.value
    address.geocode_state = "given"
    address.version += 1
