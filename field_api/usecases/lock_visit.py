"""Lock visits in the one order that never deadlocks: account rows by id first, then the visits by id."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import select, union
from sqlalchemy.orm import Session

from field_api.domain.vocabulary import OBLIGORS
from field_api.platform.problems import Problem
from field_api.platform.tenancy import current_agency
from field_api.queries.arrays import among
from field_api.records.accounts import Account, Party
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


def lock_visits(
    session: Session, visit_ids: Collection[UUID], *, and_accounts: Collection[UUID] = ()
) -> dict[UUID, Visit]:
    """The visits, locked by id, after all accounts they are about and all that the persons sought owe (and those that
    are named), by id too.

    A hold, a publication and this lock in the same order, so that however many each of them wants, none waits for one
    that waits for it. Unknown ids are left out. Two statements, whatever the number.
    """
    about = select(VisitAccount.account_id).where(
        VisitAccount.agency_id == current_agency(), among(VisitAccount.visit_id, visit_ids)
    )
    owed = (
        select(Party.account_id)
        .join(Visit, (Visit.agency_id == Party.agency_id) & (Visit.person_id == Party.person_id))
        .where(
            Visit.agency_id == current_agency(),
            among(Visit.id, visit_ids),
            Party.role.in_([role.value for role in OBLIGORS]),
        )
    )
    named = select(Account.id).where(Account.agency_id == current_agency(), among(Account.id, and_accounts))
    # A union and not an OR of two conditions, for which the database would look at every account there is.
    session.execute(
        select(Account.id)
        .where(Account.agency_id == current_agency(), Account.id.in_(union(about, owed, named)))
        .order_by(Account.id)
        .with_for_update(key_share=True)
    )
    visits = session.scalars(
        select(Visit)
        .where(Visit.agency_id == current_agency(), among(Visit.id, visit_ids))
        .order_by(Visit.id)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    )
    return {visit.id: visit for visit in visits}


def lock_visit(session: Session, visit_id: UUID) -> Visit:
    """One visit, locked as `lock_visits` does. Raises `not-found`.

    A hold locks accounts and then visits. Whoever may place one while working on a visit begins here.
    """
    visit = lock_visits(session, [visit_id]).get(visit_id)
    if visit is None:
        raise Problem("not-found", "no such visit")
    return visit
