"""Holds as a list."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import Select, or_, select

from field_api.platform.tenancy import current_agency
from field_api.records.accounts import Account, Hold
from field_api.records.people import Person


def holds(
    *, in_force: bool = True, account_id: UUID | None = None, creditor_id: UUID | None = None
) -> Select[tuple[Hold]]:
    """Holds of the running agency, without the lifted ones unless asked, of one account or one creditor's accounts and
    people where given. Unordered."""
    query = select(Hold).where(Hold.agency_id == current_agency())
    if in_force:
        query = query.where(Hold.lifted_at.is_(None))
    if account_id is not None:
        query = query.where(Hold.account_id == account_id)
    if creditor_id is not None:
        accounts = select(Account.id).where(Account.agency_id == current_agency(), Account.creditor_id == creditor_id)
        people = select(Person.id).where(Person.agency_id == current_agency(), Person.creditor_id == creditor_id)
        query = query.where(or_(Hold.account_id.in_(accounts), Hold.person_id.in_(people)))
    return query
