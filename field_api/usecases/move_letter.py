"""Put a letter's paper into the stack where it belongs: out of another one, or out again after it came back."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from field_api.domain.letter_custody import may_follow
from field_api.domain.letters import LetterState
from field_api.platform.problems import Problem
from field_api.queries.stack_letters import belongs_to, place_of, put_in_stack
from field_api.records.base import load
from field_api.records.visits import Letter, LetterCustody


def move_letter(session: Session, letter_id: UUID, *, now: datetime, actor: str) -> None:
    """No paper is made. Raises Problem `not-found`; `already-done` where it lies right; `conflict` for a letter without
    a paper to move, one that was superseded, or whose visit is over or withdrawn."""
    letter = load(session, Letter, letter_id, lock=True)
    lies, belongs = place_of(letter), belongs_to(session, letter.visit_id)
    state = LetterState(letter.state)
    if state is LetterState.ISSUED or not may_follow(state, LetterState.PRINTED):
        raise Problem("conflict", f"a letter that is {state.value} has no paper to move")
    if letter.superseded_at is not None:
        raise Problem("conflict", "another letter stands in the place of this one: destroy it")
    if belongs is None:
        raise Problem("conflict", "its visit is over or withdrawn: it goes into no stack")
    if lies == belongs:
        raise Problem("already-done", "it lies where it belongs")
    letter.state = LetterState.PRINTED.value
    put_in_stack(letter, belongs)
    extra = {"moved": lies.wire() if lies else {}, "stack": belongs.wire()}
    session.add(LetterCustody(letter_id=letter.id, state=letter.state, at=now, actor=actor, extra=extra))
    session.flush()
