"""Photographs as the office keeps them: what was declared, what became of it, and where its renditions lie."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import Boolean, ColumnElement, Computed, Index, LargeBinary, UniqueConstraint, literal_column, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from field_api.domain.confidential import Confidential
from field_api.domain.disclosure import Label
from field_api.platform.columns import Sealed
from field_api.platform.labels import internal, place
from field_api.records.base import SCHEMA, Tenant, refers
from media.office.hints import Hint


class PhotoState(StrEnum):
    AWAITING = "awaiting"  # declared with a permission; not developed yet
    DEVELOPING = "developing"  # a worker has it; taken again if that worker died
    DEVELOPED = "developed"
    QUARANTINED = "quarantined"  # cannot be opened or read; kept sealed, `reason` says why
    REFUSED = "refused"  # no valid permission; kept sealed and undeveloped until a manager decides
    DESTROYED = "destroyed"  # its key is gone


def _hint_index(hint: Hint) -> str:
    return f"ix_photo_hint_{hint.name.lower()}"


def _having(hint: Hint) -> str:
    return f"""hints @> '["{hint.value}"]'"""


KEPT = "state <> 'destroyed'"


class Photo(Tenant):
    """One declared photograph whose bytes came. What shows the picture is sealed; destroying it clears the rest."""

    __tablename__ = "photo"
    __table_args__ = (
        refers("visit_id", "visit"),
        UniqueConstraint("agency_id", "upload_id"),
        Index("ix_photo_visit", "agency_id", "visit_id", "id"),
        Index("ix_photo_state", "agency_id", "state", "id"),
        # One each, of the few that have it: under row security `@>` never becomes the condition of an index, but it
        # may be what an index is limited to.
        *(Index(_hint_index(hint), "agency_id", "id", postgresql_where=text(_having(hint))) for hint in Hint),
        Index("ix_photo_dhash", "agency_id", "dhash"),
        Index("ix_photo_work", "agency_id", "id", postgresql_where=text("state IN ('awaiting', 'developing')")),
        Index("ix_photo_undecided", "agency_id", "decide_by", postgresql_where=text("state = 'refused'")),
        Index("ix_photo_wrap", "agency_id", "wrap_key_id", postgresql_where=text(KEPT)),
        Index("ix_photo_kept", "agency_id", "received_at", postgresql_where=text(KEPT)),
        Index("ix_photo_band_1", "agency_id", "band_1"),
        Index("ix_photo_band_2", "agency_id", "band_2"),
        Index("ix_photo_band_3", "agency_id", "band_3"),
        Index("ix_photo_band_4", "agency_id", "band_4"),
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
    # Its four parts, by which near ones are found. Columns of the database, not indexes on expressions: under row
    # security a function that is not leakproof never becomes the condition of an index.
    band_1: Mapped[str | None] = place(Computed("substr(dhash, 1, 4)", persisted=True))
    band_2: Mapped[str | None] = place(Computed("substr(dhash, 5, 4)", persisted=True))
    band_3: Mapped[str | None] = place(Computed("substr(dhash, 9, 4)", persisted=True))
    band_4: Mapped[str | None] = place(Computed("substr(dhash, 13, 4)", persisted=True))
    width: Mapped[int | None] = internal()  # of the large rendition, pixels
    height: Mapped[int | None] = internal()
    captured_at: Mapped[datetime | None] = internal()  # the phone's claim
    latitude: Mapped[float | None] = place()
    longitude: Mapped[float | None] = place()
    accuracy_m: Mapped[float | None] = internal()
    evidence: Mapped[Confidential[str] | None] = mapped_column(Sealed("photo.evidence", Label.CONFIDENTIAL))
    hints: Mapped[list[str]] = internal(JSONB, default=list, server_default=text("'[]'::jsonb"))  # media.office.hints
    from_address_m: Mapped[float | None] = internal()  # metres between where it was taken and the visited address
    from_visit_m: Mapped[float | None] = internal()  # and the nearest place that the visit's operations name
    # The sealing key that its wrapped key was found under, or a word of media.office.rewrap_keys; '': not looked at.
    wrap_key_id: Mapped[str] = internal(default="", server_default=text("''"))
    large_key: Mapped[str | None] = internal()  # objects: renditions of 2,048 and 320 px at most, sealed
    small_key: Mapped[str | None] = internal()
    received_at: Mapped[datetime] = internal()
    decide_by: Mapped[datetime | None] = internal()  # while refused: destroyed then, if nobody allows it before
    allowed_at: Mapped[datetime | None] = internal()  # a manager allowed what had been refused
    allowed_by: Mapped[UUID | None] = internal()
    developing_since: Mapped[datetime | None] = internal()
    developed_at: Mapped[datetime | None] = internal()
    destroyed_at: Mapped[datetime | None] = internal()


def of_hint(hint: Hint) -> ColumnElement[bool]:
    """Photographs that have it: the very words of the index, so that the planner knows it again."""
    condition: ColumnElement[bool] = literal_column(f"(office.photo.{_having(hint)})", Boolean())
    return condition
