"""Erase what a leaf of the log stands for, lawfully: content and salt go, the log says by which decision."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from field_api.platform.problems import Problem
from field_api.platform.restore_journal import EntryKind, enter
from field_api.platform.tenancy import current_agency
from field_api.records.log import LogEntry
from field_api.usecases.note_decision import note_decision
from field_api.usecases.note_erasure import Erased, note_erasure
from sync.mailbox import Durable, InboxOp
from sync.office.emptied_rows import bar, empty, is_emptied, is_of_the_mailbox, place_of_row, row_of


def erase_entry(session: Session, number: int, decision: str, *, now: datetime) -> None:
    """Forget what leaf `number` commits to, and every other leaf of the same row (an operation's receipt).

    `decision` is the reference that `note_decision` gave. Salt and hash of the payload go with it: without them the
    leaf tells nobody what it stood for, and its own hash keeps the log whole. A row of the mailbox is emptied here; one
    of the office's (a visit's event, a hold) is its caller's to delete or to empty, in this transaction.
    Raises Problem `not-found`, `already-done`; `conflict` where the phone may still hold the operation, and would send
    it again.
    """
    entries = _entries_of(session, number)
    if all(entry.salt is None for entry in entries):
        raise Problem("already-done", "the leaf is erased")
    ref = entries[0].ref
    _be_durable(session, ref)
    row = row_of(session, ref)
    enter(session, EntryKind.ENTRY_ERASED, {"ref": ref, **place_of_row(row)}, at=now)
    _erase(session, ref, entries, decision, now)


def erase_again(session: Session, told: Mapping[str, Any], *, now: datetime) -> bool:
    """After a restore: erase what the journal says was erased. Returns whether there was anything to do.

    A row that the log had not entered yet leaves no leaf; of one that the backup lacks the place is kept.
    """
    ref = str(told["ref"])
    entries, row = _entries(session, ref), row_of(session, ref)
    if row is None and not entries:
        if not bar(session, ref, told, now):
            return False
        note_decision(session, now, "erased-again", {"of": ref})
        return True
    if all(entry.salt is None for entry in entries) and (row is None or is_emptied(row)):
        return False
    decision = note_decision(session, now, "erased-again", {"of": ref})
    _erase(session, ref, entries, decision, now)
    return True


def is_left_to_staff(session: Session, told: Mapping[str, Any]) -> bool:
    """Whether the row is one of the office's that the backup has brought back: whoever erased it has to do so again."""
    ref = str(told["ref"])
    return not is_of_the_mailbox(ref) and any(entry.salt is not None for entry in _entries(session, ref))


def _erase(session: Session, ref: str, entries: list[LogEntry], decision: str, now: datetime) -> None:
    row = row_of(session, ref)
    if row is not None:
        empty(session, row, now)
    waiting = LogEntry.agency_id == current_agency(), LogEntry.ref == ref, LogEntry.number.is_(None)
    session.execute(delete(LogEntry).where(*waiting))
    for entry in entries:
        entry.salt = entry.payload_sha256 = None
        entry.detail = {}
    if entries:
        note_erasure(session, now, erased=ref, what=Erased.ROW, decided=decision)


def _entries_of(session: Session, number: int) -> list[LogEntry]:
    mine = LogEntry.agency_id == current_agency()
    ref = session.scalar(select(LogEntry.ref).where(mine, LogEntry.number == number))
    if ref is None:
        raise Problem("not-found", "the log has no such leaf")
    if ref.partition("/")[0] in ("erasure", "photo"):
        raise Problem("conflict", "an erasure stays in the log; a photograph is destroyed by its own command")
    return _entries(session, ref)


def _entries(session: Session, ref: str) -> list[LogEntry]:
    mine = LogEntry.agency_id == current_agency()
    of_ref = select(LogEntry).where(mine, LogEntry.ref == ref, LogEntry.number.is_not(None))
    return list(session.scalars(of_ref.order_by(LogEntry.number).with_for_update()))


def _be_durable(session: Session, ref: str) -> None:
    """A phone deletes what is durable, and sends everything else again."""
    table, *keys = ref.split("/")
    if table != "inbox":
        return
    device_id, op_id = UUID(keys[0]), UUID(keys[1])
    mine = InboxOp.agency_id == current_agency(), InboxOp.device_id == device_id
    seq = session.scalar(select(InboxOp.seq).where(*mine, InboxOp.op_id == op_id))
    stated = session.get(Durable, (current_agency(), device_id))
    if seq is not None and (stated is None or stated.durable_seq < seq or seq in stated.excepted):
        raise Problem("conflict", "the operation is not durable yet: its phone would send it again")
