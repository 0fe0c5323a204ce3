"""Destroy a photograph for good: its key first, then all that the key opened, then what was known of it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID

import structlog
from sqlalchemy import select
from sqlalchemy.orm import Session, aliased

from field_api.domain.vocabulary import VisitEventKind
from field_api.platform.restore_journal import EntryKind, enter_now
from field_api.platform.tenancy import current_agency
from field_api.queries.photo_declarations import PERMISSION_WITHDRAWN
from field_api.records.base import load
from field_api.records.visits import VisitEvent
from field_api.usecases.note_decision import note_decision
from field_api.usecases.note_erasure import Erased, note_erasure
from media.office.darkroom import Darkroom
from media.office.note_photo import note_photo
from media.office.records import Photo, PhotoState
from media.records import DESTROYED, Upload

BATCH = 20

log = structlog.get_logger()


def destroy_photo(session: Session, photo_id: UUID, room: Darkroom, *, now: datetime, actor: str, reason: str) -> Photo:
    """Overwrite and unlink the key, delete bytes and renditions, clear what shows the picture. Twice is once.

    The restore journal hears of it first, so that no backup brings it back. The key goes before the transaction
    commits: a crash in between leaves a photograph that nothing opens, and the next call finishes. The log keeps the
    hash of the sealed bytes alone. Raises Problem `not-found`, `unavailable`.
    """
    photo = load(session, Photo, photo_id, lock=True)
    if photo.state == PhotoState.DESTROYED:
        return photo
    agency_id, upload_id = current_agency(), photo.upload_id
    upload = session.get_one(Upload, (agency_id, upload_id), with_for_update=True)  # its key is not sealed anew now
    erased = {"upload": str(upload_id), "device": str(photo.device_id), "op": str(photo.op_id)}
    enter_now(EntryKind.PHOTO_ERASED, {**erased, "sha256": photo.sha256.hex(), "reason": reason}, at=now)
    room.stores.keys.destroy(agency_id, upload_id)
    room.stores.files.delete(agency_id, upload_id)
    for key in filter(None, (photo.large_key, photo.small_key)):
        room.objects.delete(key)
    upload.state = DESTROYED
    _clear(photo, now, reason)
    note_photo(session, photo, now, actor=actor)
    _log_erasure(session, photo, now, actor, reason)
    log.info("photo-destroyed", photo=str(photo.id), sha256=photo.sha256.hex(), reason=reason)
    return photo


def _log_erasure(session: Session, photo: Photo, now: datetime, actor: str, reason: str) -> None:
    """The tamper-evident log tells a photograph that was destroyed from one that is gone."""
    detail = {"photo": str(photo.id), "by": actor, "reason": reason}
    decided = note_decision(session, now, "photo-destroyed", detail)
    note_erasure(session, now, erased=f"photo/{photo.id}", what=Erased.PHOTOGRAPH, decided=decided)


def withdrawn_photos(session: Session, aside: Collection[UUID] = ()) -> Sequence[UUID]:
    """What was declared before its visit's permission was taken back, BATCH at most; none that is set `aside`.

    From the few withdrawals to the photographs of their visits: event ids grow in the order of recording.
    """
    declared, withdrawn = aliased(VisitEvent), aliased(VisitEvent)
    return session.scalars(
        select(Photo.id)
        .distinct()
        .join(withdrawn, (withdrawn.agency_id == Photo.agency_id) & (withdrawn.visit_id == Photo.visit_id))
        .join(declared, (declared.agency_id == Photo.agency_id) & (declared.op_id == Photo.op_id))
        .where(
            Photo.agency_id == current_agency(),
            Photo.state != PhotoState.DESTROYED.value,
            Photo.id.not_in(aside),
            withdrawn.flags.contains([PERMISSION_WITHDRAWN]),
            withdrawn.kind == VisitEventKind.PHOTO_PERMISSION.value,
            declared.kind == VisitEventKind.PHOTO.value,
            declared.visit_id == Photo.visit_id,
            declared.id < withdrawn.id,
        )
        .limit(BATCH)
    ).all()


def _clear(photo: Photo, now: datetime, reason: str) -> None:
    photo.state, photo.reason, photo.destroyed_at = PhotoState.DESTROYED.value, reason, now
    photo.large_key = photo.small_key = photo.dhash = photo.evidence = photo.decide_by = None
    photo.from_address_m = photo.from_visit_m = None
    photo.hints = []
    photo.wrap_key_id = ""
    photo.width = photo.height = photo.captured_at = None
    photo.latitude = photo.longitude = photo.accuracy_m = None
