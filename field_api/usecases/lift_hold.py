"""Let collection go on after a hold."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from field_api.domain.confidential import Confidential
from field_api.platform.problems import Problem
from field_api.platform.restore_journal import EntryKind, enter
from field_api.records.accounts import Hold
from field_api.records.base import load
from field_api.usecases.place_hold import JOURNALED_CHARACTERS


def lift_hold(session: Session, hold_id: UUID, *, reason: str, now: datetime, lifted_by: UUID | None) -> Hold:
    """Lift the hold, with a reason that stays on record. What it took back does not return: the next plan decides.

    Raises `not-found`, and `already-done` for a hold that was lifted before.
    """
    hold = load(session, Hold, hold_id, lock=True)
    if hold.lifted_at is not None:
        raise Problem("already-done", "the hold was lifted before")
    hold.lifted_at = now
    hold.lifted_by = lifted_by
    hold.lift_reason = Confidential(reason)
    by = str(lifted_by) if lifted_by else None
    detail = {"id": str(hold.id), "reason": reason[:JOURNALED_CHARACTERS], "lifted_by": by}
    enter(session, EntryKind.HOLD_LIFTED, detail, at=now, loosens=True)
    return hold
