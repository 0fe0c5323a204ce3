"""What came of visits, as lists: attempts from the dense head, promises, disputes, contact candidates."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import Select, and_, select
from sqlalchemy.orm import Session

from field_api.platform.tenancy import current_agency
from field_api.records.accounts import Account
from field_api.records.people import ContactCandidate, Person
from field_api.records.results import Attempt, Dispute, Promise


def attempts_after(
    session: Session, number: int, *, limit: int, creditor_id: UUID | None = None
) -> Sequence[tuple[Attempt, Account]]:
    """Attempts with a higher number, in order, with their accounts. One statement.

    Numbers are given out under a lock that is held until commit, so whatever is visible has no unseen predecessor: a
    poller that goes on from the last number it saw loses nothing. With `creditor_id` numbers of others are left out.
    """
    statement = (
        select(Attempt, Account)
        .join(Account, and_(Account.agency_id == Attempt.agency_id, Account.id == Attempt.account_id))
        .where(Attempt.agency_id == current_agency(), Attempt.number > number)
        .order_by(Attempt.number)
        .limit(limit)
    )
    if creditor_id is not None:
        statement = statement.where(Account.creditor_id == creditor_id)
    return [(attempt, account) for attempt, account in session.execute(statement)]


def promises(
    *, state: str | None = None, account_id: UUID | None = None, creditor_id: UUID | None = None
) -> Select[Any]:
    """Promise rows of the running agency, unordered."""
    return _of_accounts(Promise, state, account_id, creditor_id)


def disputes(
    *, state: str | None = None, account_id: UUID | None = None, creditor_id: UUID | None = None
) -> Select[Any]:
    """Dispute rows of the running agency, unordered."""
    return _of_accounts(Dispute, state, account_id, creditor_id)


def _of_accounts(
    kind: type[Promise] | type[Dispute], state: str | None, account_id: UUID | None, creditor_id: UUID | None
) -> Select[Any]:
    statement = select(kind).where(kind.agency_id == current_agency())
    if state is not None:
        statement = statement.where(kind.state == state)
    if account_id is not None:
        statement = statement.where(kind.account_id == account_id)
    if creditor_id is not None:
        statement = statement.join(
            Account, and_(Account.agency_id == kind.agency_id, Account.id == kind.account_id)
        ).where(Account.creditor_id == creditor_id)
    return statement


class CandidateLine(NamedTuple):
    """A contact candidate, with the name of the person it is about."""

    candidate: ContactCandidate
    person: str


def contact_candidates(*, state: str | None = None, kind: str | None = None) -> Select[Any]:
    """CandidateLine columns of the running agency, unordered."""
    statement = (
        select(ContactCandidate, Person.name.label("person"))
        .join(Person, and_(Person.agency_id == ContactCandidate.agency_id, Person.id == ContactCandidate.person_id))
        .where(ContactCandidate.agency_id == current_agency())
    )
    if state is not None:
        statement = statement.where(ContactCandidate.state == state)
    if kind is not None:
        statement = statement.where(ContactCandidate.kind == kind)
    return statement
