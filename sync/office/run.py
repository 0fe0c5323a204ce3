"""Received operations of one device, decided: a run of them in one transaction, or one by itself.

A run locks and reads once what all of its operations need: the accounts of all their visits by id, then the visits by
id, as holds and publications do. Its operations lock nothing more, so that two runs, or a run and the office, never
wait for each other crosswise. Its visits are as many as it has operations at most, and locked for the tenths of a
second that these take.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from itertools import takewhile
from uuid import UUID

from sqlalchemy.orm import Session

from field_api.domain.vocabulary import Verdict
from field_api.platform.devices import Device
from field_api.platform.keyring import OfficeKeys
from field_api.usecases.visits_in_hand import take_in_hand
from sync.mailbox import InboxOp
from sync.office.decide_operation import Refused, crashed, decide, decide_alone, may_share, read_operation
from sync.office.known import know
from sync.office.open_op import OpenedOp
from sync.office.settle import Decided, Decision, let_go_on, settle

Read = tuple[InboxOp, OpenedOp | Refused]


class Run:
    """Takes the first of some operations that may share a transaction. All of them take effect, or none.

    `at`: the position of the one in hand, None when all are decided and being written; to be looked at after an error.
    `next_is_apart`: the one that comes next may share with nobody.
    """

    def __init__(self, keys: OfficeKeys, now: datetime) -> None:
        self.keys, self.now = keys, now
        self.decided: list[Decided] = []
        self.at: int | None = 0
        self.next_is_apart = False

    def take(self, session: Session, device: Device, rows: Sequence[InboxOp]) -> None:
        """Decide in the order of `rows`. Raises what any of them does; the caller rolls back."""
        found = list(self._that_share(device, rows))
        known = know(session, device.id, [read for _, read in found if isinstance(read, OpenedOp)])
        run = list(takewhile(lambda item: item[0].op_id not in known.corrected, found))
        self.next_is_apart = self.next_is_apart or len(run) < len(found)
        in_hand = take_in_hand(session, _visits_of(run))
        woken: list[UUID] = []
        for self.at, (row, read) in enumerate(run):
            decision = decide(session, self.keys, device, row, read, known, self.now, in_hand)
            self.decided.append(_decided(row, decision))
            known.note(row.op_id, decision)
            if decision.settles and row.op_id in known.waited_for:
                woken = [row.op_id]
                break  # who waited for it may have a lower number than what follows
        self.at = None
        in_hand.finish(session)
        _write_down(session, device, self.decided, woken, self.now)

    def _that_share(self, device: Device, rows: Iterable[InboxOp]) -> Iterator[Read]:
        for self.at, row in enumerate(rows):
            read = read_operation(self.keys, device, row)
            if not may_share(read):
                self.next_is_apart = True
                return
            yield row, read


def take_one(
    session: Session, keys: OfficeKeys, device: Device, row: InboxOp, now: datetime, given_up: str | None = None
) -> None:
    """Decide about one by itself; quarantined untried where it was given up."""
    if given_up is None:
        decision = decide_alone(session, keys, device, row, now)
    else:
        decision = crashed(session, device, row, given_up, now)
    _write_down(session, device, [_decided(row, decision)], [row.op_id] if decision.settles else [], now)


def _write_down(
    session: Session, device: Device, decided: Sequence[Decided], woken: Sequence[UUID], now: datetime
) -> None:
    if decided:
        settle(session, device, decided, now)
    if woken:
        let_go_on(session, device.id, *woken)


def _visits_of(run: Iterable[Read]) -> set[UUID]:
    visits = (read.operation.visit_id for _, read in run if isinstance(read, OpenedOp))
    return {visit_id for visit_id in visits if visit_id is not None}


def _decided(row: InboxOp, decision: Decision) -> Decided:
    return Decided(row, decision, tell=decision.verdict is not Verdict.HELD or not row.waits_for)
