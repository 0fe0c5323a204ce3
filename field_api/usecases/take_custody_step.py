"""A custody step taken in the office: come back, shredded, or handed over at the counter after an identity check."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from field_api.domain.letter_custody import may_follow
from field_api.domain.letters import LetterState
from field_api.domain.vocabulary import Relation
from field_api.platform.problems import Problem
from field_api.records.base import load
from field_api.records.visits import Letter
from field_api.usecases.hand_over_letter import CustodyStep, destroy_letter, hand_over_letter, return_letter
from field_api.usecases.note_visit_event import staff_actor

_TAKE = {
    LetterState.HANDED_OVER: hand_over_letter,
    LetterState.RETURNED: return_letter,
    LetterState.DESTROYED: destroy_letter,
}


def take_custody_step(
    session: Session, letter_id: UUID, to: LetterState, *, recipient: Relation | None, staff_id: UUID, now: datetime
) -> None:
    """Unlike a fact from a door, a step in the office may be refused: Problem `not-found`, `conflict`."""
    letter = load(session, Letter, letter_id, lock=True)
    if not may_follow(LetterState(letter.state), to):
        raise Problem("conflict", f"a letter that is {letter.state} cannot become {to.value}")
    _TAKE[to](session, letter, CustodyStep(now, staff_actor(staff_id), recipient=recipient))
