"""Type a paper sheet in: each row becomes ordinary operations of the agent whose sheet it was, marked as from paper."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import astuple, dataclass
from datetime import UTC, datetime, time
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from field_api.domain.operations import ClockEvidence, Effect, RecordedOperation
from field_api.domain.paper_entry import (
    TIME_NOT_WRITTEN,
    PaperOperation,
    ReadRow,
    Trouble,
    TypedRow,
    Unreadable,
    operations_of,
    read_row,
)
from field_api.domain.vocabulary import ChangeKind, OpKind
from field_api.queries.paper_form import FormRow, PaperForm, Reported, paper_form
from field_api.usecases.lock_visit import lock_visit
from field_api.usecases.note_decision import note_decision
from field_api.usecases.record_operation import record_operation
from field_api.usecases.tell_agent import tell_agent

Transaction = Callable[[], AbstractContextManager[Session]]
"""Begins a unit of work for the agency, which commits at its end."""


class RowState(StrEnum):
    """What became of a row that was typed."""

    RECORDED = "recorded"
    CORRECTED = "corrected"  # something of it was typed otherwise before
    UNCHANGED = "unchanged"  # all of it was typed before
    BLANK = "blank"
    UNREADABLE = "unreadable"  # nothing of the row is recorded


@dataclass(frozen=True)
class EnteredOperation:
    id: UUID
    kind: OpKind
    effect: Effect


@dataclass(frozen=True)
class EnteredRow:
    """`reported` is what phones said of the visit; `differs`: otherwise than the paper does now."""

    row: str
    visit_id: UUID | None
    state: RowState
    typed: TypedRow
    operations: tuple[EnteredOperation, ...] = ()
    unreadable: tuple[Unreadable, ...] = ()
    reported: tuple[Reported, ...] = ()
    differs: bool = False


@dataclass(frozen=True)
class EnteredSheet:
    issue: str
    rows: tuple[EnteredRow, ...]


def enter_paper_sheet(
    transaction: Transaction,
    route_id: UUID,
    typed: Sequence[tuple[str, TypedRow]],
    *,
    issue: str | None = None,
    by: UUID | None,
    now: datetime,
) -> EnteredSheet:
    """Type rows in, each named as on the paper and in a transaction of its own: what breaks off leaves whole rows, and
    the same rows once more record what is missing and nothing twice. What cannot be read is named, and the others are
    recorded. Raises Problem `not-found`: no such route, no such print (`issue` is the mark in the paper's foot).
    """
    with transaction() as session:
        form = paper_form(session, route_id, issue)
    rows = {row.row: row for row in form.rows}
    entered, seen = [], set[str]()
    for name, written in typed:
        name = name.strip().lower()
        trouble = Trouble.NO_SUCH_ROW if name not in rows else Trouble.ROW_TWICE if name in seen else None
        if trouble:
            entered.append(EnteredRow(name, None, RowState.UNREADABLE, written, (), (Unreadable("row", trouble),)))
            continue
        seen.add(name)
        with transaction() as session:
            entered.append(enter_paper_row(session, form, rows[name], written, by=by, now=now))
    return EnteredSheet(form.issue, tuple(entered))


def enter_paper_row(
    session: Session, form: PaperForm, row: FormRow, typed: TypedRow, *, by: UUID | None, now: datetime
) -> EnteredRow:
    """One row. Its visit is locked before what was typed of it is read: of two who type the same sheet, the second
    finds what the first one recorded."""
    if typed.blank:
        return EnteredRow(row.row, row.visit_id, RowState.BLANK, typed, (), (), row.reported, row.differs)
    read = read_row(typed, day=form.for_day, zone=row.zone, now=now)
    if not isinstance(read, ReadRow):
        return EnteredRow(row.row, row.visit_id, RowState.UNREADABLE, typed, (), read, row.reported, row.differs)
    visit = lock_visit(session, row.visit_id)
    [known] = paper_form(session, form.route_id, form.issue, visit_ids=[row.visit_id]).rows
    wanted = operations_of(read, typed, known.before, route_id=form.route_id, visit_id=row.visit_id)
    paper = _Paper(form, known, typed, read, by, now)
    done = [paper.record(session, one) for one in wanted]
    if done:
        tell_agent(session, visit.agent_id, ChangeKind.VISIT, visit.id)
        note_decision(session, now, "paper-row-typed", paper.decision(done))
        session.flush()
    [after] = paper_form(session, form.route_id, form.issue, visit_ids=[row.visit_id]).rows
    state = _state(known, done)
    return EnteredRow(row.row, row.visit_id, state, typed, tuple(done), (), after.reported, after.differs)


def _state(known: FormRow, done: Sequence[EnteredOperation]) -> RowState:
    if not done:
        return RowState.UNCHANGED
    return RowState.CORRECTED if known.before else RowState.RECORDED


@dataclass(frozen=True)
class _Paper:
    form: PaperForm
    row: FormRow
    typed: TypedRow
    read: ReadRow
    by: UUID | None
    now: datetime

    def record(self, session: Session, one: PaperOperation) -> EnteredOperation:
        return EnteredOperation(one.op_id, one.kind, record_operation(session, self._recorded(one), now=self.now))

    def _recorded(self, one: PaperOperation) -> RecordedOperation:
        """The day's begin at the address takes an anchor's place: nothing on this paper is older."""
        begin = datetime.combine(self.form.for_day, time(), self.row.zone).astimezone(UTC)
        at = self.read.at or min(max(self.row.planned_at or begin, begin), self.now)
        return RecordedOperation(
            op_id=one.op_id,
            device_id=None,
            agent_id=self.form.agent_id,
            visit_id=self.row.visit_id,
            assignment_version=self.row.version,
            seq=0,
            kind=one.kind,
            body={**one.body, "paper": self._origin(one)},
            wall_clock=at,
            received_at=self.now,
            evidence=ClockEvidence(wall=at, monotonic_ms=0, boot_id="", anchor_at=min(begin, at)),
            from_paper=True,
            noted=() if self.read.at else (TIME_NOT_WRITTEN,),
        )

    def _origin(self, one: PaperOperation) -> Mapping[str, Any]:
        """Kept with the operation, in the visit's story: whose hand, which paper, which row, word for word."""
        return {
            "route": str(self.form.route_id),
            "issue": self.form.issue,
            "row": self.row.row,
            "line": one.line.value,
            "by": str(self.by) if self.by else None,
            "typed": list(astuple(self.typed)),
        }

    def decision(self, done: Sequence[EnteredOperation]) -> dict[str, Any]:
        return {
            "route": str(self.form.route_id),
            "visit": str(self.row.visit_id),
            "by": str(self.by) if self.by else None,
            "ops": [str(one.id) for one in done],
        }
