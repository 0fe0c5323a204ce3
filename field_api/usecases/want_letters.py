"""Write the letters that go with visits: one per visit, account and person sought, composed from today's facts."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from field_api.domain.confidential import Confidential, audience
from field_api.domain.disclosure import Audience
from field_api.domain.letters import LetterContent, LetterFacts, LetterKind, LetterRefused, LetterState, compose
from field_api.platform.bounded_json import canonical
from field_api.platform.ids import new_serial
from field_api.platform.statistics import refresh_statistics
from field_api.queries.letter_facts import LetterNeed, letter_needs
from field_api.records.visits import Letter, LetterCustody
from field_api.rules.letters import all_texts, rules_for

MANY = 200
"""Letters at once after which the planner of queries must hear of them. A route has fewer: an ANALYZE of all letters
that there ever were, for each agent of sixty, would take longer than everything else."""


def want_letters(
    session: Session, visit_ids: Sequence[UUID], now: datetime, *, kind: LetterKind = LetterKind.NOTIFICATION
) -> list[Letter]:
    """Compose and keep (sealed) what is not there yet; give back every letter of these visits and this kind.

    A letter that lacks what its jurisdiction requires is kept as `refused`, with the field's name and the rule's
    source. Statements: a fixed number, whatever the number of visits. Idempotent.
    """
    with audience(Audience.OFFICE_JOB):
        present = _present(session, visit_ids, kind)
        known = {(letter.visit_id, letter.account_id, letter.person_id) for letter in present}
        needs = [need for need in letter_needs(session, visit_ids, kind, now) if need.key not in known]
        written = [_letter(need, kind) for need in needs]
        session.add_all(written)
        session.flush()
        session.add_all(_custody(letter, now) for letter in written)
        if len(written) >= MANY:
            refresh_statistics(session, Letter, LetterCustody)
    return [*present, *written]


def _present(session: Session, visit_ids: Sequence[UUID], kind: LetterKind) -> list[Letter]:
    query = select(Letter).where(Letter.visit_id.in_(visit_ids), Letter.kind == kind.value)
    return list(session.scalars(query.order_by(Letter.id)))


def _letter(need: LetterNeed, kind: LetterKind) -> Letter:
    serial = new_serial()
    result = _compose(need.facts, serial)
    refused = isinstance(result, LetterRefused)
    content = {} if isinstance(result, LetterRefused) else result.wire()
    return Letter(
        visit_id=need.visit_id,
        account_id=need.account_id,
        person_id=need.person_id,
        kind=kind.value,
        language=need.facts.language,
        jurisdiction=need.facts.jurisdiction,
        serial=serial,
        state=(LetterState.REFUSED if refused else LetterState.WANTED).value,
        refusal=str(result) if refused else None,
        content=Confidential(canonical(content).decode()),
    )


def _compose(facts: LetterFacts, serial: str) -> LetterContent | LetterRefused:
    rules = rules_for(facts.jurisdiction)
    if rules is None:
        return LetterRefused("jurisdiction", "no-rules", "no letter rules for this place: nothing is issued")
    return compose(facts, rules, all_texts(), serial)


def _custody(letter: Letter, now: datetime) -> LetterCustody:
    return LetterCustody(letter_id=letter.id, state=letter.state, at=now, actor="system", extra={})
