"""What is kept of travel times: an engine's answers, and by how much estimates are off in an area."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, Index, LargeBinary, UniqueConstraint
from sqlalchemy.orm import Mapped

from field_api.platform.labels import internal, place
from field_api.records.base import SCHEMA, Tenant


class KnownLegs(Tenant):
    """Legs from one point, as an engine told them: `legs` packs (destination, seconds, metres), in order of the first
    (field_api/usecases/travel_of_day.py)."""

    __tablename__ = "known_legs"
    __table_args__ = (
        UniqueConstraint("agency_id", "source", "origin"),
        Index("ix_known_legs_asked", "agency_id", "asked_at"),
        {"schema": SCHEMA},
    )

    source: Mapped[str] = internal()  # field_api.domain.ports.Travel.source
    origin: Mapped[int] = place(BigInteger)  # a point to a metre, as one number
    legs: Mapped[bytes] = place(LargeBinary)
    asked_at: Mapped[datetime] = internal()


class TravelArea(Tenant):
    """How long legs take in an area, measured by estimates; the newest learning has replaced all older."""

    __tablename__ = "travel_area"
    __table_args__ = (UniqueConstraint("agency_id", "area"), {"schema": SCHEMA})

    area: Mapped[str] = place()  # field_api.domain.travel_areas.area_of; "" tells when it was last learnt from nothing
    factor: Mapped[float] = internal()
    legs: Mapped[int] = internal()
    learnt_at: Mapped[datetime] = internal()
