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

    visit_id: Mapped[UUID]
    op_id: Mapped[UUID]  # the declaring operation
    permission_op_id: Mapped[UUID | None]
    device_id: Mapped[UUID]
    upload_id: Mapped[UUID]  # mailbox.upload, in another schema with another life: no foreign key
    state: Mapped[str] = mapped_column(default=PhotoState.AWAITING.value)
    reason: Mapped[str | None]  # stable code, for quarantined, refused and destroyed
    attempts: Mapped[int] = mapped_column(default=0)
    subject: Mapped[str]  # field_api.domain.vocabulary.PhotoSubject, as declared
    sha256: Mapped[bytes] = mapped_column(LargeBinary)  # of the sealed bytes: all that a log may keep
    dhash: Mapped[str | None]  # 64-bit difference hash as 16 hex digits
    width: Mapped[int | None]  # of the large rendition, pixels
    height: Mapped[int | None]
    captured_at: Mapped[datetime | None]  # the phone's claim
    latitude: Mapped[float | None]
    longitude: Mapped[float | None]
    accuracy_m: Mapped[float | None]
    evidence: Mapped[Confidential[str] | None] = mapped_column(Sealed("photo.evidence", Label.CONFIDENTIAL))
    large_key: Mapped[str | None]  # objects: renditions of at most 2,048 and 320 px, sealed under the photo's key
    small_key: Mapped[str | None]
    received_at: Mapped[datetime]
    developing_since: Mapped[datetime | None]
    developed_at: Mapped[datetime | None]
    destroyed_at: Mapped[datetime | None]
