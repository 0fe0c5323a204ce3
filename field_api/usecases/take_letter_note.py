"""What an agent recorded about a visit's letters: handed over to whom, or brought back."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from field_api.domain.letter_custody import LETTER_UNKNOWN
from field_api.domain.vocabulary import LetterHandling, Relation
from field_api.records.visits import Letter, Visit
from field_api.usecases.hand_over_letter import CustodyStep, hand_over_letter, plain_serial, return_letter


def take_letter_note(
    session: Session,
    *,
    visit: Visit,
    handling: LetterHandling,
    recipient: Relation | None,
    at: datetime,
    actor: str,
    op_id: UUID,
    serial: str | None = None,
    checked: frozenset[UUID] | None = None,
) -> list[str]:
    """Move the visit's letters (or the one with `serial`) and return flags, sorted; empty where all went well.

    An operation from a door is a fact and is never refused: what should not have happened is flagged
    (`recipient-not-entitled`, `letter-unknown`, `letter-was-STATE`) and the letter's state stays. `checked` as in
    CustodyStep. Refused letters do not exist on paper and are left alone. Idempotent by `op_id`.
    """
    letters = _letters_of(session, visit, serial)
    if not letters:
        return [LETTER_UNKNOWN]
    step = CustodyStep(at, actor, op_id, recipient, checked=checked)
    take = hand_over_letter if handling is LetterHandling.HANDED_OVER else return_letter
    return sorted({flag for letter in letters for flag in take(session, letter, step)})


def _letters_of(session: Session, visit: Visit, serial: str | None) -> Sequence[Letter]:
    query = select(Letter).where(Letter.visit_id == visit.id, Letter.state != "refused")
    if serial is not None:  # even one that was superseded: its paper may be out still
        query = query.where(Letter.serial == plain_serial(serial))
    else:
        query = query.where(Letter.superseded_at.is_(None))
    return session.scalars(query.order_by(Letter.id).with_for_update()).all()
