"""Operations take effect: one device at a time, in order of seq, each in a transaction of its own.

Effect, verdict and the change row that tells the phone commit together. What cannot be read, and what crashes the code,
is quarantined with a reason and the rest go on; only trouble of the database itself is left to be tried again.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import structlog
from sqlalchemy import any_, literal, select, text, update
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import Session

from field_api.domain.operations import UnreadableOperation
from field_api.domain.vocabulary import ChangeKind, Verdict, VisitEventKind
from field_api.platform.database import transaction
from field_api.platform.devices import Device
from field_api.platform.keyring import OfficeKeys
from field_api.platform.tenancy import current_agency
from field_api.records.visits import Visit
from field_api.usecases.note_visit_event import note_visit_event
from field_api.usecases.record_operation import record_operation
from field_api.usecases.tell_agent import tell_agent
from sync.mailbox import InboxOp
from sync.office.open_op import OpenedOp, Quarantined, claimed_visit, open_op

SETTLED = (Verdict.APPLIED.value, Verdict.LATE.value)
NOT_THE_OPERATIONS_FAULT = (OperationalError, InterfaceError, PoolTimeout, MemoryError)

log = structlog.get_logger()


@dataclass(frozen=True)
class Decision:
    """What becomes of an operation."""

    verdict: Verdict
    reason: str | None = None
    flags: tuple[str, ...] = ()
    waits_for: tuple[UUID, ...] = ()
    incident: str | None = None


def devices_with_operations(session: Session) -> list[UUID]:
    query = select(InboxOp.device_id).where(InboxOp.agency_id == current_agency(), InboxOp.state == "received")
    return list(session.scalars(query.distinct().order_by(InboxOp.device_id)))


def apply_device(agency_id: UUID, keys: OfficeKeys, device_id: UUID, *, now: datetime, at_most: int = 200) -> int:
    """Apply a device's received operations, the lowest seq first. Returns how many were decided."""
    done = 0
    while done < at_most:
        with transaction(agency_id) as session:
            if not _apply_next(session, keys, device_id, now):
                break
        done += 1
    return done


def _apply_next(session: Session, keys: OfficeKeys, device_id: UUID, now: datetime) -> bool:
    if not session.scalar(
        text("SELECT pg_try_advisory_xact_lock(hashtextextended('doorstep-apply:' || :device, 0))"),
        {"device": str(device_id)},
    ):
        return False  # another worker is at this device
    row = session.scalars(
        select(InboxOp)
        .where(InboxOp.agency_id == current_agency(), InboxOp.device_id == device_id, InboxOp.state == "received")
        .order_by(InboxOp.seq, InboxOp.received_at)
        .limit(1)
        .with_for_update()
    ).one_or_none()
    if row is None:
        return False
    device = session.get_one(Device, (current_agency(), device_id))
    waited = bool(row.waits_for)
    decision = _decide(session, keys, device, row, now)
    _settle(session, device, row, decision, now, tell=decision.verdict is not Verdict.HELD or not waited)
    return True


def _decide(session: Session, keys: OfficeKeys, device: Device, row: InboxOp, now: datetime) -> Decision:
    """Try it inside a savepoint: whatever goes wrong in there leaves no trace but the reason."""
    if device.revoked_at is not None and row.received_at >= device.revoked_at:
        _note_quarantined(session, device, row, "device-revoked", "", now)
        return Decision(Verdict.QUARANTINED, "device-revoked")
    try:
        with session.begin_nested():
            return _effect(session, open_op(keys, device, row), row, now)
    except (Quarantined, UnreadableOperation) as refused:
        place = refused.place if isinstance(refused, UnreadableOperation) else ""
        _note_quarantined(session, device, row, refused.reason, place, now)
        return Decision(Verdict.QUARANTINED, refused.reason)
    except NOT_THE_OPERATIONS_FAULT:
        raise
    except Exception as error:
        if isinstance(error, DBAPIError) and error.connection_invalidated:
            raise
        incident = secrets.token_hex(8)
        log.error("operation-crashed", incident=incident, op=str(row.op_id), error=type(error).__name__)
        reason = f"crashed:{type(error).__name__}"
        _note_quarantined(session, device, row, reason, "", now)
        return Decision(Verdict.QUARANTINED, reason, incident=incident)


def _note_quarantined(session: Session, device: Device, row: InboxOp, reason: str, place: str, now: datetime) -> None:
    """The story says it as well: a manager reads there what came from a door and could not be used."""
    visit_id = claimed_visit(row)
    if visit_id is None or session.get(Visit, {"agency_id": row.agency_id, "id": visit_id}) is None:
        return
    # Not in the agent's name: that the agent's phone made it is just what may be wrong.
    body = {"verdict": Verdict.QUARANTINED.value, "reason": reason, "place": place, "device": str(device.id)}
    note_visit_event(session, visit_id, VisitEventKind.VERDICT, now, "system", body, row.op_id, flags=["quarantined"])


def _effect(session: Session, opened: OpenedOp, row: InboxOp, now: datetime) -> Decision:
    missing = _missing(session, row, opened.dependencies)
    if missing:
        return Decision(Verdict.HELD, "waits", waits_for=missing)
    effect = record_operation(session, opened.operation, now=now)
    session.flush()
    flags = dict.fromkeys((*effect.flags, *opened.flags, *_chain_flags(session, opened, row)))
    return Decision(effect.verdict, flags=tuple(flags))


def _missing(session: Session, row: InboxOp, dependencies: Iterable[UUID]) -> tuple[UUID, ...]:
    """Those that have not taken effect yet: not here, held themselves, or quarantined."""
    wanted = tuple(dict.fromkeys(dependencies))
    if not wanted:
        return ()
    settled = set(
        session.scalars(
            select(InboxOp.op_id).where(
                InboxOp.agency_id == row.agency_id,
                InboxOp.device_id == row.device_id,
                InboxOp.op_id.in_(wanted),
                InboxOp.state.in_(SETTLED),
            )
        )
    )
    return tuple(op_id for op_id in wanted if op_id not in settled)


def _chain_flags(session: Session, opened: OpenedOp, row: InboxOp) -> list[str]:
    """Evidence of a phone that was copied or tampered with: shown to a manager, never a reason to refuse."""
    near = session.execute(
        select(InboxOp.seq, InboxOp.link).where(
            InboxOp.agency_id == row.agency_id,
            InboxOp.device_id == row.device_id,
            InboxOp.seq.in_([row.seq - 1, row.seq]),
        )
    ).all()
    before = [other.link for other in near if other.seq == row.seq - 1]
    if row.seq == 1:
        before = [bytes(32)]
    flags = ["seq-twice"] if sum(other.seq == row.seq for other in near) > 1 else []
    return [*flags, "chain-broken"] if before and opened.prev not in before else flags


def _settle(session: Session, device: Device, row: InboxOp, decision: Decision, now: datetime, *, tell: bool) -> None:
    row.state, row.reason, row.incident = decision.verdict.value, decision.reason, decision.incident
    row.flags, row.waits_for, row.decided_at = list(decision.flags), list(decision.waits_for), now
    if tell and device.state == "active":
        tell_agent(session, device.agent_id, ChangeKind.VERDICT, row.op_id)
    if decision.verdict.value in SETTLED:
        # Whoever waited for it is looked at again, in order of seq.
        session.execute(
            update(InboxOp)
            .where(
                InboxOp.agency_id == row.agency_id,
                InboxOp.device_id == row.device_id,
                InboxOp.state == "held",
                literal(row.op_id) == any_(InboxOp.waits_for),
            )
            .values(state="received")
            .execution_options(synchronize_session=False)
        )
