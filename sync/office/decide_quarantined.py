"""A person decides about what is kept without effect: try it again, let others go on without it, or leave it be.

Every decision is a row and a leaf of the log. What holds already is left as it is: doing it twice is doing it once.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from field_api.domain.confidential import Confidential
from field_api.domain.vocabulary import Verdict
from field_api.platform.problems import Problem
from field_api.platform.sealing import b64u, sha256
from field_api.platform.tenancy import current_agency
from field_api.usecases.note_decision import note_decision
from sync.mailbox import InboxOp, QuarantinedBytes
from sync.office.kept import kept_bytes, kept_operation, reference_of
from sync.office.settle import SETTLED, let_go_on
from sync.records import QuarantineDecision

QUARANTINED, HELD, RECEIVED = Verdict.QUARANTINED.value, Verdict.HELD.value, "received"
AT_ONCE = 1_000  # operations of one reason that are tried again by one call


def retry_operation(
    session: Session, device_id: UUID, op_id: UUID, *, reason: str, by: UUID | None, now: datetime
) -> InboxOp:
    """Have it applied again in the worker's next round: after an upgrade, or where the worker died of something else.

    One that came after its phone was revoked is accepted by this. Raises `not-found`, `already-done`, `conflict`.
    """
    row = kept_operation(session, device_id, op_id, lock=True)
    if row.state == RECEIVED:
        return row
    _must_be(row, QUARANTINED)
    row.state, row.closed_at = RECEIVED, None  # the reason stays until there is another: see `apply._decide`
    note(session, row, "retry", reason, by, now)
    session.execute(text("NOTIFY doorstep_inbox"))
    return row


def retry_all(session: Session, code: str, *, reason: str, by: UUID | None, now: datetime) -> int:
    """All that were quarantined for this reason, the oldest thousand at most. Returns how many."""
    found = session.execute(
        select(InboxOp.device_id, InboxOp.op_id)
        .where(InboxOp.agency_id == current_agency(), InboxOp.state == QUARANTINED, InboxOp.reason == code)
        .order_by(InboxOp.received_at, InboxOp.op_id)
        .limit(AT_ONCE)
    ).all()
    for device_id, op_id in found:
        retry_operation(session, device_id, op_id, reason=reason, by=by, now=now)
    return len(found)


def release_operation(
    session: Session, device_id: UUID, op_id: UUID, *, reason: str, by: UUID | None, now: datetime
) -> InboxOp:
    """Quarantined: those that need it go on without it. Held: it goes on without what it needs.

    Raises `not-found`, `already-done`, `conflict`.
    """
    row = kept_operation(session, device_id, op_id, lock=True)
    if row.released:
        return row
    _must_be(row, QUARANTINED, HELD)
    row.released = True
    note(session, row, "release", reason, by, now)
    if row.state == HELD:
        row.state = RECEIVED
    session.flush()
    let_go_on(session, device_id, op_id)
    session.execute(text("NOTIFY doorstep_inbox"))
    return row


def dismiss_operation(
    session: Session, device_id: UUID, op_id: UUID, *, reason: str, by: UUID | None, now: datetime
) -> InboxOp:
    """Looked at: there is nothing to do. It stays as it is. Raises `not-found`, `already-done`, `conflict`."""
    row = kept_operation(session, device_id, op_id, lock=True)
    _must_be(row, QUARANTINED)
    if row.closed_at is None:
        row.closed_at = now
        note(session, row, "dismiss", reason, by, now)
    return row


def release_bytes(session: Session, bytes_id: UUID, *, reason: str, by: UUID | None, now: datetime) -> QuarantinedBytes:
    """Those that need the operation which these bytes claim to be go on without it. Raises `not-found`."""
    row = kept_bytes(session, bytes_id, lock=True)
    if not row.released:
        row.released = True
        note(session, row, "release", reason, by, now)
        session.flush()
        if row.op_id is not None:
            let_go_on(session, row.device_id, row.op_id)
            session.execute(text("NOTIFY doorstep_inbox"))
    return row


def dismiss_bytes(session: Session, bytes_id: UUID, *, reason: str, by: UUID | None, now: datetime) -> QuarantinedBytes:
    """Raises `not-found`."""
    row = kept_bytes(session, bytes_id, lock=True)
    if row.closed_at is None:
        row.closed_at = now
        note(session, row, "dismiss", reason, by, now)
    return row


DECIDE_OPERATION = {"retry": retry_operation, "release": release_operation, "dismiss": dismiss_operation}
DECIDE_BYTES = {"release": release_bytes, "dismiss": dismiss_bytes}
"""What may be decided by its name, as the API and the command name it. Bytes that are no operation are not retried."""


def note(
    session: Session,
    row: InboxOp | QuarantinedBytes,
    action: str,
    reason: str,
    by: UUID | None,
    now: datetime,
    *,
    mended_as: UUID | None = None,
    body_sha256: bytes | None = None,
) -> None:
    """The decision as a row, with its reason sealed, and as a leaf of the log, with the reason's hash."""
    is_operation = isinstance(row, InboxOp)
    session.add(
        QuarantineDecision(
            device_id=row.device_id,
            op_id=row.op_id if is_operation else None,
            bytes_id=None if isinstance(row, InboxOp) else row.id,
            action=action,
            reason=Confidential(reason),
            decided_by=by,
            decided_at=now,
            mended_as=mended_as,
        )
    )
    detail = {"kept": reference_of(row), "by": str(by) if by else None, "reason_sha256": b64u(sha256(reason.encode()))}
    if mended_as is not None and body_sha256 is not None:
        detail |= {"mended_as": str(mended_as), "body_sha256": b64u(body_sha256)}
    note_decision(session, now, f"quarantine-{action}", detail)


def _must_be(row: InboxOp, *states: str) -> None:
    if row.state in SETTLED:
        raise Problem("already-done", "it has taken effect")
    if row.state not in states:
        raise Problem("conflict", "not in its present state")
