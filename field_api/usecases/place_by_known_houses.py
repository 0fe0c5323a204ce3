"""Places that no geocoder knows to the house: between known numbers of their street, or in its middle."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from uuid import UUID

from sqlalchemy.orm import Session

from field_api.domain.findings import Source
from field_api.domain.house_numbers import KnownHouse, interpolate, read_number, street_middle, trusted
from field_api.domain.placing import Located, PlaceQuality
from field_api.domain.ports import Calendars
from field_api.queries.known_houses import (
    BadlyPlaced,
    StreetKey,
    badly_placed,
    known_houses,
    still_badly_placed,
)
from field_api.usecases.place_address import place_address

AT_ONCE = 1_000
"""Addresses that are loaded and locked together."""


def place_by_known_houses(session: Session, calendars: Calendars, *, also_wanted: bool = False) -> int:
    """Place what is approximate or unknown by the agency's own known houses. How many became better known.

    `also_wanted`: there is no geocoder that would be asked for the others. A point between two numbers replaces a
    street's middle, a street's middle only nothing. Two statements, one where nothing waits, and one for each AT_ONCE
    that become better known: those alone are loaded and locked.
    """
    better = _better(session, also_wanted)
    ids, placed = sorted(better), 0
    for at in range(0, len(ids), AT_ONCE):
        for address in session.scalars(still_badly_placed(ids[at : at + AT_ONCE], also_wanted=also_wanted)):
            place_address(address, better[address.id], "geocoded", calendars)
            placed += 1
        session.flush()
    return placed


def _better(session: Session, also_wanted: bool) -> dict[UUID, Located]:
    waiting = badly_placed(session, also_wanted=also_wanted)
    streets = _streets(session, waiting) if waiting else {}
    found = ((one.address_id, _located(one, streets.get(one.street, []))) for one in waiting)
    return {address_id: located for address_id, located in found if located is not None}


def _streets(session: Session, waiting: Iterable[BadlyPlaced]) -> dict[StreetKey, list[KnownHouse]]:
    by_street: dict[StreetKey, list[KnownHouse]] = defaultdict(list)
    for key, house in known_houses(session, {one.street for one in waiting}):
        by_street[key].append(house)
    return {key: trusted(houses) for key, houses in by_street.items()}


def _located(one: BadlyPlaced, houses: list[KnownHouse]) -> Located | None:
    number = read_number(one.number)
    between = interpolate(number, houses) if number else None
    if between is not None:
        return Located(between.point, PlaceQuality.INTERPOLATED, Source.KNOWN_HOUSES)
    if one.is_somewhere:
        return None
    middle = street_middle([house.point for house in houses])
    return Located(middle, PlaceQuality.STREET, Source.KNOWN_HOUSES) if middle else None
