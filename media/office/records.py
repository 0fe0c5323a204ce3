"""Photographs as the office keeps them: what was declared, what became of it, and where its renditions lie."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import Index, LargeBinary, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from field_api.domain.confidential import Confidential
from field_api.domain.disclosure import Label
from field_api.platform.columns import Sealed
from field_api.platform.labels import internal, place
from field_api.records.base import SCHEMA, Tenant, refers


class PhotoState(StrEnum):
    AWAITING = "awaiting"  # declared with a permission; not developed yet
    DEVELOPING = "developing"  # a worker has it; taken again if that worker died
    DEVELOPED = "developed"
    QUARANTINED = "quarantined"  # cannot be opened or read; kept sealed, `reason` says why
    REFUSED = "refused"  # no valid permission; kept sealed and undeveloped until a manager decides
    DESTROYED = "destroyed"  # its key is gone


class Photo(Tenant):
    """One declared photograph whose bytes came. What shows the picture is sealed; destroying it clears the rest."""

    __tablename__ = "photo"
    __table_args__ = (
        refers("visit_id", "visit"),
        UniqueConstraint("agency_id", "upload_id"),
        Index("ix_photo_visit", "agency_id", "visit_id", "id"),
        Index("ix_photo_dhash", "agency_id", "dhash"),
        Index("ix_photo_work", "agency_id", "id", postgresql_where=text("state IN ('awaiting', 'developing')")),
        {"schema": SCHEMA},
    )

    visit_id: Mapped[UUID] = internal()
    op_id: Mapped[UUID] = internal()  # the declaring operation
    permission_op_id: Mapped[UUID | None] = internal()
    device_id: Mapped[UUID] = internal()
    upload_id: Mapped[UUID] = internal()  # mailbox.upload, in another schema with another life: no foreign key
    state: Mapped[str] = internal(default=PhotoState.AWAITING.value)
    reason: Mapped[str | None] = internal()  # stable code, for quarantined, refused and destroyed
    attempts: Mapped[int] = internal(default=0)
    subject: Mapped[str] = internal()  # field_api.domain.vocabulary.PhotoSubject, as declared
    sha256: Mapped[bytes] = internal(LargeBinary)  # of the sealed bytes: all that a log may keep
    dhash: Mapped[str | None] = place()  # 64-bit difference hash as 16 hex digits
    width: Mapped[int | None] = internal()  # of the large rendition, pixels
    height: Mapped[int | None] = internal()
    captured_at: Mapped[datetime | None] = internal()  # the phone's claim
    latitude: Mapped[float | None] = place()
    longitude: Mapped[float | None] = place()
    accuracy_m: Mapped[float | None] = internal()
    evidence: Mapped[Confidential[str] | None] = mapped_column(Sealed("photo.evidence", Label.CONFIDENTIAL))
    large_key: Mapped[str | None] = internal()  # objects: renditions of 2,048 and 320 px at most, sealed
    small_key: Mapped[str | None] = internal()
    received_at: Mapped[datetime] = internal()
    developing_since: Mapped[datetime | None] = internal()
    developed_at: Mapped[datetime | None] = internal()
    destroyed_at: Mapped[datetime | None] = internal()
