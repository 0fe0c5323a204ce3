"""Write the letters that go with visits: one per visit, account and person sought, composed from today's facts."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from field_api.domain.confidential import audience
from field_api.domain.disclosure import Audience
from field_api.domain.letter_steps import WITH_A_VISIT, next_letter
from field_api.domain.letters import LetterKind
from field_api.platform.tenancy import current_agency
from field_api.queries.letter_facts import LetterNeed, letter_needs
from field_api.queries.letter_stages import Happened, happened
from field_api.records.visits import Letter
from field_api.usecases.write_letters import write_letters


def want_letters(
    session: Session, visit_ids: Sequence[UUID], now: datetime, *, kind: LetterKind | None = None
) -> list[Letter]:
    """Compose and keep (sealed) what is not there yet; give back every standing letter of these visits and this kind.

    Without a `kind` the creditor's strategy says which letter goes with each visit (field_api.domain.letter_steps): one
    per visit, account and person, and none while a hold is on. A letter that lacks what its jurisdiction requires is
    kept as `refused`, with the field's name and the rule's source. Statements: a fixed number, whatever the number of
    visits. Idempotent.
    """
    kinds = WITH_A_VISIT if kind is None else frozenset({kind})
    with audience(Audience.OFFICE_JOB):
        present = standing_letters(session, visit_ids, kinds)
        known = {(letter.visit_id, letter.account_id, letter.person_id) for letter in present}
        needs = [need for need in letter_needs(session, visit_ids, now) if need.key not in known]
        about = happened(session, {need.pair for need in needs})
        chosen = [(need, kind or _next(need, about[need.pair])) for need in needs]
        written = write_letters(session, [(need, each) for need, each in chosen if each is not None], about, now)
    return [*present, *written]


def standing_letters(session: Session, visit_ids: Sequence[UUID], kinds: Collection[LetterKind]) -> list[Letter]:
    """Of these visits and kinds, those that no other letter took the place of."""
    query = select(Letter).where(
        Letter.agency_id == current_agency(),
        Letter.visit_id.in_(visit_ids),
        Letter.kind.in_([kind.value for kind in kinds]),
        Letter.superseded_at.is_(None),
    )
    return list(session.scalars(query.order_by(Letter.id)))


def _next(need: LetterNeed, about: Happened) -> LetterKind | None:
    return next_letter(about.stage, need.steps).kind
