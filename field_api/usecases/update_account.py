"""One account changes as the creditor says over the API: amounts, dates, options, status."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from field_api.domain.account_merge import FieldRefused, Standing, merged
from field_api.domain.account_row import AccountRow
from field_api.domain.confidential import audience
from field_api.domain.disclosure import Audience
from field_api.domain.row_errors import RowCode
from field_api.platform.bulk import update_rows
from field_api.platform.problems import Problem
from field_api.queries.known_accounts import standings
from field_api.records.accounts import Account
from field_api.records.base import load
from field_api.usecases.lock_visit import lock_accounts
from field_api.usecases.stop_ended_visits import stop_ended_visits
from field_api.usecases.write_account_batch import standing_values


def update_account(session: Session, account_id: UUID, said: AccountRow, *, now: datetime, by: UUID | None) -> Account:
    """The account after what is said of it; what is not said stays. Same rules as a file's row (docs/import.md).

    Raises `not-found`, `invalid-fields`, `conflict` (closed, or a later balance is known).
    """
    before = locked_standing(session, account_id)
    try:
        after = merged(before, said, now.date())
    except FieldRefused as refusal:
        code = "invalid-fields" if refusal.code is RowCode.CURRENCY_CHANGED else "conflict"
        raise Problem(code, refusal.message, at=refusal.field, extra={"reason": refusal.code.value}) from refusal
    return save_standing(session, account_id, before, after, now=now, by=by)


def locked_standing(session: Session, account_id: UUID) -> Standing:
    """The account as it stands, locked as publishing and holds lock it. Raises `not-found`."""
    lock_accounts(session, [account_id])
    with audience(Audience.OFFICE_JOB):
        found = standings(session, [account_id])
    if account_id not in found:
        raise Problem("not-found", "no such account")
    return found[account_id]


def save_standing(
    session: Session, account_id: UUID, before: Standing, after: Standing, *, now: datetime, by: UUID | None
) -> Account:
    """Write a change and take back visits that it ends. The account no longer follows the row of a file."""
    if after != before:
        values = standing_values(after, now)
        update_rows(session, Account, [{"id": account_id, **values, "row_fingerprint": None}])
        if before.to_collect and not after.to_collect:
            stop_ended_visits(session, {account_id: after}, now=now, by=by)
    account = load(session, Account, account_id)
    session.refresh(account)
    return account
