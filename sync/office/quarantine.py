"""What a person has to look at: operations without effect, and bytes that are no operation. Never their content."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, select

from field_api.platform.tenancy import current_agency
from sync.mailbox import InboxOp, QuarantinedBytes

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


def operations_without_effect() -> Any:
    """Rows of QuarantineLine."""
    return select(
        InboxOp.op_id, InboxOp.device_id, InboxOp.seq, InboxOp.state, InboxOp.reason, InboxOp.incident,
        InboxOp.received_at,
    ).where(InboxOp.agency_id == current_agency(), InboxOp.state.in_(WITHOUT_EFFECT))  # fmt: skip


def odd_bytes() -> Any:
    """Rows of OddBytesLine."""
    table = QuarantinedBytes
    return select(
        table.id, table.device_id, table.status, table.reason, table.op_id, table.seq, table.received_at,
        func.length(table.raw),
    ).where(table.agency_id == current_agency())  # fmt: skip
