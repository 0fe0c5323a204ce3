"""A custody step taken in the office: come back, pulled, posted, shredded, lost, or handed over at the counter after an
identity check."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from field_api.domain.letter_custody import NOT_ENTITLED, may_follow
from field_api.domain.letters import LetterState
from field_api.domain.vocabulary import Relation
from field_api.platform.problems import Problem
from field_api.records.base import load
from field_api.records.visits import Letter
from field_api.usecases.hand_over_letter import (
    CustodyStep,
    destroy_letter,
    hand_over_letter,
    lose_letter,
    pull_letter,
    return_letter,
)
from field_api.usecases.lock_visit import lock_accounts
from field_api.usecases.note_visit_event import staff_actor
from field_api.usecases.post_letter import note_came_back, post_letter, refuse_giving, refuse_late

_TAKE = {
    LetterState.HANDED_OVER: hand_over_letter,
    LetterState.RETURNED: return_letter,
    LetterState.DESTROYED: destroy_letter,
    LetterState.PULLED: pull_letter,
    LetterState.LOST: lose_letter,
    LetterState.POSTED: post_letter,
}
_GIVEN = (LetterState.POSTED, LetterState.HANDED_OVER)


def take_custody_step(
    session: Session,
    letter_id: UUID,
    to: LetterState,
    *,
    recipient: Relation | None,
    staff_id: UUID | None,
    now: datetime,
) -> None:
    """Unlike a fact from a door, a step in the office may be refused: Problem `not-found`, `conflict`; `hold-in-force`
    for a letter that is to be posted or handed over at the counter."""
    if to in _GIVEN:  # accounts before letters, as whoever writes letters anew locks them
        lock_accounts(session, [load(session, Letter, letter_id).account_id])
    letter = load(session, Letter, letter_id, lock=True)
    was = LetterState(letter.state)
    if not may_follow(was, to):
        raise Problem("conflict", f"a letter that is {letter.state} cannot become {to.value}")
    step = CustodyStep(now, staff_actor(staff_id), recipient=recipient)
    if to is LetterState.HANDED_OVER:
        refuse_giving(session, letter)
        refuse_late(session, letter, now, by_mail=False)
    if NOT_ENTITLED in _TAKE[to](session, letter, step):
        raise Problem("conflict", "nobody but who owes the letter's account is handed it", at="recipient")
    if (was, to) == (LetterState.POSTED, LetterState.RETURNED):
        note_came_back(session, letter, step)
