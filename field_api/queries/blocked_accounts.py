"""Which accounts may not be collected at present: closed, excluded by their creditor, or under a hold of their own or
of somebody who owes them."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import Select, Text, exists, func, or_, select, true, type_coerce
from sqlalchemy.orm import Session

from field_api.domain.vocabulary import OBLIGORS
from field_api.platform.tenancy import current_agency
from field_api.queries.arrays import among
from field_api.records.accounts import Account, Hold, Party
from field_api.records.agency import Creditor
from field_api.records.people import Person


def open_holds_by_account() -> Select[tuple[UUID, str]]:
    """(account id, hold kind) of every hold in force, those on persons spread over what they owe. May repeat a pair."""
    own = select(Hold.account_id, Hold.kind).where(Hold.lifted_at.is_(None), Hold.account_id.is_not(None))
    of_person = (
        select(Party.account_id, Hold.kind)
        .join(Hold, (Hold.agency_id == Party.agency_id) & (Hold.person_id == Party.person_id))
        .where(Hold.lifted_at.is_(None), Hold.account_id.is_(None), Party.role.in_([role.value for role in OBLIGORS]))
    )
    both = own.union_all(of_person).subquery("open_hold")
    return select(both.c.account_id, both.c.kind)


def blocked_accounts(session: Session, account_ids: Collection[UUID]) -> set[UUID]:
    """Those of `account_ids` that are closed, held or excluded, as the running transaction sees them. Two statements:
    in one, a database that knows little of its tables yet looked for whom is excluded once for each account."""
    if not account_ids:
        return set()
    holds = open_holds_by_account().subquery()
    held = exists().where(holds.c.account_id == Account.id)
    stopped = select(Account.id).where(
        Account.agency_id == current_agency(),
        among(Account.id, account_ids),
        or_(Account.state != "placed", held),
    )
    return {*session.scalars(stopped), *session.scalars(excluded_accounts(account_ids))}


def excluded_accounts(only: Collection[UUID] | None = None) -> Select[tuple[UUID]]:
    """Accounts whose reference, or the customer number of somebody who owes them, is on their creditor's list."""
    listed = (
        select(Creditor.agency_id, Creditor.id, func.unnest(Creditor.exclusions).label("what"))
        .where(Creditor.agency_id == current_agency())
        .subquery()
    )
    here = (listed.c.agency_id == Account.agency_id) & (listed.c.id == Account.creditor_id)
    by_reference = (
        select(Account.id)
        .join(listed, here & (listed.c.what == type_coerce(Account.reference, Text)))
        .where(true() if only is None else among(Account.id, only))
    )
    by_person = (
        select(Account.id)
        .join(Party, (Party.agency_id == Account.agency_id) & (Party.account_id == Account.id))
        .join(Person, (Person.agency_id == Party.agency_id) & (Person.id == Party.person_id))
        .join(listed, here & (listed.c.what == Person.external_ref))
        .where(true() if only is None else among(Account.id, only))
    )
    return by_reference.union(by_person)  # type: ignore[return-value]  # a union of ids is read like a select of ids
