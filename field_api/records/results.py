"""What came of contact attempts: outcomes, promises, disputes, and the dense head that integrators poll."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import Index, UniqueConstraint
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from field_api.domain.confidential import Confidential
from field_api.domain.disclosure import Label
from field_api.platform.columns import ConfidentialAmount, ConfidentialDate, Sealed
from field_api.platform.database import Base
from field_api.records.base import SCHEMA, Tenant, refers


class AttemptHead(Base):
    """One row per agency: the last attempt number given out. Updated inside the inserting transaction, so that
    numbers are dense and in commit order and a poller that remembers one loses nothing."""

    __tablename__ = "attempt_head"
    __table_args__ = ({"schema": SCHEMA},)

    agency_id: Mapped[UUID] = mapped_column(primary_key=True)
    last_number: Mapped[int] = mapped_column(default=0)


class Attempt(Tenant):
    """Any contact attempt on any channel; one row per account it was about."""

    __tablename__ = "attempt"
    __table_args__ = (
        refers("account_id", "account"),
        refers("person_id", "person"),
        UniqueConstraint("agency_id", "number"),
        UniqueConstraint("agency_id", "op_id", "account_id"),
        Index("ix_attempt_account", "agency_id", "account_id", "at"),
        Index("ix_attempt_visit", "agency_id", "visit_id"),
        {"schema": SCHEMA},
    )

    number: Mapped[int]  # dense, commit-ordered
    account_id: Mapped[UUID]
    person_id: Mapped[UUID]
    visit_id: Mapped[UUID | None]
    op_id: Mapped[UUID]
    agent_id: Mapped[UUID | None]
    channel: Mapped[str]  # visit | call | letter | email | message
    at: Mapped[datetime]  # when it happened, as far as the evidence says
    received_at: Mapped[datetime]
    outcome: Mapped[str]  # field_api.domain.vocabulary.OutcomeKind
    right_party: Mapped[bool]  # a verified debtor or obligor was reached
    late: Mapped[bool] = mapped_column(default=False)
    flags: Mapped[list[str]] = mapped_column(JSONB, default=list)
    detail: Mapped[Confidential[str]] = mapped_column(Sealed("attempt.detail", Label.CONFIDENTIAL))  # canonical JSON
    latitude: Mapped[float | None]
    longitude: Mapped[float | None]
    accuracy_m: Mapped[float | None]
    distance_m: Mapped[float | None]  # from the address
    from_paper: Mapped[bool] = mapped_column(default=False)


class Promise(Tenant):
    __tablename__ = "promise"
    __table_args__ = (
        refers("account_id", "account"),
        refers("person_id", "person"),
        UniqueConstraint("agency_id", "op_id", "account_id", "position"),
        Index("ix_promise_account", "agency_id", "account_id"),
        {"schema": SCHEMA},
    )

    account_id: Mapped[UUID]
    person_id: Mapped[UUID]
    visit_id: Mapped[UUID | None]
    op_id: Mapped[UUID]
    position: Mapped[int] = mapped_column(default=0)  # instalments of a plan
    kind: Mapped[str]  # full | partial | plan
    amount_minor: Mapped[Confidential[int]] = mapped_column(ConfidentialAmount)
    currency: Mapped[str]
    due_on: Mapped[Confidential[date]] = mapped_column(ConfidentialDate)
    state: Mapped[str] = mapped_column(default="open")  # open | kept | broken | replaced
    flags: Mapped[list[str]] = mapped_column(JSONB, default=list)
    made_at: Mapped[datetime]


class Dispute(Tenant):
    __tablename__ = "dispute"
    __table_args__ = (
        refers("account_id", "account"),
        refers("person_id", "person"),
        UniqueConstraint("agency_id", "op_id", "account_id"),
        {"schema": SCHEMA},
    )

    account_id: Mapped[UUID]
    person_id: Mapped[UUID]
    visit_id: Mapped[UUID | None]
    op_id: Mapped[UUID]
    reason: Mapped[str]  # field_api.domain.vocabulary.DisputeReason
    words: Mapped[Confidential[str] | None] = mapped_column(Sealed("dispute.words", Label.CONFIDENTIAL))
    state: Mapped[str] = mapped_column(default="open")  # open | upheld | rejected
    opened_at: Mapped[datetime]
