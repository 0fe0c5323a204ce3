"""Operations take effect: one device at a time, in order of seq, a run of them in a transaction.

Effect, verdict and the change row that tells the phone commit together. What cannot be read, and what crashes the code,
is quarantined with a reason and the rest go on. Trouble of the database, and a worker that died, are nobody's fault
at first: the device's operations are then tried one at a time, and one that ends so twice is quarantined
(`sync.office.turns`).
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import structlog
from sqlalchemy import Select, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from field_api.platform.crash import place_of
from field_api.platform.database import transaction
from field_api.platform.devices import Device
from field_api.platform.keyring import OfficeKeys
from field_api.platform.tenancy import current_agency
from sync.mailbox import InboxOp
from sync.office.decide_operation import NOT_THE_OPERATIONS_FAULT
from sync.office.run import Run, take_one
from sync.office.turns import begin_turn, device_in_hand, end_turn, name_operation, note_trouble

AT_MOST = 200  # operations a turn, so that no device keeps a worker from the others
RUN = 50  # operations in one transaction: what they share is then a small part, and their locks last tenths of a second

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
    """`alone`: each operation is written down before it is tried, and tried by itself. `apart`: so many of those that
    come next are tried by themselves, without that."""

    def __init__(self, agency_id: UUID, keys: OfficeKeys, device_id: UUID, now: datetime, *, alone: bool) -> None:
        self.agency_id, self.keys, self.device_id, self.now, self.alone = agency_id, keys, device_id, now, alone
        self.apart = 0

    def take(self, at_most: int) -> int:
        done = 0
        while done < at_most and (taken := self._next(at_most - done)):
            done += taken
        return done

    def _next(self, at_most: int) -> int:
        if not self.alone:
            try:
                return (0 if self.apart else self._run(min(RUN, at_most))) or self._one_apart()
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
        """Operations that share a transaction. Returns how many: 0 where the next one is to be taken by itself."""
        while at_most:
            run = Run(self.keys, self.now)
            try:
                with transaction(self.agency_id) as session:
                    rows = session.scalars(_received(self.device_id).limit(at_most).with_for_update()).all()
                    run.take(session, self._device(session), rows)
            except NOT_THE_OPERATIONS_FAULT:
                raise
            except Exception as error:
                if isinstance(error, DBAPIError) and error.connection_invalidated:
                    raise
                # Nothing of the run stays. Those before the one in hand are taken again without it, and then it by
                # itself, where it is told what becomes of it; where nobody was in hand, each of them by itself.
                at_most, self.apart = (run.at, 1) if run.at is not None else (0, len(run.decided))
            else:
                self.apart = max(self.apart, int(run.next_is_apart))
                return len(run.decided)
        return 0

    def _one_apart(self) -> int:
        """One operation by itself. Returns 0 when there is none left."""
        self.apart = max(self.apart - 1, 0)
        with transaction(self.agency_id) as session:
            row = session.scalars(_received(self.device_id).limit(1).with_for_update()).one_or_none()
            if row is not None:
                take_one(session, self.keys, self._device(session), row, self.now)
        return int(row is not None)

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
                    take_one(session, self.keys, self._device(session), row, self.now, attempt.given_up)
        except NOT_THE_OPERATIONS_FAULT as error:
            with transaction(self.agency_id) as session:
                note_trouble(session, self.device_id, f"crashed:{type(error).__name__}")
            raise
        return 1

    def _device(self, session: Session) -> Device:
        return session.get_one(Device, (current_agency(), self.device_id))


def _received(device_id: UUID) -> Select[InboxOp]:
    return (
        select(InboxOp)
        .where(InboxOp.agency_id == current_agency(), InboxOp.device_id == device_id, InboxOp.state == "received")
        .order_by(InboxOp.seq, InboxOp.received_at, InboxOp.op_id)
    )
