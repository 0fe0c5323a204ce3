"""End an account's placement: paid, or taken back by the creditor."""

from __future__ import annotations

from datetime import datetime
from typing import Literal
from uuid import UUID

from sqlalchemy.orm import Session

from field_api.domain.account_row import AccountRow
from field_api.records.accounts import Account
from field_api.usecases.update_account import locked_standing, update_account


def close_account(
    session: Session, account_id: UUID, *, reason: Literal["paid", "closed"], now: datetime, by: UUID | None
) -> Account:
    """Close it; a paid one owes nothing any more. Visits ahead are taken back. Twice is once. Raises `not-found`."""
    currency = locked_standing(session, account_id).currency
    said = AccountRow(row=0, reference="", currency=currency, status=reason)
    return update_account(session, account_id, said, now=now, by=by)
