"""Destroy an upload that is no photograph of the office's yet: whole or begun, or still to come."""

from __future__ import annotations

from datetime import datetime

import structlog
from sqlalchemy.orm import Session

from field_api.platform.restore_journal import EntryKind, enter_now
from field_api.platform.tenancy import current_agency
from field_api.queries.photo_declarations import PhotoDeclaration
from field_api.usecases.note_decision import note_decision
from media.office.darkroom import Darkroom
from media.records import DESTROYED, Upload
from media.upload_id import upload_id_of

log = structlog.get_logger()


def destroy_upload(session: Session, upload: Upload, room: Darkroom, now: datetime, reason: str) -> None:
    """As `destroy_photo`: the journal first, so that no backup brings it back, then the key, then the bytes.

    The caller holds the row's lock. Raises Problem `unavailable`.
    """
    digest = upload.sha256.hex()
    erased = {"upload": str(upload.id), "device": str(upload.device_id), "op": str(upload.photo_id)}
    enter_now(EntryKind.PHOTO_ERASED, {**erased, "sha256": digest, "reason": reason}, at=now)
    room.stores.keys.destroy(upload.agency_id, upload.id)
    room.stores.files.delete(upload.agency_id, upload.id)
    upload.state = DESTROYED
    note_decision(session, now, "upload-destroyed", {"upload": str(upload.id), "sha256": digest, "reason": reason})
    log.info("upload-destroyed", upload=str(upload.id), sha256=digest, reason=reason)


def destroy_expected(
    session: Session, declared: PhotoDeclaration, room: Darkroom, *, now: datetime, reason: str
) -> bool:
    """Destroy what has come of a declared photograph and bar the rest: its phone is told `gone`, and deletes its copy.

    False where it was destroyed before, or is a photograph by now.
    """
    upload_id = upload_id_of(declared.device_id, declared.sha256)
    upload = session.get(Upload, (current_agency(), upload_id), with_for_update=True)
    if upload is None:
        upload = _to_come(declared, now)
        upload.id = upload_id
        session.add(upload)
        session.flush()
    if upload.state == DESTROYED or upload.taken_at is not None:
        return False
    destroy_upload(session, upload, room, now, reason)
    return True


def _to_come(declared: PhotoDeclaration, now: datetime) -> Upload:
    return Upload(
        agency_id=current_agency(),
        device_id=declared.device_id,
        photo_id=declared.op_id,
        sha256=declared.sha256,
        sealing_key_id="",
        wrap_sha256=b"",
        length_bytes=0,
        received_bytes=0,
        fence=0,
        created_at=now,
        expires_at=now,
    )
