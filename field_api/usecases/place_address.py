"""Give an address its coordinates, and say how well they are known and by whom."""

from __future__ import annotations

from field_api.domain.placing import Located
from field_api.domain.ports import Calendars
from field_api.records.people import Address


def place_address(address: Address, located: Located, state: str, calendars: Calendars) -> None:
    """`state`: given (by a person) or geocoded. The zone follows the place."""
    point = located.point
    address.latitude, address.longitude = point.latitude, point.longitude
    address.place_quality, address.place_source = located.quality.value, located.source
    address.geocode_state = state
    address.timezone = next(iter(calendars.zones_at(point.latitude, point.longitude)), None)
    address.version += 1
