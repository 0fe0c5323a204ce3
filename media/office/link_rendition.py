"""Give a manager a link to a developed picture."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from field_api.platform.problems import Problem
from field_api.records.base import load
from media.office.photo_links import PhotoLink, PhotoLinks, Use
from media.office.records import Photo, PhotoState


def link_rendition(session: Session, photo_id: UUID, use: Use, links: PhotoLinks, now: datetime) -> PhotoLink:
    """Opening it goes on record, not asking for it.

    Raises Problem `not-found` (no such photo, or not developed) or `gone` (destroyed).
    """
    photo = load(session, Photo, photo_id)
    if photo.state == PhotoState.DESTROYED:
        raise Problem("gone", "this photograph was destroyed")
    if photo.state != PhotoState.DEVELOPED:
        raise Problem("not-found", "this photograph is not developed")
    return links.write(photo_id, use, now)
