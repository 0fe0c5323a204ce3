"""Places that no geocoder knows to the house: between known numbers of their street, or in its middle."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from sqlalchemy.orm import Session

from field_api.domain.findings import Source
from field_api.domain.house_numbers import KnownHouse, interpolate, read_number, street_middle, trusted
from field_api.domain.placing import Located, PlaceQuality
from field_api.domain.ports import Calendars
from field_api.queries.known_houses import StreetKey, badly_placed, known_houses, street_of
from field_api.records.people import Address
from field_api.usecases.place_address import place_address


def place_by_known_houses(session: Session, calendars: Calendars, *, also_wanted: bool = False) -> int:
    """Place what is approximate or unknown by the agency's own known houses. How many became better known.

    `also_wanted`: there is no geocoder that would be asked for the others. A point between two numbers replaces a
    street's middle, a street's middle only nothing. Two statements, and none where nothing waits.
    """
    waiting = session.scalars(badly_placed(also_wanted=also_wanted)).all()
    if not waiting:
        return 0
    streets = _streets(session, waiting)
    placed = 0
    for address in waiting:
        located = _located(address, streets.get(street_of(address), []))
        if located is not None:
            place_address(address, located, "geocoded", calendars)
            placed += 1
    return placed


def _streets(session: Session, waiting: Iterable[Address]) -> dict[StreetKey, list[KnownHouse]]:
    by_street: dict[StreetKey, list[KnownHouse]] = defaultdict(list)
    for key, house in known_houses(session, {street_of(address) for address in waiting}):
        by_street[key].append(house)
    return {key: trusted(houses) for key, houses in by_street.items()}


def _located(address: Address, houses: list[KnownHouse]) -> Located | None:
    number = read_number(address.number)
    between = interpolate(number, houses) if number else None
    if between is not None:
        return Located(between.point, PlaceQuality.INTERPOLATED, Source.KNOWN_HOUSES)
    if address.geocode_state == "geocoded":
        return None
    middle = street_middle([house.point for house in houses])
    return Located(middle, PlaceQuality.STREET, Source.KNOWN_HOUSES) if middle else None
