"""Coordinates for addresses that came without, from configured geocoders. Nobody is asked for the same place twice."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from field_api.domain.placing import Located
from field_api.domain.ports import Calendars, Geocoder, GeocoderFailed, PostalAddress
from field_api.platform.tenancy import current_agency
from field_api.queries.geocoder_answers import answers_of, asked_as, is_still_good, place_told, postal_address
from field_api.records.people import Address
from field_api.records.places import GeocoderAnswer
from field_api.usecases.place_address import place_address
from field_api.usecases.remember_answer import remember_answer


@dataclass(frozen=True)
class Geocoded:
    found: int
    unknown: int  # they stay on the dispatcher's list
    trouble: str | None = None
    """Services that could not be asked, or not for some address: those are tried another time. Names no address."""
    last: UUID | None = field(default=None, compare=False)
    """The address to go on after; None where no more wait."""

    @property
    def tried(self) -> int:
        return self.found + self.unknown


def geocode_addresses(
    session: Session,
    geocoder: Geocoder,
    calendars: Calendars,
    *,
    now: datetime,
    at_most: int = 20,
    after: UUID | None = None,
) -> Geocoded:
    """Try up to `at_most` addresses that want coordinates, those `after` the last one; call again with it while it
    could try any. One that a service chokes on stands in nobody's way: it stays wanted, and the next is tried.

    Small batches: each is a transaction that waits for a service outside. Only the postal address leaves the house.
    """
    wanted = session.scalars(
        select(Address)
        .where(
            Address.agency_id == current_agency(),
            Address.geocode_state == "wanted",
            Address.retired_at.is_(None),
            *([] if after is None else [Address.id > after]),
        )
        .order_by(Address.id)
        .limit(at_most)
        .with_for_update(skip_locked=True, key_share=True)
    ).all()
    known = answers_of(session, (postal_address(address) for address in wanted))
    found = unknown = 0
    trouble = None
    for address in wanted:
        try:
            located = _located(session, geocoder, postal_address(address), known, now)
        except GeocoderFailed as failure:
            trouble = str(failure)
            continue
        if located is None:
            address.geocode_state = "failed"
            unknown += 1
        else:
            place_address(address, located, "geocoded", calendars)
            found += 1
    return Geocoded(found, unknown, trouble, wanted[-1].id if wanted else None)


def ask_again(session: Session, geocoder: Geocoder, *, now: datetime) -> int:
    """Put back on the list what nobody knew, where that was long ago or there is somebody new to ask. How many."""
    failed = session.scalars(
        select(Address).where(
            Address.agency_id == current_agency(), Address.geocode_state == "failed", Address.retired_at.is_(None)
        )
    ).all()
    known = answers_of(session, (postal_address(address) for address in failed))
    again = [
        address
        for address in failed
        if not is_still_good(known.get(asked_as(postal_address(address))), geocoder.services, now)
    ]
    for address in again:
        address.geocode_state = "wanted"
    return len(again)


def _located(
    session: Session, geocoder: Geocoder, postal: PostalAddress, known: dict[bytes, GeocoderAnswer], now: datetime
) -> Located | None:
    asked = asked_as(postal)
    answer = known.get(asked)
    if answer is not None and is_still_good(answer, geocoder.services, now):
        return place_told(answer)
    located = geocoder.locate(postal)
    known[asked] = remember_answer(session, asked, located, geocoder.services, now)
    return located
