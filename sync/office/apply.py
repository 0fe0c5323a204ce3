"""Operations take effect: one device at a time, in order of seq, a run of them in a transaction.

Effect, verdict and the change row that tells the phone commit together. What cannot be read, and what crashes the code,
is quarantined with a reason and the rest go on. Trouble of the database, and a worker that died, are nobody's fault
at first: the device's operations are then tried one at a time, and one that ends so twice is quarantined
(`sync.office.turns`).
"""

from __future__ import annotations

import secrets
from dataclasses import replace
from datetime import datetime
from uuid import UUID

import structlog
from sqlalchemy import Select, select
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import Session

from field_api.domain.operations import UnreadableOperation
from field_api.domain.vocabulary import OpKind, Verdict, VisitEventKind
from field_api.platform.crash import place_of
from field_api.platform.database import transaction
from field_api.platform.devices import Device
from field_api.platform.keyring import OfficeKeys
from field_api.platform.tenancy import current_agency
from field_api.records.visits import Visit
from field_api.usecases.note_visit_event import note_visit_event
from field_api.usecases.record_operation import record_operation
from sync.mailbox import InboxOp
from sync.office.dependencies import replace_what_was_corrected, waiting_for
from sync.office.open_op import OpenedOp, Quarantined, claimed_visit, open_op
from sync.office.settle import Decision, settle
from sync.office.turns import begin_turn, device_in_hand, end_turn, name_operation, note_trouble

NOT_THE_OPERATIONS_FAULT = (OperationalError, InterfaceError, PoolTimeout, MemoryError)
DEVICE_REVOKED = "device-revoked"
AT_MOST = 200  # operations a turn, so that no device keeps a worker from the others
RUN = 16
LOCK_NO_MORE_THAN_THE_VISIT = frozenset(
    {
        OpKind.SESSION, OpKind.ARRIVED, OpKind.ENCOUNTER, OpKind.IDENTITY_CHECK, OpKind.OPENED, OpKind.NOTE,
        OpKind.PHOTO_PERMISSION, OpKind.PHOTO,
    }
)  # fmt: skip
"""These may share a transaction. Any other is the last of its run: it locks accounts, letters or the numbers of all
attempts, and to lock another visit after that would be the way round that deadlocks with the office."""

log = structlog.get_logger()


def devices_with_operations(session: Session) -> list[UUID]:
    query = select(InboxOp.device_id).where(InboxOp.agency_id == current_agency(), InboxOp.state == "received")
    return list(session.scalars(query.distinct().order_by(InboxOp.device_id)))


def apply_device(agency_id: UUID, keys: OfficeKeys, device_id: UUID, *, now: datetime, at_most: int = AT_MOST) -> int:
    """Apply a device's received operations, the lowest seq first. Returns how many were decided.

    Raises what the database had against it; the next turn then goes on with the same operation.
    """
    with device_in_hand(device_id) as mine:
        if not mine:
            return 0  # another worker is at this device
        with transaction(agency_id) as session:
            before = begin_turn(session, device_id)
            if before.retry_at is not None and before.retry_at > now:
                return 0  # what it failed of a moment ago may still be there
        done = _Turn(agency_id, keys, device_id, now, alone=before.left_behind).take(at_most)
        with transaction(agency_id) as session:
            end_turn(session, device_id)
    return done


class _Turn:
    def __init__(self, agency_id: UUID, keys: OfficeKeys, device_id: UUID, now: datetime, *, alone: bool) -> None:
        self.agency_id, self.keys, self.device_id, self.now, self.alone = agency_id, keys, device_id, now, alone

    def take(self, at_most: int) -> int:
        done = 0
        while done < at_most and (taken := self._next(at_most - done)):
            done += taken
        return done

    def _next(self, at_most: int) -> int:
        if not self.alone:
            try:
                return self._run(min(RUN, at_most))
            except NOT_THE_OPERATIONS_FAULT as error:
                log.error(
                    "sync-unit-failed",
                    step="sync.apply",
                    agency=str(self.agency_id),
                    error=type(error).__name__,
                    place=place_of(error),
                )
                self.alone = True  # which of them it was shows when each is tried by itself
        return self._one_alone()

    def _run(self, at_most: int) -> int:
        """Operations about one visit, in one transaction. Returns how many."""
        with transaction(self.agency_id) as session:
            device = session.get_one(Device, (current_agency(), self.device_id))
            of_run: UUID | None = None
            done = 0
            for row in session.scalars(_received(self.device_id).limit(at_most).with_for_update()).all():
                visit = claimed_visit(row)
                if visit is not None and of_run is not None and visit != of_run:
                    break
                of_run = of_run or visit
                done += 1
                if self._apply(session, device, row):
                    break
        return done

    def _one_alone(self) -> int:
        """One operation, written down before it is touched. Returns 0 when there is none left."""
        with transaction(self.agency_id) as session:
            first = session.scalars(_received(self.device_id).limit(1)).one_or_none()
            if first is None:
                return 0
            attempt = name_operation(session, self.device_id, first.op_id, now=self.now)
        try:
            with transaction(self.agency_id) as session:
                row = session.scalars(
                    _received(self.device_id).where(InboxOp.op_id == first.op_id).with_for_update()
                ).one_or_none()
                if row is not None:  # else somebody decided about it meanwhile
                    device = session.get_one(Device, (current_agency(), self.device_id))
                    self._apply(session, device, row, given_up=attempt.given_up)
        except NOT_THE_OPERATIONS_FAULT as error:
            with transaction(self.agency_id) as session:
                note_trouble(session, self.device_id, f"crashed:{type(error).__name__}")
            raise
        return 1

    def _apply(self, session: Session, device: Device, row: InboxOp, given_up: str | None = None) -> bool:
        """Decide about one operation and write it down. Returns whether its run ends with it."""
        waited = bool(row.waits_for)
        if given_up is None:
            decision = _decide(session, self.keys, device, row, self.now)
        else:
            decision = _crashed(session, device, row, given_up, self.now)
        tell = decision.verdict is not Verdict.HELD or not waited
        woken = settle(session, device, row, decision, self.now, tell=tell)
        return bool(woken) or decision.ends_run


def _received(device_id: UUID) -> Select[InboxOp]:
    return (
        select(InboxOp)
        .where(InboxOp.agency_id == current_agency(), InboxOp.device_id == device_id, InboxOp.state == "received")
        .order_by(InboxOp.seq, InboxOp.received_at, InboxOp.op_id)
    )


def _decide(session: Session, keys: OfficeKeys, device: Device, row: InboxOp, now: datetime) -> Decision:
    """Try it inside a savepoint: whatever goes wrong in there leaves no trace but the reason."""
    # Where the reason stands there already, a person had it tried again: its revocation counts no more.
    if device.revoked_at is not None and row.received_at >= device.revoked_at and row.reason != DEVICE_REVOKED:
        _note_quarantined(session, device, row, DEVICE_REVOKED, "", now)
        return Decision(Verdict.QUARANTINED, DEVICE_REVOKED)
    try:
        with session.begin_nested():
            return _effect(session, keys, open_op(keys, device, row), row, now)
    except (Quarantined, UnreadableOperation) as refused:
        place = refused.place if isinstance(refused, UnreadableOperation) else ""
        _note_quarantined(session, device, row, refused.reason, place, now)
        return Decision(Verdict.QUARANTINED, refused.reason)
    except NOT_THE_OPERATIONS_FAULT:
        raise
    except Exception as error:
        if isinstance(error, DBAPIError) and error.connection_invalidated:
            raise
        return _crashed(session, device, row, f"crashed:{type(error).__name__}", now)


def _crashed(session: Session, device: Device, row: InboxOp, reason: str, now: datetime) -> Decision:
    incident = secrets.token_hex(8)
    log.error("operation-crashed", incident=incident, op=str(row.op_id), error=reason.removeprefix("crashed:"))
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


def _effect(session: Session, keys: OfficeKeys, opened: OpenedOp, row: InboxOp, now: datetime) -> Decision:
    waiting = waiting_for(session, row, opened)
    if waiting.holds:
        return Decision(Verdict.HELD, "waits", waits_for=waiting.unmet)
    operation = replace(opened.operation, noted=waiting.flags)
    effect = record_operation(session, operation, now=now)
    session.flush()
    replace_what_was_corrected(session, keys, operation)
    flags = dict.fromkeys((*effect.flags, *opened.flags, *_chain_flags(session, opened, row)))
    ends_run = operation.kind not in LOCK_NO_MORE_THAN_THE_VISIT
    return Decision(effect.verdict, flags=tuple(flags), waits_for=waiting.unmet, ends_run=ends_run)


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
