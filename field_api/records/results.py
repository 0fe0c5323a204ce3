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
from field_api.platform.labels import confidential, internal, place
from field_api.records.base import SCHEMA, Tenant, refers


class AttemptHead(Base):
    """One row per agency: the last attempt number given out. Updated inside the inserting transaction, so that
    numbers are dense and in commit order and a poller that remembers one loses nothing."""

    __tablename__ = "attempt_head"
    __table_args__ = ({"schema": SCHEMA},)

    agency_id: Mapped[UUID] = internal(primary_key=True)
    last_number: Mapped[int] = internal(default=0)


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

    number: Mapped[int] = internal()  # dense, commit-ordered
    account_id: Mapped[UUID] = internal()
    person_id: Mapped[UUID] = internal()
    visit_id: Mapped[UUID | None] = internal()
    op_id: Mapped[UUID] = internal()
    agent_id: Mapped[UUID | None] = internal()
    channel: Mapped[str] = confidential()  # visit | call | letter | email | message
    at: Mapped[datetime] = confidential()  # when it happened, as far as the evidence says
    received_at: Mapped[datetime] = internal()
    outcome: Mapped[str] = confidential()  # field_api.domain.vocabulary.OutcomeKind
    right_party: Mapped[bool] = confidential()  # a verified debtor or obligor was reached
    late: Mapped[bool] = internal(default=False)
    flags: Mapped[list[str]] = confidential(JSONB, default=list)
    detail: Mapped[Confidential[str]] = mapped_column(Sealed("attempt.detail", Label.CONFIDENTIAL))  # canonical JSON
    latitude: Mapped[float | None] = place()
    longitude: Mapped[float | None] = place()
    accuracy_m: Mapped[float | None] = internal()
    distance_m: Mapped[float | None] = internal()  # from the address
    from_paper: Mapped[bool] = internal(default=False)


class Promise(Tenant):
    __tablename__ = "promise"
    __table_args__ = (
        refers("account_id", "account"),
        refers("person_id", "person"),
        UniqueConstraint("agency_id", "op_id", "account_id", "position"),
        Index("ix_promise_account", "agency_id", "account_id"),
        {"schema": SCHEMA},
    )

    account_id: Mapped[UUID] = internal()
    person_id: Mapped[UUID] = internal()
    visit_id: Mapped[UUID | None] = internal()
    op_id: Mapped[UUID] = internal()
    position: Mapped[int] = confidential(default=0)  # instalments of a plan
    kind: Mapped[str] = confidential()  # full | partial | plan
    amount_minor: Mapped[Confidential[int]] = mapped_column(ConfidentialAmount)
    currency: Mapped[str] = confidential()
    due_on: Mapped[Confidential[date]] = mapped_column(ConfidentialDate)
    state: Mapped[str] = confidential(default="open")  # field_api.domain.vocabulary.PromiseState
    flags: Mapped[list[str]] = confidential(JSONB, default=list)
    made_at: Mapped[datetime] = confidential()


class Dispute(Tenant):
    __tablename__ = "dispute"
    __table_args__ = (
        refers("account_id", "account"),
        refers("person_id", "person"),
        UniqueConstraint("agency_id", "op_id", "account_id"),
        {"schema": SCHEMA},
    )

    account_id: Mapped[UUID] = internal()
    person_id: Mapped[UUID] = internal()
    visit_id: Mapped[UUID | None] = internal()
    op_id: Mapped[UUID] = internal()
    reason: Mapped[str] = confidential()  # field_api.domain.vocabulary.DisputeReason
    words: Mapped[Confidential[str] | None] = mapped_column(Sealed("dispute.words", Label.CONFIDENTIAL))
    state: Mapped[str] = confidential(default="open")  # open | upheld | rejected
    opened_at: Mapped[datetime] = confidential()
