"""Unlocks that a manager has to look at."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from field_api.domain.confidential import Confidential
from field_api.domain.disclosure import Label
from field_api.platform.columns import Sealed
from field_api.platform.labels import internal
from field_api.records.base import SCHEMA, Tenant, refers


class UnlockReview(Tenant):
    """One unlock (a passed check, or a locked part that was shown) that is not plainly in order."""

    __tablename__ = "unlock_review"
    __table_args__ = (
        refers("visit_id", "visit", ondelete="CASCADE"),
        UniqueConstraint("agency_id", "op_id"),
        Index("ix_unlock_review_open", "agency_id", "put_up_at", "id", postgresql_where=text("state = 'open'")),
        {"schema": SCHEMA},
    )

    visit_id: Mapped[UUID] = internal()
    op_id: Mapped[UUID] = internal()
    reason: Mapped[str] = internal()  # field_api.domain.unlocks.ReviewReason
    state: Mapped[str] = internal(default="open", server_default="open")  # open | accepted | objected
    put_up_at: Mapped[datetime] = internal()
    decided_by: Mapped[UUID | None] = internal()
    decided_at: Mapped[datetime | None] = internal()
    note: Mapped[Confidential[str] | None] = mapped_column(Sealed("unlock_review.note", Label.CONFIDENTIAL))
