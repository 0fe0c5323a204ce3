"""Houses whose place is known, and addresses whose place is not, or not well."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, or_, select
from sqlalchemy.orm import Session

from field_api.domain.cells import fold
from field_api.domain.house_numbers import KnownHouse, read_number
from field_api.domain.placing import PlaceQuality
from field_api.domain.routing import Point
from field_api.platform.tenancy import current_agency
from field_api.queries.arrays import among
from field_api.records.people import Address

StreetKey = tuple[str, str, str, str]
_APPROXIMATE = (PlaceQuality.STREET.value, PlaceQuality.NEIGHBOURHOOD.value)
_WHERE = (Address.country, Address.street, Address.neighbourhood, Address.postcode, Address.city, Address.municipality)


def street_key(
    country: str,
    street: str,
    neighbourhood: str | None,
    postcode: str | None,
    city: str | None,
    municipality: str | None,
) -> StreetKey:
    """One street: names repeat from neighbourhood to neighbourhood where those are told, else from postcode to
    postcode."""
    return country, fold(street), fold(neighbourhood or postcode or ""), fold(city or municipality or "")


@dataclass(frozen=True)
class BadlyPlaced:
    """An address on a street's or a neighbourhood's middle, or nowhere."""

    address_id: UUID
    street: StreetKey
    number: str | None
    is_somewhere: bool


def badly_placed(session: Session, *, also_wanted: bool) -> list[BadlyPlaced]:
    """Addresses on a street's or a neighbourhood's middle, and those that no geocoder knew; with `also_wanted` those
    too that none was asked for. One statement; only what is said here is loaded, since most may wait for ever."""
    rows = select(Address.id, Address.number, Address.geocode_state, *_WHERE).where(_badly(also_wanted))
    return [
        BadlyPlaced(address_id, street_key(*where), number, state == "geocoded")
        for address_id, number, state, *where in session.execute(rows.execution_options(yield_per=5_000))
    ]


def still_badly_placed(ids: Collection[UUID], *, also_wanted: bool) -> Select[tuple[Address]]:
    """Those of them that still are, locked; what another holds is left out."""
    rows = select(Address).where(_badly(also_wanted), among(Address.id, ids)).order_by(Address.id)
    return rows.with_for_update(skip_locked=True, key_share=True)


def _badly(also_wanted: bool) -> ColumnElement[bool]:
    states = ["failed", "wanted"] if also_wanted else ["failed"]
    approximate = (Address.geocode_state == "geocoded") & Address.place_quality.in_(_APPROXIMATE)
    return and_(
        Address.agency_id == current_agency(),
        Address.retired_at.is_(None),
        or_(Address.geocode_state.in_(states), approximate),
    )


def known_houses(session: Session, streets: Collection[StreetKey]) -> Iterator[tuple[StreetKey, KnownHouse]]:
    """Houses on these streets: what the creditor gave, a geocoder knew as a house, or somebody found.

    One statement, streamed over every placed address of these countries: accents and punctuation of a street's name
    are not the database's to compare.
    """
    rows = select(*_WHERE, Address.number, Address.latitude, Address.longitude).where(
        Address.agency_id == current_agency(),
        Address.country.in_({key[0] for key in streets}),
        Address.latitude.is_not(None),
        Address.longitude.is_not(None),
        Address.number.is_not(None),
        or_(
            Address.place_quality == PlaceQuality.HOUSE.value,
            Address.place_quality.is_(None) & (Address.geocode_state == "given"),
        ),
    )
    for *where, number, latitude, longitude in session.execute(rows.execution_options(yield_per=5_000)):
        read = read_number(number)
        key = street_key(*where)
        if read is not None and key in streets:
            yield key, KnownHouse(read, Point(latitude, longitude))
