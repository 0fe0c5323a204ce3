"""Uploads that lie at the door whole while no operation declares them: counted, listed, destroyed by hand."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, and_, func, select
from sqlalchemy.orm import Session

from field_api.domain.disclosure import Audience
from field_api.platform.problems import Problem
from field_api.platform.tenancy import current_agency
from field_api.queries.photo_declarations import photo_declarations
from media.office.darkroom import Darkroom
from media.office.destroy_upload import destroy_upload
from media.office.link_uploads import declaration_of
from media.records import COMPLETE, QUARANTINED, STRAY, Upload


def undeclared_uploads(session: Session) -> int:
    """How many, strays included: their operation is late, lost, or somebody made them up."""
    return session.scalar(select(func.count()).select_from(Upload).where(_waiting())) or 0


def listed_undeclared(session: Session, limit: int) -> Sequence[Upload]:
    """The longest waiting first."""
    waiting = select(Upload).where(_waiting()).order_by(Upload.created_at, Upload.id)
    return session.scalars(waiting.limit(limit)).all()


def destroy_undeclared(session: Session, upload_id: UUID, room: Darkroom, *, now: datetime, reason: str) -> Upload:
    """What a person decides before its time is over (docs/photo-format.md §7): its phone is told `gone`.

    Raises Problem `not-found` (no such upload that waits) or `conflict` (an operation declares it: it is, or becomes in
    the next round, a photograph, which is destroyed as one).
    """
    upload = session.scalar(select(Upload).where(_waiting(), Upload.id == upload_id).with_for_update())
    if upload is None:
        raise Problem("not-found", "no such upload waits")
    declared = photo_declarations(session, {upload.photo_id}, Audience.OFFICE_JOB).get(upload.photo_id, ())
    if declaration_of(upload, declared) is not None:
        raise Problem("conflict", "an operation declares it: destroy the photograph")
    destroy_upload(session, upload, room, now, reason)
    return upload


def _waiting() -> ColumnElement[bool]:
    return and_(
        Upload.agency_id == current_agency(),
        Upload.taken_at.is_(None),
        Upload.state.in_((COMPLETE, QUARANTINED, STRAY)),
    )
