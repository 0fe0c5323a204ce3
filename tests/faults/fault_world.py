"""A house under fault: a database of its own, a door and a worker as processes, a proxy before the door, and phones."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

from flask import Flask
from processes import Parts
from proxy import FaultProxy
from sqlalchemy import func, select

from doorstep.worker import work_once
from field_api.domain.vocabulary import VisitEventKind
from field_api.platform.clock import SystemClock
from field_api.platform.database import transaction
from field_api.platform.ids import new_id
from field_api.platform.wiring import office_keys
from field_api.records.visits import VisitEvent
from sync.mailbox import InboxOp
from sync.office.enrolment import issue_enrolment
from sync.phone import Patience, Phone

PASSPHRASE = "correct horse"
IMPATIENT = Patience(tries=1)


@dataclass
class House:
    app: Flask
    agency: UUID
    parts: Parts
    proxy: FaultProxy
    folder: Path
    agent: UUID = field(default_factory=new_id)
    visits: list[str] = field(default_factory=list)

    def work(self, *_: object) -> None:
        """What the worker does, in this process, until nothing waits."""
        for _round in range(20):
            if not work_once(self.app):
                return

    def code_line(self) -> str:
        with transaction(self.agency) as session:
            keys = office_keys().of(self.agency)
            return issue_enrolment(session, keys, self.agent, now=SystemClock().now()).line

    def enrol(self, name: str = "phone", **options: Any) -> Phone:
        """A phone of the agent, with the sheet pulled."""
        patience = Patience(tries=8, sleep=self.work)
        phone = Phone.enrol(
            self.folder / name, PASSPHRASE, self.code_line(), patience=patience, scrypt_cost=2**4, **options
        )
        self.work()
        phone.pull()
        return phone

    def open(self, name: str = "phone", **options: Any) -> Phone:
        return Phone.open(self.folder / name, PASSPHRASE, **{"patience": IMPATIENT, **options})

    def inbox(self) -> dict[str, tuple[int, str]]:
        """(seq, state) of every operation that the door took, by id."""
        with transaction(self.agency) as session:
            rows = session.execute(select(InboxOp.op_id, InboxOp.seq, InboxOp.state)).all()
        return {str(row.op_id): (row.seq, row.state) for row in rows}

    def receipts(self) -> dict[str, tuple[bytes, bytes]]:
        with transaction(self.agency) as session:
            rows = session.execute(select(InboxOp.op_id, InboxOp.receipt, InboxOp.receipt_sig)).all()
        return {str(row.op_id): (row.receipt, row.receipt_sig) for row in rows}

    def effects(self) -> dict[str, int]:
        """How often each operation stands in the story as something that happened: verdicts are said about it."""
        with transaction(self.agency) as session:
            rows = session.execute(
                select(VisitEvent.op_id, func.count())
                .where(VisitEvent.op_id.is_not(None), VisitEvent.kind != VisitEventKind.VERDICT.value)
                .group_by(VisitEvent.op_id)
            ).all()
        return {str(op): count for op, count in rows}
