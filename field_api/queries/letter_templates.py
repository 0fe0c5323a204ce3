"""Creditors' letter templates: which are in use, and all versions of one creditor."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from uuid import UUID

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from field_api.domain.letter_templates import ActiveTemplate, TemplateState
from field_api.platform.tenancy import current_agency
from field_api.records.accounts import Account, Party
from field_api.records.letter_templates import LetterTemplate
from field_api.records.people import Address


def active_templates(session: Session, creditor_ids: Collection[UUID]) -> Mapping[UUID, tuple[ActiveTemplate, ...]]:
    """By creditor. One statement; none where nobody is asked about."""
    if not creditor_ids:
        return {}
    of = LetterTemplate
    query = select(of.creditor_id, of.sha256, of.version, of.kinds, of.languages).where(
        of.agency_id == current_agency(), of.creditor_id.in_(creditor_ids), of.state == TemplateState.ACTIVE.value
    )
    found: dict[UUID, tuple[ActiveTemplate, ...]] = {}
    for creditor_id, digest, version, kinds, languages in session.execute(query):
        one = ActiveTemplate(bytes(digest).hex(), version, tuple(kinds), tuple(languages))
        found[creditor_id] = (*found.get(creditor_id, ()), one)
    return found


def templates_of(creditor_id: UUID) -> Select[tuple[LetterTemplate]]:
    """All versions, without order."""
    return select(LetterTemplate).where(
        LetterTemplate.agency_id == current_agency(), LetterTemplate.creditor_id == creditor_id
    )


def jurisdictions_of(session: Session, creditor_id: UUID) -> list[str]:
    """Where the people tied to the creditor's placed accounts live, by name."""
    query = (
        select(Address.jurisdiction)
        .join(Party, Party.person_id == Address.person_id)
        .join(Account, Account.id == Party.account_id)
        .where(Address.agency_id == current_agency(), Account.creditor_id == creditor_id, Account.state == "placed")
        .distinct()
    )
    return sorted(session.scalars(query))
