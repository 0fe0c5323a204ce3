"""What one row of a creditor's file says about an account, its parties and payments. An empty cell says nothing."""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import date
from typing import Any

from field_api.domain.amounts import Owed
from field_api.domain.identity import AnswerKind
from field_api.domain.row_errors import RowCode
from field_api.domain.vocabulary import Role


@dataclass(frozen=True, slots=True)
class RowError:
    """Where and why: `row` as a person counts it (the header is row 1), `column` as the file's header has it."""

    row: int
    column: str
    code: RowCode
    message: str

    def as_json(self) -> dict[str, Any]:
        return {"row": self.row, "column": self.column, "code": self.code.value, "message": self.message}


@dataclass(frozen=True, slots=True)
class AddressData:
    street: str
    country: str
    jurisdiction: str
    kind: str = "home"
    number: str | None = None
    interior: str | None = None
    between_1: str | None = None
    between_2: str | None = None
    neighbourhood: str | None = None
    city: str | None = None
    municipality: str | None = None
    postcode: str | None = None
    state: str | None = None
    hint: str | None = None
    latitude: float | None = None
    longitude: float | None = None


@dataclass(frozen=True, slots=True)
class AnswerData:
    kind: AnswerKind
    group: str
    normal: str


@dataclass(frozen=True, slots=True)
class PartyData:
    role: Role
    name: str | None
    ref: str | None = None
    alias: str | None = None
    kind: str | None = None
    language: str | None = None
    is_minor: bool | None = None
    address: AddressData | None = None
    phones: tuple[str, ...] = ()
    emails: tuple[str, ...] = ()
    answers: tuple[AnswerData, ...] = ()

    def answer(self, kind: AnswerKind) -> str | None:
        return next((answer.normal for answer in self.answers if answer.kind is kind), None)


@dataclass(frozen=True, slots=True)
class PaymentData:
    """`ref` is the creditor's own key of the payment, or made from its date and amount."""

    ref: str
    paid_on: date
    amount_minor: int


@dataclass(frozen=True, slots=True)
class AccountRow:
    row: int
    reference: str
    currency: str
    currency_given: bool = False
    product: str | None = None
    original_creditor: str | None = None
    owed: Owed | None = None
    balance_calculated_on: date | None = None
    due_on: date | None = None
    contract_on: date | None = None
    last_payment_on: date | None = None
    last_payment_minor: int | None = None
    options: str | None = None
    auto_pay: bool | None = None
    auto_pay_failed_on: date | None = None
    guarantor_first: bool | None = None
    status: str | None = None  # open | paid | closed
    parties: tuple[PartyData, ...] = ()
    payment: PaymentData | None = None

    @property
    def only_a_payment(self) -> bool:
        """A row of a payments file: nothing but reference, payment and perhaps the currency."""
        said = {"row", "reference", "currency", "currency_given", "payment", "parties"}
        return (
            self.payment is not None
            and not self.parties
            and all(getattr(self, field.name) is None for field in fields(self) if field.name not in said)
        )

    def body(self) -> str:
        """What the row says, but for its place in the file and its payment: equal bodies say nothing new."""
        return repr([getattr(self, field.name) for field in fields(self) if field.name not in ("row", "payment")])
