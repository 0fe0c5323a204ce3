"""One call of the API changes one account: a payment, amounts, dates, options, status; in this order."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from field_api.domain.account_row import AccountRow
from field_api.domain.amounts import Owed, owed_from
from field_api.domain.confidential import Confidential
from field_api.domain.row_errors import CellRefused
from field_api.platform.problems import Problem
from field_api.records.accounts import Account
from field_api.records.base import load
from field_api.usecases.record_payment import record_payment
from field_api.usecases.update_account import update_account

_AMOUNTS = ("balance_minor", "principal_minor", "interest_minor", "fees_minor")


def change_account(
    session: Session, account_id: UUID, changes: Mapping[str, Any], *, now: datetime, by: UUID | None
) -> Account:
    """`changes` has the names of AccountChangesSchema; what it lacks stays. A payment with a balance beside it is kept
    and lowers nothing: the balance is what is left. Raises `not-found`, `invalid-fields`, `conflict`."""
    account = load(session, Account, account_id)
    others = {name: value for name, value in changes.items() if name not in ("payment", *_AMOUNTS)}
    owed = _owed(changes)
    if "visits_consented_on" in others:
        _set_consent(session, account, others.pop("visits_consented_on"), now)
    if "payment" in changes:
        account = record_payment(session, account_id, **changes["payment"], lowers=owed is None, now=now, by=by)
    if not others and owed is None:
        return account
    said = AccountRow(row=0, reference="", currency=account.currency, owed=owed, **others)
    return update_account(session, account_id, said, now=now, by=by)


def _set_consent(session: Session, account: Account, on: date | None, now: datetime) -> None:
    """Consented in writing on that day, or not any more: who is visited too often without it falls out when a draft
    goes out."""
    if on is not None and on > now.date():
        raise Problem("invalid-fields", "a consent is given on a day that has been", at="visits_consented_on")
    account.visits_consented_on = None if on is None else Confidential(on)
    session.flush()


def _owed(changes: Mapping[str, Any]) -> Owed | None:
    try:
        return owed_from(*(changes.get(name) for name in _AMOUNTS))
    except CellRefused as refusal:
        raise Problem("invalid-fields", refusal.message, at="balance_minor") from refusal
