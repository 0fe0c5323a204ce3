"""Read a letter as it was issued."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from field_api.domain.ports import Objects
from field_api.domain.vocabulary import VisitEventKind
from field_api.platform.database import transaction_beside
from field_api.platform.problems import Problem
from field_api.platform.tenancy import current_agency
from field_api.records.base import load
from field_api.records.visits import Letter, VisitEvent
from field_api.usecases.kept_paper import PaperLost, kept_paper
from field_api.usecases.note_visit_event import note_visit_event


def read_letter(session: Session, letter_id: UUID, *, objects: Objects, now: datetime) -> bytes:
    """The letter's PDF. Raises Problem `not-found` where it was not issued, `gone` where its object is no more: then
    its visit's story says so."""
    letter = load(session, Letter, letter_id)
    if letter.object_key is None:
        raise Problem("not-found", f"the letter is {letter.state}: there is no document")
    try:
        return kept_paper(objects, letter.object_key)
    except PaperLost as lost:
        _note_lost(letter, lost.reason, now)
        raise


def _note_lost(letter: Letter, reason: str, now: datetime) -> None:
    """Once, and beside the running transaction, which a refusal undoes."""
    mine = (VisitEvent.agency_id == current_agency(), VisitEvent.visit_id == letter.visit_id)
    told = select(VisitEvent.id).where(*mine, VisitEvent.flags.contains([reason])).limit(1)
    with transaction_beside(current_agency()) as session:
        if session.scalar(told) is None:
            body = {"letter": str(letter.id), "reason": reason}
            note_visit_event(session, letter.visit_id, VisitEventKind.LETTER, now, "system", body, None, [reason])
