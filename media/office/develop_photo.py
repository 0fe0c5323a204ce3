"""Develop one photograph: authenticate all of it, decode it in the sandbox, keep sealed renditions.

Three steps, and no transaction is open while the sandbox works: claim, develop, settle. A worker that dies in between
leaves a claim that another takes over after CLAIM_LIFETIME; the third death in a row quarantines the photograph.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy.orm import Session

from field_api.domain.confidential import Confidential
from field_api.platform.database import transaction
from field_api.platform.sealing import Unsealable, same, sha256
from field_api.platform.store_trouble import CORRUPT, DOOR, StoreUnavailable, note_flaw
from field_api.platform.tenancy import acting_for, current_agency
from field_api.records.base import load
from media.office.darkroom import LARGE, SMALL, Darkroom
from media.office.gather_hints import gather_hints
from media.office.note_photo import note_photo
from media.office.records import Photo, PhotoState
from media.photo_keys import KeyAbsent
from media.records import Upload
from media.sandbox.run import Renditions, Undevelopable
from media.sandbox.starter import SandboxAbsent
from media.sealed_files import SealedAbsent
from media.sealed_photo import MAX_SEALED_BYTES, Unopenable, open_photo

CLAIM_LIFETIME = timedelta(minutes=5)  # far beyond the sandbox's own limit
MAX_ATTEMPTS = 3


@dataclass(frozen=True)
class Kept:
    """Where the renditions lie, and what is known of them."""

    renditions: Renditions
    large_key: str
    small_key: str


def develop_photo(agency_id: UUID, photo_id: UUID, now: datetime, room: Darkroom) -> PhotoState | None:
    """Develop an awaiting photograph; returns its new state, or None where there was nothing to do.

    Whatever is wrong with the bytes becomes QUARANTINED with a reason, and the sealed bytes stay as they came; one that
    was developed before stays so, with what is left of it. A store that is away (StoreUnavailable), a sandbox that does
    not begin (SandboxAbsent) and errors of the database are raised, and the photograph is tried again later.
    """
    upload = claimed(agency_id, photo_id, now)
    return None if upload is None else settled(agency_id, photo_id, lambda: outcome_of(room, upload), now, room)


def claimed(agency_id: UUID, photo_id: UUID, now: datetime) -> Upload | None:
    """Its upload, and the photograph is this worker's for CLAIM_LIFETIME; or None where there is nothing to do."""
    with transaction(agency_id) as session:
        upload = _claim(session, photo_id, now)
        if upload is not None:
            session.expunge(upload)
        return upload


def outcome_of(room: Darkroom, upload: Upload) -> Kept | str:
    """What became of it, or the reason why not. Touches no database: it may run beside other work on one.

    Raises StoreUnavailable and SandboxLost.
    """
    with acting_for(upload.agency_id):
        try:
            return _develop(room, upload)
        except (Unopenable, Undevelopable) as error:
            return error.reason


def settled(
    agency_id: UUID, photo_id: UUID, outcome: Callable[[], Kept | str], now: datetime, room: Darkroom
) -> PhotoState:
    """The state that the outcome brings. Raises what `outcome` raises."""
    try:
        became = outcome()
    except (StoreUnavailable, SandboxAbsent):
        with transaction(agency_id) as session:
            _not_tried(session, photo_id)
        raise
    with transaction(agency_id) as session:
        return _settle(session, room, photo_id, became, now)


def _claim(session: Session, photo_id: UUID, now: datetime) -> Upload | None:
    photo = load(session, Photo, photo_id, lock=True)
    fresh = photo.developing_since is not None and photo.developing_since > now - CLAIM_LIFETIME
    if photo.state not in (PhotoState.AWAITING, PhotoState.DEVELOPING) or fresh:
        return None
    if photo.attempts >= MAX_ATTEMPTS:
        _quarantine(session, photo, "given-up", now)
        return None
    photo.state = PhotoState.DEVELOPING.value
    photo.attempts += 1
    photo.developing_since = now
    return session.get_one(Upload, (current_agency(), photo.upload_id))


def _not_tried(session: Session, photo_id: UUID) -> None:
    """A store that is away, or a machine on which no sandbox runs, is no fault of the photograph: it comes again when
    its claim ends, however often."""
    photo = load(session, Photo, photo_id, lock=True)
    if photo.state == PhotoState.DEVELOPING:
        photo.attempts -= 1


def _develop(room: Darkroom, upload: Upload) -> Kept:
    try:
        key = room.key_of(upload)
        sealed = room.stores.files.read(upload.agency_id, upload.id, MAX_SEALED_BYTES)
    except KeyAbsent as error:
        raise Unopenable("key-missing") from error
    except Unsealable as error:
        raise Unopenable("wrap") from error
    except SealedAbsent as error:
        raise Unopenable("bytes-missing") from error
    if not same(sha256(sealed), upload.sha256):
        note_flaw(DOOR, CORRUPT, str(upload.id))
        raise Unopenable("bytes-differ")
    renditions = room.develop(open_photo(key.secret, key.name, sealed).image)
    large_key = room.objects.put(key.seal_rendition(LARGE, renditions.large))
    try:
        small_key = room.objects.put(key.seal_rendition(SMALL, renditions.small))
    except StoreUnavailable:
        with suppress(StoreUnavailable):
            room.objects.delete(large_key)  # nothing names it, and the next try keeps another
        raise
    return Kept(renditions, large_key, small_key)


def _settle(session: Session, room: Darkroom, photo_id: UUID, outcome: Kept | str, now: datetime) -> PhotoState:
    photo = load(session, Photo, photo_id, lock=True)
    if photo.state != PhotoState.DEVELOPING:  # destroyed meanwhile, or settled by another after a long pause
        if isinstance(outcome, Kept):
            room.objects.delete(outcome.large_key)
            room.objects.delete(outcome.small_key)
    elif isinstance(outcome, str):
        _quarantine(session, photo, outcome, now)
    else:
        _keep(session, room, photo, outcome, now)
    return PhotoState(photo.state)


def _quarantine(session: Session, photo: Photo, reason: str, now: datetime) -> None:
    if photo.developed_at is not None:  # a rendition was lost, and cannot be made again: what is left is shown
        photo.state = PhotoState.DEVELOPED.value
        note_photo(session, photo, now, flags=[reason])
        return
    photo.state, photo.reason = PhotoState.QUARANTINED.value, reason
    note_photo(session, photo, now)


def _keep(session: Session, room: Darkroom, photo: Photo, kept: Kept, now: datetime) -> None:
    renditions, again = kept.renditions, photo.developed_at is not None
    for left in filter(None, (photo.large_key, photo.small_key)):
        room.objects.delete(left)
    photo.state, photo.reason = PhotoState.DEVELOPED.value, None
    photo.developed_at = photo.developed_at or now
    photo.large_key, photo.small_key = kept.large_key, kept.small_key
    photo.width, photo.height, photo.dhash = renditions.width, renditions.height, renditions.dhash
    photo.evidence = Confidential(json.dumps(renditions.evidence))
    if not again:
        gather_hints(session, photo, renditions.evidence)
    note_photo(session, photo, now, flags=photo.hints)
