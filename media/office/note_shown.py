"""Put on record that somebody was shown a photograph."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from field_api.domain.vocabulary import VisitEventKind
from field_api.records.base import load
from field_api.usecases.note_decision import note_decision
from field_api.usecases.note_visit_event import note_visit_event
from media.office.photo_links import Use
from media.office.records import Photo


def note_shown(session: Session, photo_id: UUID, use: Use, actor: str, now: datetime) -> None:
    """A line in the story of the photograph's visit: who, which, what, when."""
    photo = load(session, Photo, photo_id)
    body = {"photo": str(photo.id), "declared_by": str(photo.op_id), "shown": use.value}
    note_visit_event(session, photo.visit_id, VisitEventKind.PHOTO_SHOWN, now, actor, body)


def note_page_shown(session: Session, photo_ids: Sequence[UUID], actor: str, now: datetime) -> None:
    """One entry of the log for a page of thumbnails: fifty lines in fifty stories for leafing once would bury those
    that say that somebody looked closely. It names what could be seen, also what was not loaded in the end."""
    if photo_ids:
        detail = {"by": actor, "photos": [str(photo_id) for photo_id in photo_ids]}
        note_decision(session, now, "photo-thumbnails-shown", detail)
