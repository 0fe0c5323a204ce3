"""The dispatcher's list: addresses without coordinates, which nobody can be sent to."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Select, select

from field_api.platform.tenancy import current_agency
from field_api.records.people import Address, Person


@dataclass(frozen=True)
class UnplacedAddress:
    address: Address
    person_name: str


def unplaced_addresses() -> Select[tuple[Address, str]]:
    """(Address, name of its person) of addresses that wait for a geocoder (`wanted`) or that it did not know
    (`failed`). Unordered."""
    return (
        select(Address, Person.name)
        .join(Person, (Person.agency_id == Address.agency_id) & (Person.id == Address.person_id))
        .where(
            Address.agency_id == current_agency(),
            Address.retired_at.is_(None),
            Address.geocode_state.in_(["wanted", "failed"]),
        )
    )
