"""Open a link to a developed picture, and put on record who saw what."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from field_api.usecases.note_visit_event import staff_actor
from media.office.darkroom import LARGE, SMALL, Darkroom
from media.office.note_shown import note_shown
from media.office.photo_links import PhotoLinks, Use
from media.office.show_rendition import show_rendition

RENDITIONS = frozenset({Use.SMALL, Use.LARGE, Use.THUMBNAIL})


def open_link(
    session: Session, photo_id: UUID, token: str, links: PhotoLinks, room: Darkroom, *, now: datetime
) -> bytes:
    """The JPEG. Each opening is a line in the visit's story, which the database enters in the log as well; a page's
    thumbnails were entered together when the page was made.

    Raises Problem `not-permitted` (the link), `not-found` or `gone`.
    """
    use = links.read(token, photo_id, RENDITIONS, now)
    actor = staff_actor(links.staff_id)
    jpeg = show_rendition(session, photo_id, LARGE if use is Use.LARGE else SMALL, room, actor=actor)
    if use is not Use.THUMBNAIL:
        note_shown(session, photo_id, use, actor, now)
    return jpeg
