"""Print one letter by itself: one that came late, or again what the printer tore. Copies are marked and counted."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from field_api.domain.confidential import audience
from field_api.domain.disclosure import Audience
from field_api.domain.letter_custody import PRINTABLE
from field_api.domain.letter_steps import ASKED_FOR
from field_api.domain.letters import LetterState
from field_api.domain.ports import Objects, Paper, Papers
from field_api.platform.problems import Problem
from field_api.queries.stack_letters import StackLetter, stack_letter
from field_api.records.base import load
from field_api.records.visits import Letter, Visit
from field_api.usecases.print_route import letter_paper, note_print

MAX_REASON = 200


@dataclass(frozen=True)
class PrintedLetter:
    serial: str
    paper: Paper
    number: int  # 1: the first paper there is of it; more: a copy, marked so


def print_letter(
    session: Session,
    letter_id: UUID,
    *,
    reason: str,
    renderer: Papers,
    objects: Objects,
    now: datetime,
    actor: str,
) -> PrintedLetter:
    """The paper belongs into the stack of the visit's route, or into the mail where its visit is over.

    Raises Problem `not-found`; `conflict` for a letter that is not issued, that was handed over, posted or destroyed
    (its document can be read as the office's own), that another one superseded, whose visit was withdrawn, or whose
    paper lies in another stack; `invalid-fields` for a copy without a reason; `unavailable`.
    """
    letter = load(session, Letter, letter_id, lock=True)
    one = stack_letter(session, letter)
    _refuse(session, one)
    if one.times_printed and not reason.strip():
        raise Problem("invalid-fields", "a copy is printed for a reason: say it", at="reason")
    with audience(Audience.ENTITLED_PARTY):
        paper = letter_paper(session, one, renderer, objects)
    note_print(session, one, now, actor, reason.strip())
    session.flush()
    return PrintedLetter(letter.serial, paper, one.times_printed + 1)


def _refuse(session: Session, one: StackLetter) -> None:
    letter, state = one.letter, LetterState(one.state)
    if state in (LetterState.WANTED, LetterState.REFUSED):
        raise Problem("conflict", f"the letter is {state.value}: there is nothing to print")
    if state not in PRINTABLE:
        raise Problem("conflict", f"the letter was {state.value}: its document is the office's own copy")
    if letter.superseded_at is not None:
        raise Problem("conflict", "another letter stands in the place of this one: destroy it")
    if one.belongs is None and letter.kind not in ASKED_FOR and _withdrawn(session, letter.visit_id):
        raise Problem("conflict", "the letter's visit was withdrawn: its paper is to be destroyed")
    if one.in_another_stack:
        raise Problem("conflict", "its paper lies in another stack: note that it was pulled, came back or is lost")


def _withdrawn(session: Session, visit_id: UUID) -> bool:
    return load(session, Visit, visit_id).state == "withdrawn"
