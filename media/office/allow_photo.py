"""A manager allows a photograph that came without a valid permission."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from field_api.platform.problems import Problem
from field_api.platform.sealing import b64u, sha256
from field_api.records.base import load
from field_api.usecases.note_decision import note_decision
from field_api.usecases.note_visit_event import staff_actor
from media.office.note_photo import note_photo
from media.office.records import Photo, PhotoState


def allow_photo(session: Session, photo_id: UUID, *, reason: str, by: UUID | None, now: datetime) -> Photo:
    """It is developed in the worker's next round. Allowing it again changes nothing.

    The words stand in the visit's story, sealed; the log has the decision, with their hash and what was overruled.
    Raises Problem `not-found`, `gone` (destroyed meanwhile) or `conflict` (it was never refused).
    """
    photo = load(session, Photo, photo_id, lock=True)
    if photo.state == PhotoState.DESTROYED:
        raise Problem("gone", "this photograph was destroyed")
    if photo.allowed_at is not None:
        return photo
    if photo.state != PhotoState.REFUSED:
        raise Problem("conflict", "this photograph was not refused")
    overruled = photo.reason
    photo.state, photo.reason, photo.decide_by = PhotoState.AWAITING.value, None, None
    photo.allowed_at, photo.allowed_by = now, by
    note_photo(session, photo, now, actor=staff_actor(by), decision={"allowed": reason, "overruled": overruled})
    words = b64u(sha256(reason.encode()))
    detail = {"photo": str(photo.id), "by": staff_actor(by), "overruled": overruled, "reason_sha256": words}
    note_decision(session, now, "photo-allowed", detail)
    return photo
