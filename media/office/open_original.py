"""Open a link to a photograph as it came from the phone."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

import structlog
from sqlalchemy.orm import Session

from field_api.platform.problems import Problem
from field_api.platform.sealing import Unsealable, same, sha256
from field_api.platform.store_trouble import CORRUPT, DOOR, note_flaw
from field_api.platform.tenancy import current_agency
from field_api.records.base import load
from field_api.usecases.note_visit_event import staff_actor
from media.office.darkroom import Darkroom
from media.office.file_type import UNKNOWN, type_of
from media.office.note_shown import note_shown
from media.office.photo_links import PhotoLinks, Use
from media.office.records import Photo, PhotoState
from media.office.request_original import may_be_fetched
from media.photo_keys import KeyAbsent
from media.records import Upload
from media.sealed_photo import MAX_SEALED_BYTES, Unopenable, open_photo
from media.sealed_store import SealedAbsent

log = structlog.get_logger()

ORIGINALS = frozenset({Use.ORIGINAL})


@dataclass(frozen=True)
class Original:
    media_type: str
    file: bytes = field(repr=False)


def open_original(
    session: Session, photo_id: UUID, token: str, links: PhotoLinks, room: Darkroom, *, now: datetime
) -> Original:
    """The file, byte for byte, once all of it is authenticated. Its type is what its own bytes say, and of one in
    quarantine nothing is said. Each opening is a line in the visit's story.

    Raises Problem `not-permitted` (the link), `not-found`, `gone` (destroyed, or its bytes or its key are lost) or
    `conflict` (refused; or the bytes do not open, so there is nothing to hand out), `unavailable` (the store is away).
    """
    use = links.read(token, photo_id, ORIGINALS, now)
    photo = load(session, Photo, photo_id)
    may_be_fetched(photo)
    file = _opened(room, photo, session.get_one(Upload, (current_agency(), photo.upload_id)))
    note_shown(session, photo_id, use, staff_actor(links.staff_id), now)
    return Original(UNKNOWN if photo.state == PhotoState.QUARANTINED else type_of(file), file)


def _opened(room: Darkroom, photo: Photo, upload: Upload) -> bytes:
    try:
        key = room.key_of(upload)
        sealed = room.stores.files.read(upload.agency_id, upload.id, MAX_SEALED_BYTES)
        if not same(sha256(sealed), upload.sha256):
            note_flaw(DOOR, CORRUPT, str(upload.id))
            raise Unopenable("bytes-differ")
        return open_photo(key.secret, key.name, sealed).image
    except (KeyAbsent, SealedAbsent) as error:
        log.error("original-lost", photo=str(photo.id), error=type(error).__name__)
        raise Problem("gone", "the stored photograph or its key is missing") from error
    except (Unsealable, Unopenable) as error:
        log.error("original-lost", photo=str(photo.id), error=type(error).__name__)
        raise Problem("conflict", "the sealed photograph does not open") from error
