"""Lock a visit in the one order that never deadlocks: account rows by id first, then the visit."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from field_api.domain.vocabulary import OBLIGORS
from field_api.platform.tenancy import current_agency
from field_api.queries.arrays import among
from field_api.records.accounts import Account, Party
from field_api.records.base import load
from field_api.records.visits import Visit, VisitAccount


def lock_accounts(session: Session, account_ids: Collection[UUID]) -> None:
    """Lock account rows in id order. Payments and parties may still be added meanwhile (FOR NO KEY UPDATE)."""
    session.execute(
        select(Account.id)
        .where(Account.agency_id == current_agency(), among(Account.id, account_ids))
        .order_by(Account.id)
        .with_for_update(key_share=True)
    )


def accounts_owed_by(session: Session, person_id: UUID) -> set[UUID]:
    """Every account the person is debtor or guarantor of."""
    return set(
        session.scalars(
            select(Party.account_id).where(
                Party.agency_id == current_agency(),
                Party.person_id == person_id,
                Party.role.in_([role.value for role in OBLIGORS]),
            )
        )
    )


def lock_visit(session: Session, visit_id: UUID) -> Visit:
    """The visit, locked, after all accounts it is about and all the person sought owes. Raises `not-found`.

    A hold locks accounts and then visits. Whoever may place one while working on a visit begins here.
    """
    visit = load(session, Visit, visit_id)
    about = select(VisitAccount.account_id).where(
        VisitAccount.agency_id == current_agency(), VisitAccount.visit_id == visit_id
    )
    owed = select(Party.account_id).where(
        Party.agency_id == current_agency(),
        Party.person_id == visit.person_id,
        Party.role.in_([role.value for role in OBLIGORS]),
    )
    lock_accounts(
        session,
        session.scalars(select(Account.id).where(or_(Account.id.in_(about), Account.id.in_(owed)))).all(),
    )
    session.refresh(visit, with_for_update={"key_share": True})
    return visit
