"""What becomes of an operation is written down, told to its phone, and lets those go on that waited for it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import text, update
from sqlalchemy.orm import Session

from field_api.domain.vocabulary import ChangeKind, Verdict
from field_api.platform.devices import Device
from field_api.platform.measured import count
from field_api.platform.metrics import VERDICTS
from field_api.platform.tenancy import current_agency
from field_api.usecases.tell_agent import tell_agents
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

    @property
    def settles(self) -> bool:
        return self.verdict.value in SETTLED


@dataclass(frozen=True)
class Decided:
    """An operation and what becomes of it. `tell`: whether its phone hears of it."""

    row: InboxOp
    decision: Decision
    tell: bool = True


# One statement text for any number of rows. The lists of one operation travel as text: arrays of arrays do not unnest.
_SETTLE = text(
    """
    UPDATE mailbox.inbox
    SET state = decided.state, reason = decided.reason, incident = decided.incident,
        flags = CAST(decided.flags AS jsonb), waits_for = CAST(decided.waits_for AS uuid[]), decided_at = :now
    FROM unnest(CAST(:ids AS uuid[]), CAST(:states AS text[]), CAST(:reasons AS text[]), CAST(:incidents AS text[]),
                CAST(:flags AS text[]), CAST(:waits AS text[]))
        AS decided (op_id, state, reason, incident, flags, waits_for)
    WHERE inbox.agency_id = :agency AND inbox.device_id = :device AND inbox.op_id = decided.op_id
    """
)


def settle(session: Session, device: Device, decided: Sequence[Decided], now: datetime) -> None:
    """Write decisions about a device's operations down, and tell the phone: two statements, whatever their number.

    The rows in memory stay as they were.
    """
    decisions = [one.decision for one in decided]
    columns = {
        "ids": [one.row.op_id for one in decided],
        "states": [decision.verdict.value for decision in decisions],
        "reasons": [decision.reason for decision in decisions],
        "incidents": [decision.incident for decision in decisions],
        "flags": [json.dumps(decision.flags) for decision in decisions],
        "waits": ["{" + ",".join(map(str, decision.waits_for)) + "}" for decision in decisions],
    }
    session.execute(_SETTLE, {"agency": device.agency_id, "device": device.id, "now": now, **columns})
    for decision in decisions:
        count(VERDICTS, decision.verdict.value)
    tell_verdicts(session, device, [one.row.op_id for one in decided if one.tell])


def tell_verdicts(session: Session, device: Device, op_ids: Iterable[UUID]) -> None:
    """The phone gets a new item about each of these operations, with its present state."""
    if device.state == "active":
        tell_agents(session, [(device.agent_id, ChangeKind.VERDICT, op_id) for op_id in op_ids])


def let_go_on(session: Session, device_id: UUID, *op_ids: UUID) -> None:
    """Whoever waited for one of these operations is looked at again, in order of seq."""
    session.execute(
        update(InboxOp)
        .where(
            InboxOp.agency_id == current_agency(),
            InboxOp.device_id == device_id,
            InboxOp.state == "held",
            InboxOp.waits_for.overlap(list(op_ids)),
        )
        .values(state="received")
        .execution_options(synchronize_session=False)
    )
