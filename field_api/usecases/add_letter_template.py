"""Take in a version of a creditor's letter template, and put versions into use and out of it."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from field_api.domain.letter_templates import STEPS, TemplateFault, TemplateState
from field_api.domain.ports import Papers
from field_api.domain.sample_letters import KINDS
from field_api.platform.problems import Problem
from field_api.queries.letter_templates import jurisdictions_of, templates_of
from field_api.records.agency import Creditor
from field_api.records.base import load
from field_api.records.letter_templates import LetterTemplate
from field_api.rules.letters import LANGUAGES
from field_api.usecases.check_letter_template import check_letter_template, places

MOST_VERSIONS = 500
"""Of a creditor. They are never deleted: letters that they laid out are to be made again years later."""
MOST_FAULTS = 20


def add_letter_template(
    session: Session,
    creditor_id: UUID,
    source: bytes,
    *,
    kinds: Sequence[str] = (),
    languages: Sequence[str] = (),
    renderer: Papers,
    now: datetime,
    actor: str,
) -> LetterTemplate:
    """A new draft, tried on invented letters of every place where the creditor's debtors live.

    Raises `not-found`, `invalid-fields` (with `errors`: place, reason), `quota-exceeded`, PaperFailed.
    """
    load(session, Creditor, creditor_id, lock=True)  # versions are numbered in turn
    _known("kinds", kinds, KINDS)
    _known("languages", languages, LANGUAGES)
    newest = session.scalar(select(func.max(templates_of(creditor_id).subquery().c.version))) or 0
    if newest >= MOST_VERSIONS:
        raise Problem("quota-exceeded", f"a creditor has at most {MOST_VERSIONS} versions")
    _check(session, creditor_id, source, kinds, languages, renderer)
    template = LetterTemplate(
        creditor_id=creditor_id,
        version=newest + 1,
        kinds=sorted(set(kinds)),
        languages=sorted(set(languages)),
        sha256=hashlib.sha256(source).digest(),
        source=source.decode(),
        state=TemplateState.DRAFT.value,
        created_at=now,
        created_by=actor,
        state_at=now,
        state_by=actor,
    )
    session.add(template)
    session.flush()
    return template


def set_template_state(
    session: Session, template_id: UUID, wanted: TemplateState, *, renderer: Papers, now: datetime, actor: str
) -> LetterTemplate:
    """Put a version into use, or out of it. One that comes into use is tried again, since places, rules and the house's
    own templates may have changed, and the one that it follows (the same kinds and languages) is retired.

    Letters that are wanted or issued keep the template that they were composed for. Raises `not-found`, `conflict`,
    `invalid-fields` (with `errors`), PaperFailed.
    """
    template = load(session, LetterTemplate, template_id, lock=True)
    if template.state == wanted:
        return template
    if wanted not in STEPS[TemplateState(template.state)]:
        raise Problem("conflict", f"a version that is {template.state} cannot be put there", at="state")
    if wanted is TemplateState.ACTIVE:
        source = template.source.encode()
        _check(session, template.creditor_id, source, template.kinds, template.languages, renderer)
        _retire_others(session, template, now, actor)
    _set(template, wanted, now, actor)
    session.flush()
    return template


def _retire_others(session: Session, template: LetterTemplate, now: datetime, actor: str) -> None:
    same = templates_of(template.creditor_id).where(
        LetterTemplate.kinds == template.kinds,
        LetterTemplate.languages == template.languages,
        LetterTemplate.state == TemplateState.ACTIVE.value,
        LetterTemplate.id != template.id,
    )
    for other in session.scalars(same.with_for_update()):
        _set(other, TemplateState.RETIRED, now, actor)


def _set(template: LetterTemplate, state: TemplateState, now: datetime, actor: str) -> None:
    template.state, template.state_at, template.state_by = state.value, now, actor


def _check(
    session: Session,
    creditor_id: UUID,
    source: bytes,
    kinds: Sequence[str],
    languages: Sequence[str],
    renderer: Papers,
) -> None:
    faults = check_letter_template(
        source,
        jurisdictions=jurisdictions_of(session, creditor_id) or places(),
        kinds=kinds,
        languages=languages,
        renderer=renderer,
    )
    if faults:
        raise refused(faults)


def refused(faults: Sequence[TemplateFault]) -> Problem:
    """`invalid-fields` with a place and a reason for each. What they quote is the template's own or invented."""
    errors = [{"at": place_of(fault), "problem": fault.told("source")} for fault in faults[:MOST_FAULTS]]
    return Problem("invalid-fields", "the template is refused", at=place_of(faults[0]), extra={"errors": errors})


def place_of(fault: TemplateFault) -> str:
    """`source.LINE.COLUMN`, as far as it is known."""
    return f"source.{fault.at}".replace(":", ".") if fault.at[:1].isdigit() else "source"


def _known(name: str, given: Sequence[str], known: Sequence[str]) -> None:
    if set(given) - set(known):
        raise Problem("invalid-fields", "not one of those that letters have", at=name)
