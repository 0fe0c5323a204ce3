"""Accounts, the parties tied to them, payments, holds and the files they came in."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Index, LargeBinary, UniqueConstraint, func, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from field_api.domain.confidential import Confidential
from field_api.domain.disclosure import Label
from field_api.platform.columns import ConfidentialAmount, ConfidentialDate, ConfidentialText, Sealed
from field_api.platform.labels import confidential, internal
from field_api.records.base import SCHEMA, Tenant, refers


class ImportFile(Tenant):
    """A creditor's file as it came: the same bytes twice are known by their hash."""

    __tablename__ = "import_file"
    __table_args__ = (
        refers("creditor_id", "creditor"),
        UniqueConstraint("agency_id", "creditor_id", "sha256"),
        {"schema": SCHEMA},
    )

    creditor_id: Mapped[UUID] = internal()
    sha256: Mapped[bytes] = internal(LargeBinary)
    file_name: Mapped[str] = confidential()
    rows_total: Mapped[int] = internal()
    rows_imported: Mapped[int] = internal()
    rows_unchanged: Mapped[int] = internal()
    rows_rejected: Mapped[int] = internal()
    errors: Mapped[list[dict[str, Any]]] = internal(JSONB)  # row, column, code, message: no values
    imported_at: Mapped[datetime] = internal()
    imported_by: Mapped[UUID | None] = internal()


class Account(Tenant):
    __tablename__ = "account"
    __table_args__ = (
        refers("creditor_id", "creditor"),
        UniqueConstraint("agency_id", "creditor_id", "reference"),
        Index(
            "ix_account_eligible",
            "agency_id",
            "creditor_id",
            "balance_minor",
            postgresql_where=text("state = 'placed'"),
        ),
        {"schema": SCHEMA},
    )

    creditor_id: Mapped[UUID] = internal()
    reference: Mapped[Confidential[str]] = mapped_column(ConfidentialText)  # the creditor's contract number
    product: Mapped[Confidential[str]] = mapped_column(ConfidentialText)
    original_creditor: Mapped[Confidential[str] | None] = mapped_column(ConfidentialText)
    currency: Mapped[str] = confidential()
    principal_minor: Mapped[Confidential[int]] = mapped_column(ConfidentialAmount)
    interest_minor: Mapped[Confidential[int]] = mapped_column(ConfidentialAmount, default=0)
    fees_minor: Mapped[Confidential[int]] = mapped_column(ConfidentialAmount, default=0)
    balance_minor: Mapped[Confidential[int]] = mapped_column(ConfidentialAmount)
    balance_calculated_on: Mapped[Confidential[date]] = mapped_column(ConfidentialDate)
    due_on: Mapped[Confidential[date]] = mapped_column(ConfidentialDate)  # the oldest unpaid due date
    last_payment_on: Mapped[Confidential[date] | None] = mapped_column(ConfidentialDate)
    last_payment_minor: Mapped[Confidential[int] | None] = mapped_column(ConfidentialAmount)
    options: Mapped[Confidential[str] | None] = mapped_column(
        Sealed("account.options", Label.CONFIDENTIAL)
    )  # free text: what the creditor lets the agent offer
    auto_pay: Mapped[bool] = confidential(default=False)  # collected automatically: visited only after that failed
    auto_pay_failed_on: Mapped[Confidential[date] | None] = mapped_column(ConfidentialDate)
    guarantor_first: Mapped[bool] = confidential(default=False)  # the contract says who is to be sought first
    contract_on: Mapped[Confidential[date] | None] = mapped_column(ConfidentialDate)  # the day of the contract
    visits_consented_on: Mapped[Confidential[date] | None] = mapped_column(ConfidentialDate)
    """When the debtor consented in writing to more visits about this debt than the law allows without it."""
    state: Mapped[str] = confidential(default="placed")  # placed | closed
    closed_reason: Mapped[str | None] = confidential()
    placed_at: Mapped[datetime] = confidential(server_default=func.now())
    closed_at: Mapped[datetime | None] = confidential()
    version: Mapped[int] = internal(default=1)
    row_fingerprint: Mapped[bytes | None] = internal(LargeBinary)
    """Keyed hash of the file row that this account last followed; null once something else changed the account."""


class Party(Tenant):
    """A person's role on an account."""

    __tablename__ = "party"
    __table_args__ = (
        refers("account_id", "account"),
        refers("person_id", "person"),
        UniqueConstraint("agency_id", "account_id", "person_id", "role"),
        Index("ix_party_person", "agency_id", "person_id"),
        {"schema": SCHEMA},
    )

    account_id: Mapped[UUID] = internal()
    person_id: Mapped[UUID] = internal()
    role: Mapped[str] = confidential()  # debtor | guarantor | payer | attorney | executor | guardian


class Payment(Tenant):
    """A payment that the creditor reported. Nobody at a door ever takes one."""

    __tablename__ = "payment"
    __table_args__ = (
        refers("account_id", "account"),
        UniqueConstraint("agency_id", "account_id", "external_ref"),
        {"schema": SCHEMA},
    )

    account_id: Mapped[UUID] = internal()
    external_ref: Mapped[str] = confidential()
    paid_on: Mapped[Confidential[date]] = mapped_column(ConfidentialDate)
    amount_minor: Mapped[Confidential[int]] = mapped_column(ConfidentialAmount)
    recorded_at: Mapped[datetime] = confidential(server_default=func.now())


class Hold(Tenant):
    """A reason not to collect: on one account, or (account_id null) on everything of a person."""

    __tablename__ = "hold"
    __table_args__ = (
        refers("account_id", "account"),
        refers("person_id", "person"),
        UniqueConstraint("agency_id", "op_id", "kind", "account_id", postgresql_nulls_not_distinct=True),
        Index("ix_hold_account", "agency_id", "account_id", postgresql_where=text("lifted_at IS NULL")),
        Index("ix_hold_person", "agency_id", "person_id", postgresql_where=text("lifted_at IS NULL")),
        {"schema": SCHEMA},
    )

    account_id: Mapped[UUID | None] = internal()
    person_id: Mapped[UUID | None] = internal()
    kind: Mapped[str] = confidential()  # field_api.domain.vocabulary.HoldKind
    reason: Mapped[Confidential[str]] = mapped_column(Sealed("hold.reason", Label.CONFIDENTIAL))
    placed_at: Mapped[datetime] = confidential()
    placed_by: Mapped[UUID | None] = internal()  # staff; null when an operation from a door placed it
    op_id: Mapped[UUID] = internal()  # the operation, or an id of its own: one hold per cause and account
    lifted_at: Mapped[datetime | None] = confidential()
    lifted_by: Mapped[UUID | None] = internal()
    lift_reason: Mapped[Confidential[str] | None] = mapped_column(Sealed("hold.lift_reason", Label.CONFIDENTIAL))
