"""A person puts right what a phone sent: the correction is a new fact of the office, and takes effect as one.

The bytes as they came stay where they are, and in the log. The correction stands in the visit's story as what was
recorded, flagged `mended`, with a line of its own that says who did it; the decision is a leaf that commits to both.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from field_api.domain.operations import ClockEvidence, Effect, RecordedOperation, UnreadableOperation
from field_api.domain.vocabulary import OpKind, Verdict, VisitEventKind
from field_api.platform.bounded_json import canonical
from field_api.platform.devices import Device
from field_api.platform.ids import new_id
from field_api.platform.problems import Problem
from field_api.platform.sealing import b64u, sha256
from field_api.platform.tenancy import current_agency
from field_api.records.base import load
from field_api.records.visits import Visit
from field_api.usecases.note_visit_event import note_visit_event, staff_actor
from field_api.usecases.record_operation import record_operation
from sync.mailbox import InboxOp, QuarantinedBytes
from sync.office.decide_quarantined import note
from sync.office.kept import Claims, claims_of, kept_bytes, kept_operation, reference_of
from sync.office.settle import SETTLED, Decided, Decision, let_go_on, settle

MENDED = "mended"


@dataclass(frozen=True)
class Correction:
    """What should have come: kind, body and visit as a phone would record them, in a person's words why."""

    kind: OpKind
    body: Mapping[str, Any]
    visit_id: UUID | None
    reason: str


def mend_operation(
    session: Session, device_id: UUID, op_id: UUID, correction: Correction, *, by: UUID | None, now: datetime
) -> InboxOp:
    """Let the correction take effect in the operation's place: under its id, so that others which name it find it.

    Its phone is told the new verdict, and whoever waited goes on. Raises `not-found`, `already-done`, `conflict`, and
    `bad-request` for a correction that does not fit its kind or its visit.
    """
    _must_be_ours(session, correction)
    row = kept_operation(session, device_id, op_id, lock=True)
    if row.state in SETTLED:
        raise Problem("already-done", "it has taken effect")
    if row.state != Verdict.QUARANTINED.value:
        raise Problem("conflict", "not in its present state")
    device = session.get_one(Device, (current_agency(), device_id))
    claims = claims_of(row.protected)
    effect = _apply(session, device, row, op_id, row.seq, claims, correction, by, now)
    settle(session, device, [Decided(row, Decision(effect.verdict, flags=effect.flags))], now)
    let_go_on(session, device.id, row.op_id)
    session.refresh(row)
    session.execute(text("NOTIFY doorstep_inbox"))
    return row


def mend_bytes(
    session: Session, bytes_id: UUID, correction: Correction, *, by: UUID | None, now: datetime
) -> QuarantinedBytes:
    """The same for bytes that are no operation: under a new id, because the one they claim may yet come.

    Whoever waits for that one goes on. Raises as `mend_operation`.
    """
    _must_be_ours(session, correction)
    row = kept_bytes(session, bytes_id, lock=True)
    if row.closed_at is not None:
        raise Problem("already-done", "somebody has decided about it")
    device = session.get_one(Device, (current_agency(), row.device_id))
    _apply(session, device, row, new_id(), row.seq or 0, Claims(), correction, by, now)
    row.closed_at, row.released = now, True
    session.flush()
    if row.op_id is not None:
        let_go_on(session, row.device_id, row.op_id)
    session.execute(text("NOTIFY doorstep_inbox"))
    return row


def _must_be_ours(session: Session, correction: Correction) -> None:
    if correction.visit_id is not None:
        load(session, Visit, correction.visit_id)


def _apply(
    session: Session,
    device: Device,
    row: InboxOp | QuarantinedBytes,
    op_id: UUID,
    seq: int,
    claims: Claims,
    correction: Correction,
    by: UUID | None,
    now: datetime,
) -> Effect:
    same_visit = correction.visit_id == claims.visit
    operation = RecordedOperation(
        op_id=op_id,
        device_id=device.id,
        agent_id=device.agent_id,
        visit_id=correction.visit_id,
        assignment_version=claims.assignment_version if same_visit else None,
        seq=seq,
        kind=correction.kind,
        body=dict(correction.body),
        wall_clock=claims.wall or row.received_at,
        received_at=row.received_at,
        evidence=ClockEvidence(claims.wall or row.received_at, claims.mono_ms or 0, "", None),
        noted=(MENDED,),
    )
    try:
        effect = record_operation(session, operation, now=now)
    except UnreadableOperation as refused:
        raise _refusal(refused) from refused
    hashed = sha256(canonical(operation.body))
    if correction.visit_id is not None:
        body = {"verdict": effect.verdict.value, "mended": reference_of(row), "reason": correction.reason}
        body |= {"body_sha256": b64u(hashed)}
        note_visit_event(
            session, correction.visit_id, VisitEventKind.VERDICT, now, staff_actor(by), body, op_id, flags=[MENDED]
        )
    note(session, row, "mend", correction.reason, by, now, mended_as=op_id, body_sha256=hashed)
    session.flush()
    return effect


def _refusal(refused: UnreadableOperation) -> Problem:
    if refused.reason == "visit-required":
        return Problem("bad-request", "what is recorded with this kind belongs to a visit: name it", at="visit_id")
    return Problem("bad-request", "it does not fit its kind", at="body")
