"""Have a quarantined photograph developed once more, after what stood in its way was mended."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from field_api.platform.problems import Problem
from field_api.records.base import load
from field_api.usecases.note_decision import note_decision
from media.office.note_photo import note_photo
from media.office.records import Photo, PhotoState


def develop_again(session: Session, photo_id: UUID, now: datetime) -> Photo:
    """A machine without seccomp quarantines good pictures; a store or a key may have come back. The worker's next round
    takes it with all its tries; what still cannot be read is quarantined again.

    Raises Problem `not-found`, `gone` (destroyed) or `conflict` (it is not quarantined).
    """
    photo = load(session, Photo, photo_id, lock=True)
    if photo.state == PhotoState.DESTROYED:
        raise Problem("gone", "this photograph was destroyed")
    if photo.state != PhotoState.QUARANTINED:
        raise Problem("conflict", "this photograph is not quarantined")
    was = photo.reason
    photo.state, photo.reason = PhotoState.AWAITING.value, None
    photo.attempts, photo.developing_since = 0, None
    note_photo(session, photo, now)
    note_decision(session, now, "photo-tried-again", {"photo": str(photo.id), "was": was})
    return photo
