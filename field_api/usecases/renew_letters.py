"""Write letters anew whose facts are others by now: a visit that another agent makes is another collector's."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from field_api.domain.confidential import audience
from field_api.domain.disclosure import Audience
from field_api.domain.letters import LetterKind, LetterState
from field_api.platform.tenancy import current_agency
from field_api.queries.arrays import among
from field_api.queries.letter_facts import letter_needs
from field_api.queries.letter_stages import happened
from field_api.records.visits import Letter, LetterCustody
from field_api.usecases.write_letters import write_letters

GONE_OUT = (LetterState.HANDED_OVER.value, LetterState.POSTED.value, LetterState.DESTROYED.value)
"""Of letters that did their work, or are no more: they stay as they are."""
SUPERSEDED = "superseded"


def renew_letters(
    session: Session, visit_ids: Sequence[UUID], now: datetime, *, actor: str, reason: str
) -> list[Letter]:
    """Every standing letter of the visits that has not gone out is superseded, and one of the same kind is wanted with
    the facts as they are now. A letter's content never changes: what was printed is to be pulled and destroyed, by its
    serial number, and no phone shows it any more. Returns the new ones. A fixed number of statements."""
    old = _not_gone_out(session, visit_ids)
    if not old:
        return []
    supersede(session, old, now, actor=actor, reason=reason)
    with audience(Audience.OFFICE_JOB):
        needs = {need.key: need for need in letter_needs(session, list(visit_ids), now)}
        again = [
            (needs[letter.visit_id, letter.account_id, letter.person_id], LetterKind(letter.kind))
            for letter in old
            if (letter.visit_id, letter.account_id, letter.person_id) in needs
        ]
        about = happened(session, {need.pair for need, _ in again})
        return write_letters(session, again, about, now, actor=actor, extra={"instead": reason})


def supersede(session: Session, letters: Sequence[Letter], now: datetime, *, actor: str, reason: str) -> None:
    """Another letter stands in the place of these from now on; their story says why."""
    for letter in letters:
        letter.superseded_at = now
    session.add_all(
        LetterCustody(letter_id=letter.id, state=letter.state, at=now, actor=actor, extra={SUPERSEDED: reason})
        for letter in letters
    )
    session.flush()


def _not_gone_out(session: Session, visit_ids: Sequence[UUID]) -> Sequence[Letter]:
    query = select(Letter).where(
        Letter.agency_id == current_agency(),
        among(Letter.visit_id, visit_ids),
        Letter.superseded_at.is_(None),
        Letter.state.not_in(GONE_OUT),
    )
    return session.scalars(query.order_by(Letter.id).with_for_update()).all()
