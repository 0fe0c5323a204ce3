"""Coordinates for addresses that came without: from a configured geocoder, or from a dispatcher."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from field_api.domain.ports import Calendars, Geocoder, PostalAddress
from field_api.domain.routing import Point
from field_api.platform.tenancy import current_agency
from field_api.records.base import load
from field_api.records.people import Address
from field_api.usecases.set_shift import checked_point


@dataclass(frozen=True)
class Geocoded:
    found: int
    unknown: int  # they stay on the dispatcher's list

    @property
    def tried(self) -> int:
        return self.found + self.unknown


def geocode_addresses(session: Session, geocoder: Geocoder, calendars: Calendars, *, at_most: int = 20) -> Geocoded:
    """Try up to `at_most` addresses that want coordinates; call again until it tried none.

    Small batches: each is a transaction that waits for a service outside. Only the postal address leaves the house.
    Raises GeocoderFailed; what was found before in this batch is lost with the transaction, nothing else.
    """
    wanted = session.scalars(
        select(Address)
        .where(Address.agency_id == current_agency(), Address.geocode_state == "wanted")
        .order_by(Address.id)
        .limit(at_most)
        .with_for_update(skip_locked=True, key_share=True)
    ).all()
    found = 0
    for address in wanted:
        point = geocoder.locate(_postal(address))
        if point is None:
            address.geocode_state = "failed"
        else:
            _place(address, point, "geocoded", calendars)
            found += 1
    return Geocoded(found, len(wanted) - found)


def set_coordinates(session: Session, address_id: UUID, point: Point, calendars: Calendars) -> Address:
    """A dispatcher found the place on a map. Raises `not-found`, `invalid-fields`."""
    address = load(session, Address, address_id, lock=True)
    _place(address, checked_point(point, "latitude"), "given", calendars)
    return address


def _place(address: Address, point: Point, state: str, calendars: Calendars) -> None:
    address.latitude, address.longitude, address.geocode_state = point.latitude, point.longitude, state
    address.timezone = next(iter(calendars.zones_at(point.latitude, point.longitude)), None)
    address.version += 1


def _postal(address: Address) -> PostalAddress:
    return PostalAddress(
        street=address.street,
        number=address.number,
        neighbourhood=address.neighbourhood,
        city=address.city or address.municipality,
        postcode=address.postcode,
        state=address.state,
        country=address.country,
    )
