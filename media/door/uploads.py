"""Uploads as the door moves them on: create, take a place, append, end. Each works inside the caller's transaction.

The order that keeps every promise: the bytes are on disk before the offset says so, the offset is committed before the
phone is told, and the row's lock is held from the check of the offset to the commit. A crash anywhere leaves bytes
beyond the offset at worst, and the next append cuts them off.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from field_api.platform.overload import later_s
from field_api.platform.problems import Problem
from field_api.platform.sealing import same, sha256
from field_api.platform.tenancy import current_agency
from media.door.headers import Creation
from media.photo_keys import KeyAbsent
from media.records import COMPLETE, DESTROYED, FORGOTTEN, QUARANTINED, RECEIVING, WAITING_STATES, Upload
from media.sealed_files import SealedAbsent
from media.stores import Stores, forget
from media.upload_id import upload_id_of

LIFETIME = timedelta(days=7)
MAX_WAITING_BYTES = 256 * 1024 * 1024
"""Of one device: some 80 photographs of 3 MB. A stolen phone fills no disk; a day's work always fits."""
MAX_WAITING = 2_000
"""Uploads of one device: the smallest has 25 bytes, and each takes a row, a key's file and their blocks."""


def create(
    session: Session, stores: Stores, device_id: UUID, wanted: Creation, now: datetime, answer_at: datetime
) -> tuple[Upload, bool]:
    """The upload of this content, and whether it is new. One that is there already gets a fence as from `tell_offset`.

    Raises Problem `conflict` where it was announced otherwise, `gone` where it was destroyed, `quota-exceeded`,
    `unavailable` where the disk is full; then nothing has changed.
    """
    _one_creation_at_a_time(session, device_id)
    upload_id = upload_id_of(device_id, wanted.sha256)
    upload = session.get(Upload, (current_agency(), upload_id), with_for_update=True)
    if upload is not None and upload.state == DESTROYED:
        raise Problem("gone", "this photograph was destroyed")
    if upload is not None and _alive(upload, now):
        return _told(session, _the_same(upload, wanted), answer_at), False
    _check_quota(session, device_id, wanted.length_bytes)
    upload = upload or Upload(id=upload_id, device_id=device_id, sha256=wanted.sha256)
    _begin(upload, wanted, now)
    session.add(upload)
    _told(session, upload, answer_at)
    try:
        stores.files.delete(upload.agency_id, upload.id)  # of an earlier, forgotten life
        stores.keys.put(upload.agency_id, upload.id, wanted.wrap)
    except OSError as error:
        raise _cannot_store() from error
    return upload, True


def tell_offset(session: Session, device_id: UUID, upload_id: UUID, now: datetime, answer_at: datetime) -> Upload:
    """The upload, to be told with the anchor of `answer_at`: only what is signed with that or a later one moves it now.

    Raises Problem `not-found` or `gone`.
    """
    return _told(session, _find(session, device_id, upload_id, now), answer_at)


def take_place(session: Session, device_id: UUID, upload_id: UUID, now: datetime, anchor_at: datetime | None) -> int:
    """The fence that makes this request the newest: older ones can move the upload no more.

    A request may be older than it comes: servers and proxies hold a body back until it is whole. So one that was signed
    before the offset was last told is refused. Raises Problem `conflict` for it, `not-found` or `gone`.
    """
    upload = _find(session, device_id, upload_id, now)
    _pass_older(upload, anchor_at)
    session.flush()
    return upload.fence


def append_at_once(
    session: Session,
    stores: Stores,
    device_id: UUID,
    upload_id: UUID,
    anchor_at: datetime | None,
    offset: int,
    body: bytes,
    now: datetime,
) -> Upload:
    """`take_place` and `append` in one, for a body that is here already: nothing can stall between the two."""
    upload = _find(session, device_id, upload_id, now)
    _pass_older(upload, anchor_at)
    return _append(session, stores, upload, offset, body, now)


def append(
    session: Session,
    stores: Stores,
    device_id: UUID,
    upload_id: UUID,
    fence: int,
    offset: int,
    body: bytes,
    now: datetime,
) -> Upload:
    """Append `body` and settle the upload when it is full.

    Raises Problem `conflict` (another offset, or a newer request came), `bad-request` (past the end), `unavailable`
    (the disk is full); then nothing has changed. An upload whose bytes or key were lost comes back forgotten.
    """
    upload = _find(session, device_id, upload_id, now)
    if upload.fence != fence:
        raise Problem("conflict", "a newer request came for this upload")
    return _append(session, stores, upload, offset, body, now)


def _append(session: Session, stores: Stores, upload: Upload, offset: int, body: bytes, now: datetime) -> Upload:
    if upload.received_bytes != offset or upload.state != RECEIVING:
        raise Problem("conflict", "this is not where the upload stands", at="Upload-Offset")
    if not 0 < len(body) <= upload.length_bytes - offset:
        raise Problem("bad-request", "no bytes, or more than are missing")
    try:
        stores.files.append(upload.agency_id, upload.id, offset, body)
        upload.received_bytes = offset + len(body)
        upload.expires_at = now + LIFETIME
        if upload.received_bytes == upload.length_bytes:
            _settle(session, stores, upload, now)
    except (SealedAbsent, KeyAbsent):
        forget(stores, upload)
    return upload


def append_first(
    session: Session, stores: Stores, device_id: UUID, upload_id: UUID, fence: int, body: bytes, now: datetime
) -> Upload:
    """Append what came with a creation, if nothing newer came for the upload it made: then its offset tells the phone
    where to go on. Raises as `append`.
    """
    upload = _find(session, device_id, upload_id, now)
    if upload.fence != fence:
        return upload
    return append(session, stores, device_id, upload_id, fence, 0, body, now)


def end(session: Session, stores: Stores, device_id: UUID, upload_id: UUID, now: datetime) -> None:
    """Forget an incomplete upload. Raises Problem `not-found`, `gone`, or `already-done` for a complete one."""
    upload = _find(session, device_id, upload_id, now)
    if upload.state != RECEIVING:
        raise Problem("already-done", "a complete upload is evidence")
    forget(stores, upload)


def _cannot_store() -> Problem:
    return Problem("unavailable", "the door cannot store now", headers={"Retry-After": later_s(60, 90)})


def _one_creation_at_a_time(session: Session, device_id: UUID) -> None:
    """Two creations of one device would each see room for itself alone. Held to the end of the transaction."""
    number = int.from_bytes(sha256(b"doorstep-upload-create" + device_id.bytes)[:8], "big", signed=True)
    session.execute(select(func.pg_advisory_xact_lock(number)))


def _find(session: Session, device_id: UUID, upload_id: UUID, now: datetime) -> Upload:
    upload = session.get(Upload, (current_agency(), upload_id), with_for_update=True)
    if upload is None or upload.device_id != device_id or (upload.state != DESTROYED and not _alive(upload, now)):
        raise Problem("not-found", "no such upload")
    if upload.state == DESTROYED:
        raise Problem("gone", "this photograph was destroyed")
    return upload


def _alive(upload: Upload, now: datetime) -> bool:
    return upload.state != FORGOTTEN and not (upload.state == RECEIVING and upload.expires_at <= now)


def _pass_older(upload: Upload, anchor_at: datetime | None) -> None:
    """Raises Problem `conflict` for what was signed before the offset was last told."""
    if upload.told_at and not (anchor_at and anchor_at >= upload.told_at):
        raise Problem("conflict", "the offset was told anew since this was signed")
    upload.fence += 1


def _told(session: Session, upload: Upload, answer_at: datetime) -> Upload:
    upload.fence += 1
    upload.told_at = answer_at
    session.flush()
    return upload


def _the_same(upload: Upload, wanted: Creation) -> Upload:
    known = (upload.photo_id, upload.length_bytes, upload.sealing_key_id)
    if known != (wanted.photo_id, wanted.length_bytes, wanted.sealing_key_id):
        raise Problem("conflict", "these bytes were announced with other values")
    if not same(upload.wrap_sha256, sha256(wanted.wrap)):
        raise Problem("conflict", "these bytes were announced with another key", at="key")
    return upload


def _check_quota(session: Session, device_id: UUID, length_bytes: int) -> None:
    number, waiting = session.execute(
        select(func.count(), func.coalesce(func.sum(Upload.length_bytes), 0)).where(
            Upload.agency_id == current_agency(),
            Upload.device_id == device_id,
            Upload.state.in_(WAITING_STATES),
            Upload.taken_at.is_(None),
        )
    ).one()
    if number >= MAX_WAITING or waiting + length_bytes > MAX_WAITING_BYTES:
        raise Problem("quota-exceeded", f"{MAX_WAITING} photographs or {MAX_WAITING_BYTES} bytes wait: later")


def _begin(upload: Upload, wanted: Creation, now: datetime) -> None:
    upload.photo_id = wanted.photo_id
    upload.sealing_key_id = wanted.sealing_key_id
    upload.wrap_sha256 = sha256(wanted.wrap)
    upload.length_bytes = wanted.length_bytes
    upload.received_bytes = 0
    upload.fence = upload.fence or 0
    upload.state = RECEIVING
    upload.created_at = now
    upload.expires_at = now + LIFETIME
    upload.completed_at = None


def _settle(session: Session, stores: Stores, upload: Upload, now: datetime) -> None:
    """What a phone is told to be complete it may delete: so the key must be here as well. Raises as the stores do."""
    stores.keys.get(upload.agency_id, upload.id)
    matches = same(stores.files.sha256(upload.agency_id, upload.id), upload.sha256)
    upload.state = COMPLETE if matches else QUARANTINED
    upload.completed_at = now
    session.execute(text("NOTIFY doorstep_upload"))
