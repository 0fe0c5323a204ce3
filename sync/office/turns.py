"""Turns: a worker writes down that it has a device's operations in hand, so that one that kills it is found out.

Usually nothing is left of a turn. Where the worker died on the way, or its database went away, the row stays: whoever
comes next takes the device's operations one at a time, and writes down each one's id before it touches it. An operation
that was begun so twice without an end is no bad luck any more, and is quarantined untried.

These rows are committed without waiting for the disk: they outlive a killed worker all the same, and what a crash of
the database's server forgets of them would be no operation's fault.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, DateTime, delete, func, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from field_api.platform.database import db
from field_api.platform.tenancy import current_agency
from sync.records import ApplyTurn

MOST_TRIES = 2
RETRY_AFTER = timedelta(seconds=2)  # a lock that was in the way is gone by then
CRASHED_WORKER = "crashed-worker"

_SERVER_STARTED_AT = func.pg_postmaster_start_time(type_=DateTime(timezone=True))


@dataclass(frozen=True)
class Try:
    """An operation about to be tried alone: for the how-manieth time, and what was wrong last time, if it was told."""

    tries: int
    trouble: str | None

    @property
    def given_up(self) -> str | None:
        """The reason for quarantining it untried, or None."""
        return (self.trouble or CRASHED_WORKER) if self.tries > MOST_TRIES else None


@contextmanager
def device_in_hand(device_id: UUID) -> Iterator[bool]:
    """Whether this worker may have the device's operations: one at a time. Ends with the worker, however that ends.

    A lock of the connection and not of a transaction, because a turn has many of those.
    """
    name = {"name": f"doorstep-apply:{device_id}"}
    with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        mine = bool(connection.scalar(text("SELECT pg_try_advisory_lock(hashtextextended(:name, 0))"), name))
        try:
            yield mine
        finally:
            if mine:
                _unlock(connection, name)


def _unlock(connection: Connection, name: dict[str, str]) -> None:
    if not connection.invalidated:
        connection.execute(text("SELECT pg_advisory_unlock(hashtextextended(:name, 0))"), name)


@dataclass(frozen=True)
class Before:
    """What the last turn left: nothing, or its row, and when its operation may be tried again."""

    left_behind: bool
    retry_at: datetime | None = None


def begin_turn(session: Session, device_id: UUID) -> Before:
    """Write the turn down. Where one was left behind, nothing is to be taken together with something else."""
    _without_waiting(session)
    row = {"agency_id": current_agency(), "device_id": device_id, "server_started_at": _SERVER_STARTED_AT}
    new = insert(ApplyTurn).values(row).on_conflict_do_nothing().returning(ApplyTurn.device_id)
    if session.scalar(new) is not None:
        return Before(left_behind=False)
    return Before(True, session.get_one(ApplyTurn, (current_agency(), device_id)).retry_at)


def name_operation(session: Session, device_id: UUID, op_id: UUID, *, now: datetime) -> Try:
    """Write down that this operation is tried alone, before it is. A try that the server's end cut off counts not."""
    _without_waiting(session)
    turn = session.get_one(ApplyTurn, (current_agency(), device_id), with_for_update=True)
    started_at = session.scalars(select(_SERVER_STARTED_AT)).one()
    if turn.op_id == op_id:
        turn.tries += turn.server_started_at == started_at
    else:
        turn.op_id, turn.tries, turn.trouble = op_id, 1, None
    turn.server_started_at, turn.retry_at = started_at, now + RETRY_AFTER
    return Try(turn.tries, turn.trouble)


def note_trouble(session: Session, device_id: UUID, trouble: str) -> None:
    """Say what the operation in hand met, where the worker outlived it."""
    _without_waiting(session)
    session.execute(update(ApplyTurn).where(*_of(device_id)).values(trouble=trouble))


def end_turn(session: Session, device_id: UUID) -> None:
    """All went well, or ended as it should."""
    _without_waiting(session)
    session.execute(delete(ApplyTurn).where(*_of(device_id)))


def _of(device_id: UUID) -> tuple[ColumnElement[bool], ...]:
    return ApplyTurn.agency_id == current_agency(), ApplyTurn.device_id == device_id


def _without_waiting(session: Session) -> None:
    session.execute(text("SET LOCAL synchronous_commit = off"))
