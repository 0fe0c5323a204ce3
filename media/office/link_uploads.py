"""Bring together what came by the door and what operations declared: from here on the office has the photograph."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import exists, insert, select
from sqlalchemy.orm import Session

from field_api.domain.disclosure import Audience
from field_api.domain.vocabulary import VisitEventKind
from field_api.platform.ids import new_id
from field_api.platform.sealing import same
from field_api.platform.tenancy import current_agency
from field_api.queries.photo_declarations import (
    PhotoDeclaration,
    PhotoPermission,
    photo_declarations,
    photo_permissions,
)
from field_api.records.log import LogEntry
from field_api.records.visits import VisitEvent
from media.office.note_photo import note_photo
from media.office.permission import refusal
from media.office.records import Photo, PhotoState
from media.office.untaken import STRAY_FOR
from media.records import COMPLETE, QUARANTINED, STRAY, Upload

BATCH = 100


def link_uploads(session: Session, now: datetime) -> int:
    """Make a photo row for each whole upload that an operation declares; returns how many uploads were settled.

    An upload that no operation declares yet waits. One whose operation declares other bytes, or is another phone's, is
    set aside as stray. Without a valid permission the photo is refused: kept sealed until a manager decides.
    """
    uploads = _declared_uploads(session)
    if not uploads:
        return 0
    declared = photo_declarations(session, {upload.photo_id for upload in uploads}, Audience.OFFICE_JOB)
    pairs = [(upload, declaration_of(upload, declared.get(upload.photo_id, ()))) for upload in uploads]
    wanted = {declaration.permission_op_id for _, declaration in pairs if declaration and declaration.permission_op_id}
    permissions = photo_permissions(session, wanted, Audience.OFFICE_JOB)
    taken = []
    for upload, declaration in pairs:
        if declaration is None:
            upload.state, upload.expires_at = STRAY, now + STRAY_FOR
            continue
        granted = permissions.get(declaration.permission_op_id, ()) if declaration.permission_op_id else ()
        taken.append(_take(session, upload, declaration, granted, now))
    session.flush()
    _enter_in_log(session, taken)
    return len(uploads)


def _enter_in_log(session: Session, photos: Sequence[Photo]) -> None:
    """One statement for all: an entry's id is the database's, and the ORM would ask for each."""
    agency_id = current_agency()
    entries = [
        {"agency_id": agency_id, "kind": "photo", "at": photo.received_at, "ref": f"photo/{photo.id}"}
        for photo in photos
    ]
    if entries:
        session.execute(insert(LogEntry), entries)


def _declared_uploads(session: Session) -> Sequence[Upload]:
    declared = exists().where(
        VisitEvent.agency_id == Upload.agency_id,
        VisitEvent.op_id == Upload.photo_id,
        VisitEvent.kind == VisitEventKind.PHOTO.value,
    )
    return session.scalars(
        select(Upload)
        .where(
            Upload.agency_id == current_agency(),
            Upload.taken_at.is_(None),
            Upload.state.in_((COMPLETE, QUARANTINED)),
            declared,
        )
        .limit(BATCH)
        .with_for_update(skip_locked=True)
    ).all()


def declaration_of(upload: Upload, declarations: Sequence[PhotoDeclaration]) -> PhotoDeclaration | None:
    """The one that is of the same device and names the same bytes."""
    return next((d for d in declarations if d.device_id == upload.device_id and same(d.sha256, upload.sha256)), None)


def _take(
    session: Session, upload: Upload, declared: PhotoDeclaration, granted: Sequence[PhotoPermission], now: datetime
) -> Photo:
    upload.taken_at = now
    reason = refusal(declared, granted)
    state = PhotoState.REFUSED if reason else PhotoState.AWAITING
    if reason is None and upload.state == QUARANTINED:
        state, reason = PhotoState.QUARANTINED, "upload-differs"
    photo = Photo(
        id=new_id(),
        visit_id=declared.visit_id,
        op_id=declared.op_id,
        permission_op_id=declared.permission_op_id,
        device_id=upload.device_id,
        upload_id=upload.id,
        state=state.value,
        reason=reason,
        subject=declared.subject,
        wrap_key_id=upload.sealing_key_id,
        sha256=upload.sha256,
        captured_at=declared.taken_at,
        latitude=declared.latitude,
        longitude=declared.longitude,
        accuracy_m=declared.accuracy_m,
        received_at=upload.completed_at or now,
    )
    session.add(photo)
    if reason:
        note_photo(session, photo, now)
    return photo
