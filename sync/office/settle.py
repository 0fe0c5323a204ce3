"""What becomes of an operation is written down, told to its phone, and lets those go on that waited for it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CursorResult, any_, literal, update
from sqlalchemy.orm import Session

from field_api.domain.vocabulary import ChangeKind, Verdict
from field_api.platform.devices import Device
from field_api.platform.measured import count
from field_api.platform.metrics import VERDICTS
from field_api.platform.tenancy import current_agency
from field_api.usecases.tell_agent import tell_agent
from sync.mailbox import InboxOp

SETTLED = (Verdict.APPLIED.value, Verdict.LATE.value)


@dataclass(frozen=True)
class Decision:
    """What becomes of an operation."""

    verdict: Verdict
    reason: str | None = None
    flags: tuple[str, ...] = ()
    waits_for: tuple[UUID, ...] = ()
    incident: str | None = None
    ends_run: bool = False

    @property
    def settles(self) -> bool:
        return self.verdict.value in SETTLED


def settle(session: Session, device: Device, row: InboxOp, decision: Decision, now: datetime, *, tell: bool) -> int:
    """Write the decision down. Returns how many operations go on because of it."""
    row.state, row.reason, row.incident = decision.verdict.value, decision.reason, decision.incident
    row.flags, row.waits_for, row.decided_at = list(decision.flags), list(decision.waits_for), now
    count(VERDICTS, decision.verdict.value)
    if tell:
        tell_verdict(session, device, row.op_id)
    return let_go_on(session, row.device_id, row.op_id) if decision.settles else 0


def tell_verdict(session: Session, device: Device, op_id: UUID) -> None:
    """The phone gets a new item about this operation, with its present state."""
    if device.state == "active":
        tell_agent(session, device.agent_id, ChangeKind.VERDICT, op_id)


def let_go_on(session: Session, device_id: UUID, op_id: UUID) -> int:
    """Whoever waited for this operation is looked at again, in order of seq. Returns how many."""
    result: CursorResult[Any] = session.execute(  # type: ignore[assignment]  # an UPDATE's result
        update(InboxOp)
        .where(
            InboxOp.agency_id == current_agency(),
            InboxOp.device_id == device_id,
            InboxOp.state == "held",
            literal(op_id) == any_(InboxOp.waits_for),
        )
        .values(state="received")
        .execution_options(synchronize_session=False)
    )
    return result.rowcount
