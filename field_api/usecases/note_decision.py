"""Put a decision of the office into the tamper-evident log, in the transaction that takes it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from field_api.platform.ids import new_id
from field_api.records.log import LogEntry


def note_decision(session: Session, at: datetime, decision: str, detail: dict[str, Any]) -> str:
    """`detail` holds ids, codes and numbers, free texts as hashes. Returns the entry's reference.

    What enters `office.visit_event` by staff, and every hold that staff place, the database logs by itself.
    """
    ref = f"decision/{new_id()}"
    session.add(LogEntry(kind="decision", at=at, ref=ref, detail={"decision": decision, **detail}))
    return ref
