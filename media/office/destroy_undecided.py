"""Destroy refused photographs that no manager allowed in 72 hours (docs/photo-format.md §7)."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from field_api.platform.tenancy import current_agency
from media.office.darkroom import Darkroom
from media.office.destroy_photo import destroy_photo
from media.office.records import Photo, PhotoState

DECIDE_WITHIN = timedelta(hours=72)
NOT_DECIDED = "not-decided"
BATCH = 20


def undecided_photos(session: Session, now: datetime, aside: Collection[UUID] = ()) -> Sequence[UUID]:
    """Refused photographs whose time is over. Gives those that have no date theirs: the time runs from when a manager
    can see them, also where the bytes had lain at the door for days before their operation came."""
    refused = (Photo.agency_id == current_agency(), Photo.state == PhotoState.REFUSED.value)
    session.execute(
        update(Photo)
        .where(*refused, Photo.decide_by.is_(None))
        .values(decide_by=now + DECIDE_WITHIN)
        .execution_options(synchronize_session=False)
    )
    over = select(Photo.id).where(*refused, Photo.decide_by <= now, Photo.id.not_in(aside))
    return session.scalars(over.order_by(Photo.decide_by).limit(BATCH)).all()


def destroy_undecided(session: Session, photo_id: UUID, room: Darkroom, now: datetime) -> bool:
    """Destroy it unless a manager was quicker: then it is no longer refused. Whether it was destroyed."""
    still = (Photo.agency_id == current_agency(), Photo.id == photo_id, Photo.state == PhotoState.REFUSED.value)
    if session.scalar(select(Photo.id).where(*still).with_for_update(skip_locked=True)) is None:
        return False
    destroy_photo(session, photo_id, room, now=now, actor="system", reason=NOT_DECIDED)
    return True
