"""Links to the thumbnails of a page of photographs."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from field_api.usecases.note_visit_event import staff_actor
from media.office.note_shown import note_page_shown
from media.office.photo_links import PhotoLink, PhotoLinks, Use
from media.office.records import Photo


def link_thumbnails(
    session: Session, photos: Sequence[Photo], links: PhotoLinks, now: datetime
) -> dict[UUID, PhotoLink]:
    """Of those that have a small picture, by id. One statement for all: the entry in the log."""
    developed = [photo.id for photo in photos if photo.small_key is not None]
    note_page_shown(session, developed, staff_actor(links.staff_id), now)
    return {photo_id: links.write(photo_id, Use.THUMBNAIL, now) for photo_id in developed}
