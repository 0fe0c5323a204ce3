"""Destroy photographs that were kept for as long as the agency keeps any (docs/operations.md, An agency's policy)."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from field_api.domain.photo_retention import photo_retention
from field_api.platform.tenancy import current_agency
from field_api.records.agency import Agency
from media.office.records import Photo, PhotoState

RETENTION_END = "retention-end"
BATCH = 20


def expired_photos(session: Session, now: datetime, aside: Collection[UUID] = ()) -> Sequence[UUID]:
    """The oldest BATCH of those whose time is over, whatever state they are in; none where no time is set.

    It runs from `received_at`, the door's clock: when the picture was taken is the phone's claim.
    """
    agency = session.get(Agency, current_agency())
    kept_for = photo_retention(agency.policy) if agency is not None else None
    if kept_for is None:
        return []
    over = select(Photo.id).where(*_kept_before(now - kept_for), Photo.id.not_in(aside))
    return session.scalars(over.order_by(Photo.received_at).limit(BATCH)).all()


def how_many_would_expire(session: Session, kept_for: timedelta, now: datetime) -> int:
    """What a retention of this length would destroy at once."""
    return session.scalar(select(func.count()).select_from(Photo).where(*_kept_before(now - kept_for))) or 0


def _kept_before(moment: datetime) -> tuple[ColumnElement[bool], ...]:
    mine = Photo.agency_id == current_agency()
    return mine, Photo.state != PhotoState.DESTROYED.value, Photo.received_at <= moment
