"""A payment that the creditor received and tells of."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from sqlalchemy.orm import Session

from field_api.domain.account_merge import paid
from field_api.domain.account_row import PaymentData
from field_api.domain.confidential import audience
from field_api.domain.disclosure import Audience
from field_api.platform.problems import Problem
from field_api.queries.known_accounts import payments_of
from field_api.records.accounts import Account, Payment
from field_api.records.base import load
from field_api.usecases.update_account import locked_standing, save_standing


def record_payment(
    session: Session,
    account_id: UUID,
    *,
    ref: str,
    paid_on: date,
    amount_minor: int,
    lowers: bool = True,
    now: datetime,
    by: UUID | None,
) -> Account:
    """Add a payment once per `ref` (the creditor's key of it) and lower what is owed: fees, interest, then principal.

    A payment of a day before the balance was calculated is in it already and lowers nothing; nor does one with
    `lowers=False`, whose balance comes beside it. Raises `not-found`; `conflict` where the ref is known with another
    day or amount.
    """
    before = locked_standing(session, account_id)
    payment = PaymentData(f"ref:{ref}", paid_on, amount_minor)
    with audience(Audience.OFFICE_JOB):
        known = payments_of(session, [account_id])[account_id].get(payment.ref)
    if known is not None:
        if known != (paid_on, amount_minor):
            raise Problem("conflict", "this payment is known with another day or amount", at="ref")
        return load(session, Account, account_id)
    session.add(
        Payment(
            account_id=account_id,
            external_ref=payment.ref,
            paid_on=paid_on,
            amount_minor=amount_minor,
            recorded_at=now,
        )
    )
    session.flush()
    after = paid(before, payment) if lowers else before
    return save_standing(session, account_id, before, after, now=now, by=by)
