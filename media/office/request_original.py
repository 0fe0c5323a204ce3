"""A manager asks, with a reason, for a photograph as it came."""

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
from media.office.photo_links import PhotoLink, PhotoLinks, Use
from media.office.records import Photo, PhotoState


def request_original(
    session: Session, photo_id: UUID, reason: str, links: PhotoLinks, now: datetime
) -> tuple[PhotoLink, str | None]:
    """A link to the file, and as a warning why nothing of it could be developed (None where it could).

    The words stand in the visit's story, sealed; the log has the decision with their hash. Opening the link goes on
    record by itself. Raises Problem `not-found`, `gone` (destroyed) or `conflict` (refused: nobody looks at what nobody
    allowed before a manager allowed it).
    """
    photo = load(session, Photo, photo_id)
    may_be_fetched(photo)
    actor = staff_actor(links.staff_id)
    note_photo(session, photo, now, actor=actor, decision={"original": reason})
    words = b64u(sha256(reason.encode()))
    note_decision(session, now, "photo-original", {"photo": str(photo.id), "by": actor, "reason_sha256": words})
    return links.write(photo_id, Use.ORIGINAL, now), photo.reason if photo.state == PhotoState.QUARANTINED else None


def may_be_fetched(photo: Photo) -> None:
    """Raises Problem `gone` or `conflict`."""
    if photo.state == PhotoState.DESTROYED:
        raise Problem("gone", "this photograph was destroyed")
    if photo.state == PhotoState.REFUSED:
        raise Problem("conflict", "nobody allowed this photograph: allow it first")
