"""What becomes of one operation: opened, held, let take effect, or kept for a person with a reason."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, replace
from datetime import datetime

import structlog
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import Session

from field_api.domain.operations import UnreadableOperation
from field_api.domain.vocabulary import OpKind, Verdict, VisitEventKind
from field_api.platform.devices import Device
from field_api.platform.keyring import OfficeKeys
from field_api.records.visits import Visit
from field_api.usecases.note_visit_event import note_visit_event
from field_api.usecases.record_operation import record_operation
from field_api.usecases.stops_work import stops_work
from field_api.usecases.visits_in_hand import VisitsInHand
from sync.mailbox import InboxOp
from sync.office.dependencies import replace_what_was_corrected, waiting_for
from sync.office.known import Known, know
from sync.office.lost_operations import note_lost
from sync.office.open_op import OpenedOp, Quarantined, claimed_visit, open_op
from sync.office.settle import Decision

NOT_THE_OPERATIONS_FAULT = (OperationalError, InterfaceError, PoolTimeout, MemoryError)
DEVICE_REVOKED = "device-revoked"
LOCK_NO_MORE_THAN_THE_VISIT = frozenset(
    {
        OpKind.SESSION, OpKind.ARRIVED, OpKind.ENCOUNTER, OpKind.IDENTITY_CHECK, OpKind.OPENED, OpKind.NOTE,
        OpKind.PHOTO_PERMISSION, OpKind.PHOTO, OpKind.CONTACT,
    }
)  # fmt: skip

log = structlog.get_logger()


@dataclass(frozen=True)
class Refused:
    """Why an operation cannot be used, found before it did anything. `place`: the field, dotted."""

    reason: str
    place: str = ""


def read_operation(keys: OfficeKeys, device: Device, row: InboxOp) -> OpenedOp | Refused:
    # Where the reason stands there already, a person had it tried again: its revocation counts no more.
    if device.revoked_at is not None and row.received_at >= device.revoked_at and row.reason != DEVICE_REVOKED:
        return Refused(DEVICE_REVOKED)
    try:
        return open_op(keys, device, row)
    except Quarantined as refused:
        return Refused(refused.reason)


def may_share(read: OpenedOp | Refused) -> bool:
    """Whether it locks nothing but its visit, and what is locked with that: then it may share a transaction.

    Letters, what a correction replaces, and all accounts and visits that a hold is about are locked later than the
    visit. To have other visits locked then would be the way round that deadlocks with the office.
    """
    if isinstance(read, Refused) or read.operation.kind in LOCK_NO_MORE_THAN_THE_VISIT:
        return True
    try:
        return read.operation.kind is OpKind.OUTCOME and not stops_work(read.operation)
    except UnreadableOperation:
        return False  # by itself, it undoes nobody else's effect


def decide(
    session: Session,
    keys: OfficeKeys,
    device: Device,
    row: InboxOp,
    read: OpenedOp | Refused,
    known: Known,
    now: datetime,
    in_hand: VisitsInHand | None = None,
) -> Decision:
    """Let it take effect, unless it waits. Raises whatever goes wrong in there: the caller then undoes all of it."""
    if isinstance(read, Refused):
        return quarantined(session, device, row, read, now)
    waiting = waiting_for(known.needed, row, read)
    if waiting.holds:
        return Decision(Verdict.HELD, "waits", waits_for=waiting.unmet)
    operation = replace(read.operation, noted=waiting.flags)
    effect = record_operation(session, operation, now=now, in_hand=in_hand)
    if row.op_id in known.corrected:
        session.flush()
        replace_what_was_corrected(session, keys, operation)
    lost = note_lost(session, device, operation, now) if operation.kind is OpKind.SESSION else ()
    flags = dict.fromkeys((*effect.flags, *read.flags, *known.chain_flags(read), *lost))
    return Decision(effect.verdict, flags=tuple(flags), waits_for=waiting.unmet)


def decide_alone(session: Session, keys: OfficeKeys, device: Device, row: InboxOp, now: datetime) -> Decision:
    """Try it inside a savepoint: whatever goes wrong in there leaves no trace but the reason."""
    try:
        with session.begin_nested():
            read = read_operation(keys, device, row)
            known = know(session, device.id, [read] if isinstance(read, OpenedOp) else [])
            return decide(session, keys, device, row, read, known, now)
    except UnreadableOperation as refused:
        return quarantined(session, device, row, Refused(refused.reason, refused.place), now)
    except NOT_THE_OPERATIONS_FAULT:
        raise
    except Exception as error:
        if isinstance(error, DBAPIError) and error.connection_invalidated:
            raise
        return crashed(session, device, row, f"crashed:{type(error).__name__}", now)


def crashed(session: Session, device: Device, row: InboxOp, reason: str, now: datetime) -> Decision:
    incident = secrets.token_hex(8)
    log.error("operation-crashed", incident=incident, op=str(row.op_id), error=reason.removeprefix("crashed:"))
    return replace(quarantined(session, device, row, Refused(reason), now), incident=incident)


def quarantined(session: Session, device: Device, row: InboxOp, why: Refused, now: datetime) -> Decision:
    """The story says it as well: a manager reads there what came from a door and could not be used."""
    visit_id = claimed_visit(row)
    if visit_id is not None and session.get(Visit, {"agency_id": row.agency_id, "id": visit_id}) is not None:
        # Not in the agent's name: that the agent's phone made it is just what may be wrong.
        body = {"verdict": Verdict.QUARANTINED.value, "reason": why.reason, "place": why.place}
        body |= {"device": str(device.id)}
        note_visit_event(
            session, visit_id, VisitEventKind.VERDICT, now, "system", body, row.op_id, flags=["quarantined"]
        )
    return Decision(Verdict.QUARANTINED, why.reason)
