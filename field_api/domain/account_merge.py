"""What a row of a file, or a payment, makes of an account that is known already. Pure; the database is around it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Final

from field_api.domain.account_row import AccountRow, PaymentData
from field_api.domain.amounts import NOTHING_OWED, Owed, after_payment, lowers_balance
from field_api.domain.row_errors import CellRefused, RowCode

PAID: Final = "paid"
CLOSED: Final = "closed"


@dataclass(frozen=True, slots=True)
class Standing:
    """An account as it stands."""

    currency: str
    owed: Owed
    balance_calculated_on: date
    due_on: date
    product: str = ""
    original_creditor: str | None = None
    last_payment_on: date | None = None
    last_payment_minor: int | None = None
    options: str | None = None
    auto_pay: bool = False
    auto_pay_failed_on: date | None = None
    guarantor_first: bool = False
    contract_on: date | None = None
    closed_reason: str | None = None  # None while placed
    closed_at: datetime | None = None

    @property
    def is_placed(self) -> bool:
        return self.closed_reason is None

    @property
    def to_collect(self) -> bool:
        return self.is_placed and self.owed.balance > 0


class FieldRefused(CellRefused):
    """A refusal that belongs to one field of the row."""

    def __init__(self, field: str, code: RowCode, message: str) -> None:
        super().__init__(code, message)
        self.field = field


def placed_from(row: AccountRow, today: date) -> tuple[Standing | None, list[FieldRefused]]:
    """A new account from its first row: or what the row lacks for that."""
    lacking = [
        FieldRefused(name, RowCode.MISSING_VALUE, "a new account needs this")
        for name, value in (("balance", row.owed), ("due_on", row.due_on))
        if value is None
    ]
    debtor = next((party for party in row.parties if party.role.value == "debtor"), None)
    if debtor is None:
        lacking.append(FieldRefused("debtor.name", RowCode.MISSING_VALUE, "a new account needs its debtor"))
    elif debtor.address is None:
        lacking.append(FieldRefused("debtor.address.street", RowCode.MISSING_VALUE, "a new account needs an address"))
    if lacking or row.owed is None or row.due_on is None:
        return None, lacking
    standing = Standing(
        currency=row.currency,
        owed=row.owed,
        balance_calculated_on=row.balance_calculated_on or today,
        due_on=row.due_on,
        product=row.product or "",
        original_creditor=row.original_creditor,
        last_payment_on=row.last_payment_on,
        last_payment_minor=row.last_payment_minor,
        options=row.options,
        auto_pay=bool(row.auto_pay),
        auto_pay_failed_on=row.auto_pay_failed_on,
        guarantor_first=bool(row.guarantor_first),
        contract_on=row.contract_on,
    )
    return standing, []


def merged(before: Standing, row: AccountRow, today: date) -> Standing:
    """The account after the row; what the row does not say stays. Raises FieldRefused."""
    _check(before, row)
    told = row.owed if row.owed is not None else before.owed
    after = replace(
        before,
        owed=NOTHING_OWED if row.status == PAID else told,
        balance_calculated_on=row.balance_calculated_on
        or (today if told != before.owed else before.balance_calculated_on),
        due_on=row.due_on or before.due_on,
        product=row.product if row.product is not None else before.product,
        original_creditor=row.original_creditor or before.original_creditor,
        options=row.options or before.options,
        auto_pay=before.auto_pay if row.auto_pay is None else row.auto_pay,
        auto_pay_failed_on=row.auto_pay_failed_on or before.auto_pay_failed_on,
        guarantor_first=before.guarantor_first if row.guarantor_first is None else row.guarantor_first,
        contract_on=row.contract_on or before.contract_on,
        closed_reason=_closed_reason(before, row),
        closed_at=None if row.status == "open" else before.closed_at,
    )
    if row.last_payment_on and (before.last_payment_on is None or row.last_payment_on >= before.last_payment_on):
        after = replace(after, last_payment_on=row.last_payment_on, last_payment_minor=row.last_payment_minor)
    return after


def _check(before: Standing, row: AccountRow) -> None:
    money = row.owed is not None or row.last_payment_minor is not None or row.payment is not None
    if row.currency != before.currency and (row.currency_given or money):
        raise FieldRefused("currency", RowCode.CURRENCY_CHANGED, "the account is known in another currency")
    if row.balance_calculated_on and row.balance_calculated_on < before.balance_calculated_on:
        raise FieldRefused(
            "balance_calculated_on", RowCode.OLDER_THAN_KNOWN, "a balance of a later day is known already"
        )
    owes = row.owed is not None and row.owed.balance > 0
    if not before.is_placed and row.status is None and owes:
        raise FieldRefused(
            "status", RowCode.ACCOUNT_CLOSED, "the account is closed: only a status that says open places it again"
        )


def _closed_reason(before: Standing, row: AccountRow) -> str | None:
    if row.status == "open":
        return None
    return row.status or before.closed_reason


def paid(before: Standing, payment: PaymentData) -> Standing:
    """The account after a new payment that came with no balance of its own: lowered, unless the balance is younger."""
    after = before
    if lowers_balance(payment.paid_on, before.balance_calculated_on):
        owed = after_payment(before.owed, payment.amount_minor)
        after = replace(before, owed=owed, balance_calculated_on=max(before.balance_calculated_on, payment.paid_on))
    if before.last_payment_on is None or payment.paid_on >= before.last_payment_on:
        after = replace(after, last_payment_on=payment.paid_on, last_payment_minor=payment.amount_minor)
    return after
