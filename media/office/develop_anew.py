"""A rendition that is missing or altered is made again from the sealed photograph, by itself."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import select

from field_api.platform.database import transaction_beside
from field_api.platform.tenancy import current_agency
from media.office.darkroom import LARGE, Darkroom
from media.office.note_photo import note_photo
from media.office.records import Photo, PhotoState

MISSING, DIFFERS = "rendition-missing", "rendition-differs"
LOST_REASONS = (MISSING, DIFFERS, "bytes-missing", "bytes-differ", "key-missing")
"""Of photographs that a store has lost, or a part of them (docs/photo-format.md §7)."""


def develop_anew(photo_id: UUID, size: str, lost_key: str, reason: str, room: Darkroom, now: datetime) -> None:
    """Send a developed photograph back to be developed, and let its visit say why; the other rendition stays shown.

    In a transaction of its own: whoever asked for the picture is refused, which undoes theirs. Where the row is locked,
    or has moved on, somebody else is at it and nothing is done. Raises StoreUnavailable.
    """
    with transaction_beside(current_agency()) as session:
        mine = (Photo.agency_id == current_agency(), Photo.id == photo_id)
        lost = Photo.large_key if size == LARGE else Photo.small_key
        developed = (Photo.state == PhotoState.DEVELOPED.value, lost == lost_key)
        photo = session.scalar(select(Photo).where(*mine, *developed).with_for_update(skip_locked=True))
        if photo is None:
            return
        room.objects.delete(lost_key)  # of one that was altered nothing is left behind
        if size == LARGE:
            photo.large_key = None
        else:
            photo.small_key = None
        photo.state, photo.reason = PhotoState.AWAITING.value, reason
        photo.attempts, photo.developing_since = 0, None
        note_photo(session, photo, now)
