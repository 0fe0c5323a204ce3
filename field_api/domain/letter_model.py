"""What letters are made of: the facts they state, and the composed content."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from datetime import date
from enum import StrEnum
from typing import Any


class LetterKind(StrEnum):
    REMINDER = "reminder"
    NOTIFICATION = "notification"
    FINAL_WARNING = "final_warning"
    PROMISE_CONFIRMATION = "promise_confirmation"
    PAYMENT_PLAN = "payment_plan"
    DISPUTE_ACKNOWLEDGEMENT = "dispute_acknowledgement"


class LetterState(StrEnum):
    WANTED = "wanted"
    ISSUED = "issued"
    PRINTED = "printed"
    HANDED_OVER = "handed_over"
    RETURNED = "returned"
    PULLED = "pulled"  # taken out of a stack in the office, before or after the agent was out
    POSTED = "posted"
    LOST = "lost"  # nobody can find it
    DESTROYED = "destroyed"
    REFUSED = "refused"


@dataclass(frozen=True)
class PromiseFacts:
    """One promise to pay the creditor, as it was made."""

    amount_minor: int
    due_on: date
    made_on: date
    way: str = ""  # how it will be paid, in the letter's language


@dataclass(frozen=True)
class Instalment:
    """One payment of a plan."""

    number: int  # from 1
    due_on: date
    amount_minor: int


@dataclass(frozen=True)
class DisputeFacts:
    """What was contested, and by when it is answered."""

    kind: str  # not_my_debt | wrong_amount | paid | service_not_rendered | fraud | other (docs/outcomes.md)
    received_on: date
    answer_by: date | None


@dataclass(frozen=True)
class LetterBrand:
    """How a sender looks on paper. Empty: the house's own look."""

    sender_lines: tuple[str, ...] = ()  # empty: from the name that the letter goes out in
    colour: str = ""  # "#rrggbb"
    logo: str = ""  # SHA-256 of an image, hex
    signature_name: str = ""
    signature_title: str = ""
    signature_image: str = ""  # SHA-256 of an image, hex


@dataclass(frozen=True)
class LetterFacts:
    """All that a letter may state. Empty (or None) means: not known, and refused where the jurisdiction requires it."""

    kind: str
    language: str  # BCP 47, the addressee's
    jurisdiction: str
    dated_on: date
    name: str
    address_lines: tuple[str, ...]
    role: str  # debtor | guarantor
    sector: str  # financial | commercial
    creditor_name: str
    creditor_address: str
    creditor_phone: str
    agency_name: str
    agency_address: str
    agency_phone: str
    agency_email: str
    collector_name: str
    reference: str
    product: str
    currency: str  # ISO 4217; amounts are its integer minor units
    principal_minor: int
    interest_minor: int
    fees_minor: int
    balance_minor: int
    calculated_on: date | None
    due_on: date | None
    itemised_on: date | None
    payment_ways: tuple[str, ...]
    original_creditor: str = ""
    settlement: str = ""  # what the creditor lets the agent offer
    contract_on: date | None = None
    complaints_address: str = ""
    complaints_email: str = ""
    complaints_phone: str = ""
    responsible_persons: str = ""
    registration: str = ""
    permit_number: str = ""
    supervisory_authority: str = ""
    vat_statement: str = ""
    interest_calculation: str = ""
    address_source: str = ""  # where the address is from; empty: from the creditor
    promise: PromiseFacts | None = None
    instalments: tuple[Instalment, ...] = ()
    dispute: DisputeFacts | None = None
    in_name_of: str = "agency"  # agency | creditor
    brand: LetterBrand = field(default_factory=LetterBrand)
    free_paragraphs: tuple[str, ...] = ()  # the creditor's own, in the letter's language
    template: str = ""  # SHA-256 of a creditor's template, hex; empty: the house's

    @property
    def credits_minor(self) -> int:
        """Payments and credits since the itemisation date: what the parts exceed the balance by."""
        return self.principal_minor + self.interest_minor + self.fees_minor - self.balance_minor

    @property
    def itemisation(self) -> bool:
        """Whether the parts explain the balance; a letter whose sum is wrong is not issued."""
        return self.credits_minor >= 0 and self.balance_minor > 0

    @property
    def transferred(self) -> bool:
        """Whether somebody else was the creditor when the debt was incurred."""
        return self.original_creditor not in ("", self.creditor_name)

    @property
    def agreed_minor(self) -> int:
        """What a promise or a plan comes to: the promise's amount; of a plan without one, the whole balance."""
        return self.promise.amount_minor if self.promise else self.balance_minor


@dataclass(frozen=True)
class Part:
    """The letter in one language. Blocks are {"block": heading|paragraph|facts|table|list|checks|small, ...}.

    heading {text}; paragraph {text, strong?}; small {text}; facts {rows: [[label, value]]}; list {items};
    checks {items}; table {caption, head: [what, amount], rows: [[what, amount]], total: [what, amount]}.
    """

    language: str
    title: str
    date: str  # long, in the language
    blocks: tuple[dict[str, Any], ...]


@dataclass(frozen=True)
class LetterContent:
    kind: str
    jurisdiction: str
    serial: str
    dated_on: str  # ISO 8601
    paper: str
    window: str
    sender_lines: tuple[str, ...]
    address_lines: tuple[str, ...]
    parts: tuple[Part, ...]
    in_name_of: str = "agency"
    brand: LetterBrand = field(default_factory=LetterBrand)
    template: str = ""  # "" the house's own, else the SHA-256 of a template's version, hex

    def wire(self) -> dict[str, Any]:
        """Plain JSON data, version 1."""
        return {"v": 1, **asdict(self)}


@dataclass(frozen=True)
class LetterRefused:
    """Why a letter cannot be issued: the field that is missing, or the rule that its words break. Holds no value."""

    field: str
    reason: str  # missing | forbidden | out-of-range | inconsistent | no-rules
    source: str

    def __str__(self) -> str:
        return f"{self.reason}: {self.field} ({self.source})"
