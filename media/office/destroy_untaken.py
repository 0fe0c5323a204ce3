"""Destroy whole uploads that nothing takes any more: those declared otherwise, those that nobody will declare."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, and_, select, text
from sqlalchemy.orm import Session

from field_api.domain.disclosure import Audience
from field_api.platform.tenancy import current_agency
from field_api.queries.photo_declarations import photo_declarations
from media.office.darkroom import Darkroom
from media.office.destroy_upload import destroy_upload
from media.office.link_uploads import declaration_of
from media.office.untaken import LOOK_AGAIN, Untaken, end_of_wait
from media.records import COMPLETE, QUARANTINED, STRAY, Upload

BATCH = 20

# Tables by name: operations are another room's, and media knows nothing of sync. What stands in `quarantine` without an
# operation's id is an exception of the durable statement.
_KNOWN = text("""
    SELECT
        EXISTS (
            SELECT FROM mailbox.inbox o WHERE o.agency_id = v.agency_id AND o.device_id = v.id AND o.op_id = :op
            AND o.state IN ('received', 'held', 'quarantined') AND o.closed_at IS NULL
        ) OR EXISTS (
            SELECT FROM mailbox.quarantine b WHERE b.agency_id = v.agency_id AND b.device_id = v.id AND b.op_id = :op
            AND b.closed_at IS NULL
        ) AS operation_waits,
        c.newest_seq AS newest_told, c.newest_told_at, v.revoked_at,
        CASE WHEN d.excepted = '{}' THEN d.durable_seq ELSE 0 END AS held_through
    FROM mailbox.device v
    LEFT JOIN mailbox.device_contact c ON c.agency_id = v.agency_id AND c.device_id = v.id
    LEFT JOIN mailbox.durable d ON d.agency_id = v.agency_id AND d.device_id = v.id
    WHERE v.agency_id = :agency AND v.id = :device
""")


def untaken_uploads(session: Session, now: datetime, aside: Collection[UUID] = ()) -> Sequence[UUID]:
    """Those whose time to be looked at has come, the longest waiting first."""
    mine = (Upload.agency_id == current_agency(), _not_taken(), Upload.expires_at <= now, Upload.id.not_in(aside))
    return session.scalars(select(Upload.id).where(*mine).order_by(Upload.expires_at).limit(BATCH)).all()


def look_at_untaken(session: Session, upload_id: UUID, room: Darkroom, now: datetime) -> bool:
    """Destroy it, take it back where its operation came after all, or let it wait on. Whether it was destroyed."""
    mine = (Upload.agency_id == current_agency(), Upload.id == upload_id, _not_taken(), Upload.expires_at <= now)
    upload = session.scalar(select(Upload).where(*mine).with_for_update(skip_locked=True))
    if upload is None:
        return False
    upload.expires_at = now + LOOK_AGAIN
    declared = photo_declarations(session, {upload.photo_id}, Audience.OFFICE_JOB).get(upload.photo_id, ())
    if declaration_of(upload, declared) is not None:
        upload.state = COMPLETE if upload.state == STRAY else upload.state  # the next round links it
        return False
    reason = end_of_wait(_known_of(session, upload), now)
    if reason is not None:
        destroy_upload(session, upload, room, now, reason)
    return reason is not None


def _not_taken() -> ColumnElement[bool]:
    return and_(Upload.taken_at.is_(None), Upload.state.in_((COMPLETE, QUARANTINED, STRAY)))


def _known_of(session: Session, upload: Upload) -> Untaken:
    wanted = {"agency": upload.agency_id, "device": upload.device_id, "op": upload.photo_id}
    row = session.execute(_KNOWN, wanted).one()
    return Untaken(
        stray=upload.state == STRAY,
        whole_at=upload.completed_at or upload.created_at,
        operation_waits=row.operation_waits,
        newest_told=row.newest_told,
        newest_told_at=row.newest_told_at,
        held_through=row.held_through or 0,
        revoked_at=row.revoked_at,
    )
