"""What is known already about the accounts and people of a batch of rows: one statement per table, whatever its size.

Values come out plain: callers work as Audience.OFFICE_JOB.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from field_api.domain.account_merge import Standing
from field_api.domain.amounts import Owed
from field_api.domain.confidential import Confidential
from field_api.domain.disclosure import Audience
from field_api.platform.tenancy import current_agency
from field_api.records.accounts import Account, Party, Payment
from field_api.records.people import Person, VerificationAnswer
from field_api.records.visits import Visit, VisitAccount


def _plain(value: Any) -> Any:
    return value.reveal(Audience.OFFICE_JOB) if isinstance(value, Confidential) else value


def account_keys(
    session: Session, creditor_id: UUID, references: Collection[str]
) -> dict[str, tuple[UUID, bytes | None]]:
    """Reference -> (account id, fingerprint of the row it follows)."""
    found = select(Account.reference, Account.id, Account.row_fingerprint).where(
        Account.agency_id == current_agency(),
        Account.creditor_id == creditor_id,
        Account.reference.in_(references),
    )
    return {_plain(reference): (account_id, mark) for reference, account_id, mark in session.execute(found)}


def standings(session: Session, account_ids: Collection[UUID]) -> dict[UUID, Standing]:
    """Accounts as they stand. Lock them first where they are going to change."""
    if not account_ids:
        return {}
    found = select(
        Account.id,
        Account.currency,
        Account.balance_minor,
        Account.principal_minor,
        Account.interest_minor,
        Account.fees_minor,
        Account.balance_calculated_on,
        Account.due_on,
        Account.product,
        Account.original_creditor,
        Account.last_payment_on,
        Account.last_payment_minor,
        Account.options,
        Account.auto_pay,
        Account.auto_pay_failed_on,
        Account.guarantor_first,
        Account.contract_on,
        Account.state,
        Account.closed_reason,
        Account.closed_at,
    ).where(Account.agency_id == current_agency(), Account.id.in_(account_ids))
    return {row.id: _standing([_plain(value) for value in row]) for row in session.execute(found)}


def _standing(values: list[Any]) -> Standing:
    _, currency, balance, principal, interest, fees, calculated, due, *others, state, reason, closed_at = values
    product, original, last_on, last_minor, options, auto_pay, auto_pay_failed_on, guarantor_first, contract_on = others
    return Standing(
        currency=currency,
        owed=Owed(balance, principal, interest, fees),
        balance_calculated_on=calculated,
        due_on=due,
        product=product,
        original_creditor=original,
        last_payment_on=last_on,
        last_payment_minor=last_minor,
        options=options,
        auto_pay=auto_pay,
        auto_pay_failed_on=auto_pay_failed_on,
        guarantor_first=guarantor_first,
        contract_on=contract_on,
        closed_reason=None if state == "placed" else (reason or "closed"),
        closed_at=closed_at,
    )


@dataclass(frozen=True, slots=True)
class KnownParty:
    account_id: UUID
    role: str
    person_id: UUID
    name: str


def parties_of(session: Session, account_ids: Collection[UUID]) -> dict[UUID, list[KnownParty]]:
    """Every party of the accounts, with the person's name."""
    parties: dict[UUID, list[KnownParty]] = {account_id: [] for account_id in account_ids}
    if parties:
        found = (
            select(Party.account_id, Party.role, Party.person_id, Person.name)
            .join(Person, (Person.agency_id == Party.agency_id) & (Person.id == Party.person_id))
            .where(Party.agency_id == current_agency(), Party.account_id.in_(account_ids))
        )
        for account_id, role, person_id, name in session.execute(found):
            parties[account_id].append(KnownParty(account_id, role, person_id, name))
    return parties


@dataclass(frozen=True, slots=True)
class KnownPerson:
    id: UUID
    external_ref: str
    name: str
    alias: str | None
    kind: str
    language: str
    is_minor: bool


def people(
    session: Session, creditor_id: UUID, external_refs: Collection[str], ids: Collection[UUID]
) -> list[KnownPerson]:
    """A creditor's people by the creditor's key, and those named by id."""
    columns = select(
        Person.id, Person.external_ref, Person.name, Person.alias, Person.kind, Person.language, Person.is_minor
    ).where(Person.agency_id == current_agency())
    rows = [
        *session.execute(columns.where(Person.creditor_id == creditor_id, Person.external_ref.in_(external_refs))),
        *(session.execute(columns.where(Person.id.in_(ids))) if ids else ()),
    ]
    return list({row.id: KnownPerson(*row) for row in rows}.values())


def payments_of(session: Session, account_ids: Collection[UUID]) -> dict[UUID, dict[str, tuple[date, int]]]:
    """Account -> key of the payment -> (day, minor units)."""
    payments: dict[UUID, dict[str, tuple[date, int]]] = {account_id: {} for account_id in account_ids}
    if payments:
        found = select(Payment.account_id, Payment.external_ref, Payment.paid_on, Payment.amount_minor).where(
            Payment.agency_id == current_agency(), Payment.account_id.in_(account_ids)
        )
        for account_id, ref, paid_on, amount in session.execute(found):
            payments[account_id][ref] = (_plain(paid_on), _plain(amount))
    return payments


def answers_of(session: Session, person_ids: Collection[UUID]) -> dict[tuple[UUID, str], tuple[str, str]]:
    """(Person, kind) -> (group, normal form)."""
    if not person_ids:
        return {}
    found = select(
        VerificationAnswer.person_id,
        VerificationAnswer.kind,
        VerificationAnswer.independent_group,
        VerificationAnswer.answer,
    ).where(VerificationAnswer.agency_id == current_agency(), VerificationAnswer.person_id.in_(person_ids))
    return {(person, kind): (group, _plain(answer)) for person, kind, group, answer in session.execute(found)}


def with_visits_ahead(session: Session, account_ids: Collection[UUID]) -> set[UUID]:
    """Those of the accounts that a planned or published visit is about."""
    if not account_ids:
        return set()
    found = (
        select(VisitAccount.account_id)
        .join(Visit, (Visit.agency_id == VisitAccount.agency_id) & (Visit.id == VisitAccount.visit_id))
        .where(
            VisitAccount.agency_id == current_agency(),
            VisitAccount.account_id.in_(account_ids),
            Visit.state.in_(("planned", "published")),
        )
    )
    return set(session.scalars(found))
