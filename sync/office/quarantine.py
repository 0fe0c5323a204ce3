"""What a person has to look at: operations without effect, and bytes that are no operation. Never their content."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from field_api.platform.tenancy import current_agency
from sync.mailbox import InboxOp, QuarantinedBytes
from sync.office.emptied_rows import ERASED

WITHOUT_EFFECT = ("quarantined", "held")


@dataclass(frozen=True)
class QuarantineLine:
    """An operation that is kept and has no effect. `incident` leads to the log line of a crash."""

    id: UUID
    device_id: UUID
    seq: int
    state: str
    reason: str | None
    incident: str | None
    received_at: datetime
    waits_for: list[UUID]
    released: bool
    closed_at: datetime | None


@dataclass(frozen=True)
class OddBytesLine:
    """Bytes that the door kept beside the inbox."""

    id: UUID
    device_id: UUID
    state: str
    reason: str
    op_id: UUID | None
    seq: int | None
    received_at: datetime
    bytes: int
    released: bool
    closed_at: datetime | None


@dataclass(frozen=True)
class Waiting:
    """How many are kept for one reason and nobody has decided about, and since when."""

    state: str
    reason: str | None
    count: int
    since: datetime


def operations_without_effect(
    *, state: str | None = None, reason: str | None = None, decided: bool | None = None
) -> Any:
    """Rows of QuarantineLine. `decided`: only those that a person dismissed, or only those that nobody did."""
    query = select(
        InboxOp.op_id, InboxOp.device_id, InboxOp.seq, InboxOp.state, InboxOp.reason, InboxOp.incident,
        InboxOp.received_at, InboxOp.waits_for, InboxOp.released, InboxOp.closed_at,
    ).where(InboxOp.agency_id == current_agency(), InboxOp.state.in_(WITHOUT_EFFECT))  # fmt: skip
    if state is not None:
        query = query.where(InboxOp.state == state)
    if reason is not None:
        query = query.where(InboxOp.reason == reason)
    if decided is not None:
        query = query.where(InboxOp.closed_at.is_not(None) if decided else InboxOp.closed_at.is_(None))
    return query


def odd_bytes() -> Any:
    """Rows of OddBytesLine."""
    table = QuarantinedBytes
    return select(
        table.id, table.device_id, table.status, table.reason, table.op_id, table.seq, table.received_at,
        func.length(table.raw), table.released, table.closed_at,
    ).where(table.agency_id == current_agency(), table.status != ERASED)  # fmt: skip


def waiting_for_a_person(session: Session) -> list[Waiting]:
    """What nobody has decided about yet, by state and reason, the oldest first. Two statements."""
    table = QuarantinedBytes
    operations = session.execute(
        select(InboxOp.state, InboxOp.reason, func.count(), func.min(InboxOp.received_at))
        .where(InboxOp.agency_id == current_agency(), InboxOp.state.in_(WITHOUT_EFFECT), InboxOp.closed_at.is_(None))
        .group_by(InboxOp.state, InboxOp.reason)
    )
    odd = session.execute(
        select(table.status, table.reason, func.count(), func.min(table.received_at))
        .where(table.agency_id == current_agency(), table.closed_at.is_(None))
        .group_by(table.status, table.reason)
    )
    found = [Waiting(*line) for line in operations]
    found += [Waiting(f"{state}: bytes", reason, count, since) for state, reason, count, since in odd]
    return sorted(found, key=lambda line: line.since)
