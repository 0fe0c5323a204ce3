"""Compose letters of given kinds and keep them, sealed, each with the first line of its story."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from field_api.domain.confidential import Confidential
from field_api.domain.letters import LetterContent, LetterFacts, LetterKind, LetterRefused, LetterState, compose
from field_api.platform.bounded_json import canonical
from field_api.platform.ids import new_serial
from field_api.platform.statistics import refresh_statistics
from field_api.queries.letter_facts import LetterNeed
from field_api.queries.letter_stages import Happened, Pair
from field_api.records.visits import Letter, LetterCustody
from field_api.rules.letters import all_texts, rules_for

MANY = 200
"""Letters at once after which the planner of queries must hear of them. A route has fewer: an ANALYZE of all letters
that there ever were, for each agent of sixty, would take longer than everything else."""


def write_letters(
    session: Session,
    wanted: Sequence[tuple[LetterNeed, LetterKind]],
    happened: Mapping[Pair, Happened],
    now: datetime,
    *,
    actor: str = "system",
    extra: Mapping[str, Any] | None = None,
) -> list[Letter]:
    """One letter each: `wanted`, or `refused` with the name of what is missing. Needs audience OFFICE_JOB. The caller
    has seen that none of the same kind stands already. Two statements."""
    written = [_letter(need, kind, happened[need.pair]) for need, kind in wanted]
    session.add_all(written)
    session.flush()
    session.add_all(
        LetterCustody(letter_id=letter.id, state=letter.state, at=now, actor=actor, extra=dict(extra or {}))
        for letter in written
    )
    if len(written) >= MANY:
        refresh_statistics(session, Letter, LetterCustody)
    return written


def _letter(need: LetterNeed, kind: LetterKind, happened: Happened) -> Letter:
    serial = new_serial()
    result = _compose(need, need.facts_of(kind, happened), serial)
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


def _compose(need: LetterNeed, facts: LetterFacts, serial: str) -> LetterContent | LetterRefused:
    if need.brand is None:
        return LetterRefused("brand", "missing", "the creditor's brand cannot be read: set it anew")
    rules = rules_for(facts.jurisdiction)
    if rules is None:
        return LetterRefused("jurisdiction", "no-rules", "no letter rules for this place: nothing is issued")
    return compose(facts, rules, all_texts(), serial)
