"""Lists of creditors and accounts."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from field_api.platform.problems import Problem
from field_api.platform.tenancy import current_agency
from field_api.records.accounts import Account
from field_api.records.agency import Creditor


def creditors(*, creditor_id: UUID | None = None) -> Select[tuple[Creditor]]:
    """Creditors; `creditor_id` bounds them to one."""
    found = select(Creditor).where(Creditor.agency_id == current_agency())
    return found if creditor_id is None else found.where(Creditor.id == creditor_id)


def accounts(
    *, creditor_id: UUID | None = None, state: str | None = None, references: Collection[str] | None = None
) -> Select[tuple[Account]]:
    """Accounts of the agency, or of one creditor, in one state, or with one of the references."""
    found = select(Account).where(Account.agency_id == current_agency())
    if creditor_id is not None:
        found = found.where(Account.creditor_id == creditor_id)
    if state is not None:
        found = found.where(Account.state == state)
    return found if references is None else found.where(Account.reference.in_(references))


def account_by_reference(session: Session, creditor: str | None, reference: str) -> UUID:
    """The id of the account that this creditor (its name) calls so. Raises Problem `not-found`."""
    found = session.scalar(
        select(Account.id)
        .join(Creditor, (Creditor.agency_id == Account.agency_id) & (Creditor.id == Account.creditor_id))
        .where(Account.agency_id == current_agency(), Account.reference == reference, Creditor.name == creditor)
    )
    if found is None:
        raise Problem("not-found", "this creditor has no account with this reference", at="reference")
    return found
