"""A manager looked at an unlock: it was in order, or it was not."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from field_api.domain.confidential import Confidential
from field_api.domain.unlocks import ReviewState
from field_api.domain.vocabulary import VisitEventKind
from field_api.platform.problems import Problem
from field_api.records.base import load
from field_api.records.unlocks import UnlockReview
from field_api.usecases.note_visit_event import note_visit_event, staff_actor


def decide_unlock_review(
    session: Session, review_id: UUID, *, state: ReviewState, note: str | None, by: UUID, now: datetime
) -> UnlockReview:
    """Accept an unlock or object to it, once; the decision stands in the visit's story and in the log.

    Raises `not-found`, `already-done`, or `bad-request` for an objection without a word and for a decision to leave it
    open.
    """
    review = load(session, UnlockReview, review_id, lock=True)
    words = (note or "").strip() or None
    if state is ReviewState.OPEN:
        raise Problem("bad-request", "accept it or object to it", at="state")
    if state is ReviewState.OBJECTED and words is None:
        raise Problem("bad-request", "say what was not in order", at="note")
    if review.state != ReviewState.OPEN.value:
        raise Problem("already-done", f"the unlock is {review.state}")
    review.state, review.decided_by, review.decided_at = state.value, by, now
    review.note = Confidential(words) if words else None
    body = {"op": str(review.op_id), "reason": review.reason, "decision": state.value, "note": words}
    note_visit_event(session, review.visit_id, VisitEventKind.UNLOCK_REVIEWED, now, staff_actor(by), body)
    session.flush()
    return review
