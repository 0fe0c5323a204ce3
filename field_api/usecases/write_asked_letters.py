"""Letters that the office asks for, written and laid out at once, so that they can be printed and posted."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from field_api.domain.letters import LetterKind, LetterState
from field_api.domain.ports import Objects, Papers
from field_api.platform.tenancy import current_agency
from field_api.queries.arrays import among
from field_api.records.visits import Letter
from field_api.usecases.ask_for_letters import ask_for_letters
from field_api.usecases.confirm_promises import confirm_promises
from field_api.usecases.issue_papers import issue_letters
from field_api.usecases.note_visit_event import staff_actor
from field_api.usecases.tell_of_letters import tell_of_letters


def write_asked_letters(
    session: Session,
    visit_id: UUID,
    kind: LetterKind,
    *,
    account_id: UUID | None = None,
    renderer: Papers,
    objects: Objects,
    now: datetime,
    by: UUID | None,
) -> list[Letter]:
    """As `ask_for_letters`; each is issued, or refused with the reason. Raises PaperFailed besides."""
    letters = ask_for_letters(session, visit_id, kind, account_id=account_id, now=now, by=by)
    lay_out(session, letters, renderer=renderer, objects=objects, now=now, by=by)
    return letters


def write_confirmations(session: Session, *, renderer: Papers, objects: Objects, now: datetime) -> list[Letter]:
    """As `confirm_promises`, and laid out for the post."""
    letters = confirm_promises(session, now)
    lay_out(session, letters, renderer=renderer, objects=objects, now=now, by=None)
    return letters


def lay_out(
    session: Session,
    letters: Sequence[Letter],
    *,
    renderer: Papers,
    objects: Objects,
    now: datetime,
    by: UUID | None,
) -> None:
    """Issue those that are wanted, and that nobody issued meanwhile. Three statements beside those of
    `issue_letters` at most, whatever their number. Raises PaperFailed."""
    if not letters:
        return
    session.flush()  # rows of this very session hold bare values until reread
    query = select(Letter).where(
        Letter.agency_id == current_agency(), among(Letter.id, [letter.id for letter in letters])
    )
    locked = session.scalars(
        query.order_by(Letter.id).with_for_update().execution_options(populate_existing=True)
    ).all()
    wanted = [one for one in locked if one.state == LetterState.WANTED.value and one.superseded_at is None]
    issue_letters(session, wanted, renderer=renderer, objects=objects, now=now, actor=staff_actor(by))
    # Issuing tells of what was issued; one that was refused may have taken the place of one that a phone shows.
    tell_of_letters(session, {one.visit_id for one in locked if one.state == LetterState.REFUSED.value})
