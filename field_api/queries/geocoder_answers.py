"""What geocoders said before of postal addresses."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from sqlalchemy import LargeBinary, any_, literal, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session

from field_api.domain.placing import Located, PlaceQuality
from field_api.domain.ports import PostalAddress
from field_api.domain.routing import Point
from field_api.platform.columns import fingerprint
from field_api.platform.tenancy import current_agency
from field_api.records.people import Address
from field_api.records.places import GeocoderAnswer


def postal_address(address: Address) -> PostalAddress:
    """What may be asked about it: neither whose it is, nor between which streets, nor any hint."""
    return PostalAddress(
        street=address.street,
        number=address.number,
        neighbourhood=address.neighbourhood,
        city=address.city or address.municipality,
        postcode=address.postcode,
        state=address.state,
        country=address.country,
    )


def asked_as(postal: PostalAddress) -> bytes:
    """A keyed hash of the postal address: equal for equal text, and nothing that reads as an address."""
    parts = (
        postal.street, postal.number, postal.neighbourhood, postal.city, postal.postcode, postal.state, postal.country,
    )  # fmt: skip
    text = "\x1f".join(" ".join((part or "").casefold().split()) for part in parts)
    return fingerprint("geocoder_answer.asked")(text)


def answers_of(session: Session, postal: Iterable[PostalAddress]) -> dict[bytes, GeocoderAnswer]:
    """By what was asked; what was never asked is absent. One statement with one array: an IN list would meet
    PostgreSQL's limit of 65,535 parameters."""
    asked = {asked_as(one) for one in postal}
    if not asked:
        return {}
    wanted = literal(sorted(asked), ARRAY(LargeBinary()))
    rows = select(GeocoderAnswer).where(
        GeocoderAnswer.agency_id == current_agency(), GeocoderAnswer.asked == any_(wanted)
    )
    return {row.asked: row for row in session.scalars(rows)}


def is_still_good(answer: GeocoderAnswer | None, services: Sequence[str], now: datetime) -> bool:
    """Not expired; and where it is no house, nobody is configured now who was not asked then."""
    if answer is None or (answer.expires_at is not None and answer.expires_at <= now):
        return False
    return answer.quality == PlaceQuality.HOUSE or set(services) <= set(answer.services.split(", "))


def place_told(answer: GeocoderAnswer) -> Located | None:
    if answer.latitude is None or answer.longitude is None or answer.quality is None:
        return None
    return Located(Point(answer.latitude, answer.longitude), PlaceQuality(answer.quality), answer.source or "")
