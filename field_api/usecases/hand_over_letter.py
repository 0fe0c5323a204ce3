"""A letter's custody: handed over, returned, pulled, lost, destroyed. Every step is a row; nothing is overwritten."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from field_api.domain.letter_custody import NOT_ENTITLED, SUPERSEDED, may_follow, stays_in_stack
from field_api.domain.letters import LetterState
from field_api.domain.vocabulary import OBLIGORS, VERIFIED, Relation
from field_api.platform.problems import Problem
from field_api.platform.tenancy import current_agency
from field_api.queries.stack_letters import put_in_stack
from field_api.records.accounts import Party
from field_api.records.base import load
from field_api.records.people import Person
from field_api.records.visits import Letter, LetterCustody, Visit

_AS_TYPED = str.maketrans("OIL", "011", "- ")


@dataclass(frozen=True)
class CustodyStep:
    """Who did something with a letter, when, and to whom it went. `actor` is "staff:<id>", "agent:<id>", "system".

    `checked`: the persons whose identity this agent checked there; None where no phone did, on paper and in the office.
    """

    at: datetime
    actor: str
    op_id: UUID | None = None
    recipient: Relation | None = None
    extra: Mapping[str, Any] = field(default_factory=dict)
    checked: frozenset[UUID] | None = None


def hand_over_letter(session: Session, letter: Letter, step: CustodyStep) -> list[str]:
    """Into the hand of a verified debtor or obligor of its account: `handed_over`. Anybody else's is noted and flagged.

    Returns flags: `recipient-not-entitled`, or `letter-was-STATE` where no such paper could have been at the door.
    Then the letter keeps its state and the row carries the flag. `letter-superseded`: it is handed over, but another
    stands in its place. The same operation twice is once.
    """
    if _noted(session, letter, step.op_id):
        return []
    if step.recipient not in VERIFIED or not _owes(session, letter, step):
        return _flag(session, letter, NOT_ENTITLED, step)
    if letter.superseded_at is None:
        return _move(session, letter, LetterState.HANDED_OVER, step)
    flagged = replace(step, extra={**step.extra, "flag": SUPERSEDED})
    return [SUPERSEDED, *_move(session, letter, LetterState.HANDED_OVER, flagged)]


def return_letter(session: Session, letter: Letter, step: CustodyStep) -> list[str]:
    """Not delivered: it comes back to the office. Returns flags as `hand_over_letter` does."""
    return [] if _noted(session, letter, step.op_id) else _move(session, letter, LetterState.RETURNED, step)


def destroy_letter(session: Session, letter: Letter, step: CustodyStep) -> list[str]:
    """Shredded in the office. Returns flags as `hand_over_letter` does."""
    return _move(session, letter, LetterState.DESTROYED, step)


def pull_letter(session: Session, letter: Letter, step: CustodyStep) -> list[str]:
    """Taken out of a stack in the office. Returns flags as `hand_over_letter` does."""
    return _move(session, letter, LetterState.PULLED, step)


def lose_letter(session: Session, letter: Letter, step: CustodyStep) -> list[str]:
    """Nobody can find it: a manager is told. Returns flags as `hand_over_letter` does."""
    return _move(session, letter, LetterState.LOST, step)


def letter_by_serial(session: Session, serial: str) -> Letter:
    """The letter with this serial number, locked. Raises Problem `not-found`."""
    letter = session.scalars(
        select(Letter).where(Letter.serial == plain_serial(serial)).with_for_update()
    ).one_or_none()
    if letter is None:
        raise Problem("not-found", "no letter has this serial number", at="serial")
    return letter


def plain_serial(typed: str) -> str:
    """A serial as people type it: spaces, hyphens and small letters do not count; O is 0, I and L are 1 (Crockford)."""
    return typed.upper().translate(_AS_TYPED)


def note_custody(session: Session, letter: Letter, step: CustodyStep) -> None:
    """Write the letter's present state into its story."""
    session.add(
        LetterCustody(
            letter_id=letter.id,
            state=letter.state,
            at=step.at,
            actor=step.actor,
            op_id=step.op_id,
            recipient=step.recipient.value if step.recipient else None,
            extra=dict(step.extra),
        )
    )
    session.flush()


def _noted(session: Session, letter: Letter, op_id: UUID | None) -> bool:
    if op_id is None:
        return False
    query = select(LetterCustody.id).where(LetterCustody.letter_id == letter.id, LetterCustody.op_id == op_id)
    return session.scalars(query).first() is not None


def _owes(session: Session, letter: Letter, step: CustodyStep) -> bool:
    """Whether the recipient owes the letter's account: a guarantor of one account is told nothing of another's.

    The one sought is known by the visit. A guarantor is whoever else was checked there; where no phone checked, any
    other obligor of the account.
    """
    obligors = select(Party.person_id).where(
        Party.agency_id == current_agency(),
        Party.account_id == letter.account_id,
        Party.role.in_(OBLIGORS),
        Party.person_id.not_in(
            select(Person.id).where(Person.agency_id == current_agency(), Person.is_minor.is_(True))
        ),
    )
    owing = frozenset(session.scalars(obligors))
    sought = load(session, Visit, letter.visit_id).person_id
    if step.recipient is Relation.SOUGHT:
        return sought in owing
    others = owing - {sought}
    return bool(others if step.checked is None else others & step.checked)


def _move(session: Session, letter: Letter, to: LetterState, step: CustodyStep) -> list[str]:
    if not may_follow(LetterState(letter.state), to):
        return _flag(session, letter, f"letter-was-{letter.state}", step)
    letter.state = to.value
    if not stays_in_stack(to, told_from_the_door=step.op_id is not None):
        put_in_stack(letter, None)
    note_custody(session, letter, step)
    return []


def _flag(session: Session, letter: Letter, flag: str, step: CustodyStep) -> list[str]:
    note_custody(session, letter, replace(step, extra={**step.extra, "flag": flag}))
    return [flag]
