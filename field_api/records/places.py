"""What is known of places beside the address itself: answers of geocoders, and houses that somebody found."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import Index, LargeBinary, UniqueConstraint, text
from sqlalchemy.orm import Mapped

from field_api.platform.labels import internal, place
from field_api.records.base import SCHEMA, Tenant, refers


class GeocoderAnswer(Tenant):
    """What services said of one postal address, so that none is asked twice. Nobody's: neither text nor person."""

    __tablename__ = "geocoder_answer"
    __table_args__ = (UniqueConstraint("agency_id", "asked"), {"schema": SCHEMA})

    asked: Mapped[bytes] = internal(LargeBinary)  # keyed hash of the postal address, as it was asked for
    services: Mapped[str] = internal()  # who was asked, in order, comma separated
    latitude: Mapped[float | None] = place()  # None: nobody knew it
    longitude: Mapped[float | None] = place()
    quality: Mapped[str | None] = internal()  # field_api.domain.placing.PlaceQuality
    source: Mapped[str | None] = internal()
    asked_at: Mapped[datetime] = internal()
    expires_at: Mapped[datetime | None] = internal()  # None: a house that was found stays where it is


class PlaceHazard(Tenant):
    """What agents said a place is like for whoever comes next; whoever comes next may say that it is so no more.

    `fingerprint` is the address's, so that it holds for everybody who is sought there: of a place, of nobody.
    """

    __tablename__ = "place_hazard"
    __table_args__ = (UniqueConstraint("agency_id", "fingerprint", "hazard"), {"schema": SCHEMA})

    fingerprint: Mapped[bytes] = internal(LargeBinary)
    hazard: Mapped[str] = place()  # field_api.domain.vocabulary.Hazard
    present: Mapped[bool] = internal()
    told_at: Mapped[datetime] = internal()
    agent_id: Mapped[UUID] = internal()
    op_id: Mapped[UUID] = internal()


class HouseFinding(Tenant):
    """Somebody found where an address is: an agent at its door, or a dispatcher. Kept, whatever comes of it.

    `before_*` is what the address had when this took its place; of a candidate, when it came.
    """

    __tablename__ = "house_finding"
    __table_args__ = (
        refers("address_id", "address", ondelete="CASCADE"),
        UniqueConstraint("agency_id", "op_id"),
        Index("ix_house_finding_address", "agency_id", "address_id", "found_at"),
        Index("ix_house_finding_open", "agency_id", "found_at", "id", postgresql_where=text("state = 'candidate'")),
        {"schema": SCHEMA},
    )

    address_id: Mapped[UUID] = internal()
    op_id: Mapped[UUID | None] = internal()  # the operation from a phone; None: from the office
    agent_id: Mapped[UUID | None] = internal()
    state: Mapped[str] = internal()  # applied | candidate | rejected
    doubt: Mapped[str | None] = internal()  # field_api.domain.findings.Doubt: why a person looks at it
    latitude: Mapped[float] = place()
    longitude: Mapped[float] = place()
    accuracy_m: Mapped[float | None] = internal()
    moved_m: Mapped[float | None] = internal()  # from where the address was
    before_latitude: Mapped[float | None] = place()
    before_longitude: Mapped[float | None] = place()
    before_quality: Mapped[str | None] = internal()
    before_source: Mapped[str | None] = internal()
    found_at: Mapped[datetime] = internal()
    decided_at: Mapped[datetime | None] = internal()
