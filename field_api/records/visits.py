"""Visits, what locks and unlocks them, and the letters that go with them."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Index, LargeBinary, UniqueConstraint, func, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from field_api.domain.confidential import Confidential
from field_api.domain.disclosure import Label
from field_api.platform.columns import ConfidentialText, Sealed
from field_api.platform.ids import new_opaque_id
from field_api.platform.labels import confidential, internal
from field_api.records.base import SCHEMA, Tenant, refers


class Visit(Tenant):
    """An attempt at an address for one person sought. Its id is opaque: it travels in the clear with operations."""

    __tablename__ = "visit"
    __table_args__ = (
        refers("stop_id", "stop"),
        refers("agent_id", "agent"),
        refers("person_id", "person"),
        refers("address_id", "address"),
        Index("ix_visit_agent", "agency_id", "agent_id", "state"),
        Index("ix_visit_person", "agency_id", "person_id"),
        Index("ix_visit_stop", "agency_id", "stop_id"),
        {"schema": SCHEMA},
    )

    id: Mapped[UUID] = internal(primary_key=True, default=new_opaque_id)
    stop_id: Mapped[UUID | None] = internal()  # null once withdrawn from a route
    agent_id: Mapped[UUID] = internal()
    person_id: Mapped[UUID] = internal()
    address_id: Mapped[UUID] = internal()
    state: Mapped[str] = internal(default="planned")  # planned | published | withdrawn | done
    assignment_version: Mapped[int] = internal(default=1)  # grows with every reassignment or withdrawal
    planned_at: Mapped[datetime] = internal(server_default=func.now())
    published_at: Mapped[datetime | None] = internal()
    withdrawn_at: Mapped[datetime | None] = internal()
    done_at: Mapped[datetime | None] = internal()


class VisitAccount(Tenant):
    """The accounts that a visit is about, with the sought person's role on each."""

    __tablename__ = "visit_account"
    __table_args__ = (
        refers("visit_id", "visit", ondelete="CASCADE"),
        refers("account_id", "account"),
        UniqueConstraint("agency_id", "visit_id", "account_id"),
        Index("ix_visit_account_account", "agency_id", "account_id"),
        {"schema": SCHEMA},
    )

    visit_id: Mapped[UUID] = internal()
    account_id: Mapped[UUID] = internal()
    role: Mapped[str] = confidential()


class VisitKey(Tenant):
    """The random key of a visit's locked part for one entitled party, sealed at rest."""

    __tablename__ = "visit_key"
    __table_args__ = (
        refers("visit_id", "visit", ondelete="CASCADE"),
        refers("person_id", "person"),
        UniqueConstraint("agency_id", "visit_id", "person_id"),
        {"schema": SCHEMA},
    )

    visit_id: Mapped[UUID] = internal()
    person_id: Mapped[UUID] = internal()
    sealed_key: Mapped[bytes] = confidential(LargeBinary)
    unlock_code: Mapped[Confidential[str]] = mapped_column(Sealed("visit_key.unlock_code"))
    code_disclosed_at: Mapped[datetime | None] = internal()
    code_disclosed_by: Mapped[UUID | None] = internal()
    code_reason: Mapped[Confidential[str] | None] = mapped_column(ConfidentialText)  # a dispatcher's own words


class VisitEvent(Tenant):
    """The story of a visit, in order: planned, published, received, identity check, outcome, letter, photo, verdict."""

    __tablename__ = "visit_event"
    __table_args__ = (
        refers("visit_id", "visit", ondelete="CASCADE"),
        Index("ix_visit_event", "agency_id", "visit_id", "at", "id"),
        Index("ix_visit_event_op", "agency_id", "op_id"),
        Index(
            "ix_visit_event_unlock",
            "agency_id",
            "at",
            "id",
            postgresql_where=text("kind IN ('identity_check', 'opened')"),
        ),
        Index(
            "ix_visit_event_permission_withdrawn",
            "agency_id",
            "visit_id",
            postgresql_where=text("""flags @> '["permission-withdrawn"]'"""),
        ),
        {"schema": SCHEMA},
    )

    visit_id: Mapped[UUID] = internal()
    at: Mapped[datetime] = internal()
    kind: Mapped[str] = internal()  # field_api.domain.vocabulary.VisitEventKind
    actor: Mapped[str] = internal()  # "staff:<id>", "agent:<id>", "system"
    op_id: Mapped[UUID | None] = internal()
    body: Mapped[Confidential[str]] = mapped_column(Sealed("visit_event.body", Label.CONFIDENTIAL))  # canonical JSON
    flags: Mapped[list[str]] = internal(JSONB, default=list)  # late, clock, far-away, debt-words ...


class Sheet(Tenant):
    """An issued visit sheet of a route, sealed in the object store."""

    __tablename__ = "sheet"
    __table_args__ = (refers("route_id", "route"), {"schema": SCHEMA})

    route_id: Mapped[UUID] = internal()
    object_key: Mapped[str] = internal()
    sha256: Mapped[bytes] = internal(LargeBinary)
    pages: Mapped[int] = internal()
    issued_at: Mapped[datetime] = internal()
    # Which boxes are whose (domain.sheet_rows); null: issued by a release that did not keep it.
    rows: Mapped[list[dict[str, Any]] | None] = internal(JSONB)


class Letter(Tenant):
    __tablename__ = "letter"
    __table_args__ = (
        refers("visit_id", "visit"),
        refers("account_id", "account"),
        refers("person_id", "person"),
        refers("stack_agent_id", "agent"),
        UniqueConstraint("agency_id", "serial"),
        Index(
            "uq_letter_standing",
            "agency_id",
            "visit_id",
            "account_id",
            "person_id",
            "kind",
            unique=True,
            postgresql_where=text("superseded_at IS NULL"),
        ),
        Index("ix_letter_state", "agency_id", "state", "id"),
        Index(
            "ix_letter_stack",
            "agency_id",
            "stack_on",
            "stack_agent_id",
            "stack_stop",
            "id",
            postgresql_where=text("stack_on IS NOT NULL"),
        ),
        Index(
            "ix_letter_in_office",
            "agency_id",
            "id",
            postgresql_where=text("state IN ('returned', 'pulled') AND stack_on IS NULL"),
        ),
        Index(
            "ix_letter_to_post",
            "agency_id",
            "id",
            postgresql_where=text(
                "state IN ('wanted', 'issued', 'printed') AND stack_on IS NULL"
                " AND kind IN ('dispute_acknowledgement', 'payment_plan', 'promise_confirmation')"
            ),
        ),
        {"schema": SCHEMA},
    )

    visit_id: Mapped[UUID] = internal()
    account_id: Mapped[UUID] = internal()
    person_id: Mapped[UUID] = internal()
    kind: Mapped[str] = confidential()  # reminder | notification | final_warning ...
    language: Mapped[str] = internal()
    jurisdiction: Mapped[str] = internal()
    serial: Mapped[str] = confidential()  # random, carries no reference
    state: Mapped[str] = confidential()  # field_api.domain.letters.LetterState
    refusal: Mapped[str | None] = confidential()  # which required field is missing
    content: Mapped[Confidential[str]] = mapped_column(Sealed("letter.content", Label.CONFIDENTIAL))  # canonical JSON
    object_key: Mapped[str | None] = internal()
    content_sha256: Mapped[bytes | None] = confidential(LargeBinary)
    pdf_sha256: Mapped[bytes | None] = internal(LargeBinary)
    template_sha256: Mapped[bytes | None] = internal(LargeBinary)  # of a creditor's template; null: the house's own
    house_sha256: Mapped[bytes | None] = internal(LargeBinary)  # LetterHouse; null: issued before they were kept
    pages: Mapped[int | None] = confidential()
    issued_at: Mapped[datetime | None] = confidential()
    superseded_at: Mapped[datetime | None] = internal()  # another letter stands in its place; its paper is to be pulled
    # Whose stack of which day the paper lies in, behind which stop; null where it is in none (letter_custody.Place).
    stack_agent_id: Mapped[UUID | None] = internal()
    stack_on: Mapped[date | None] = internal()
    stack_stop: Mapped[int | None] = internal()


class LetterCustody(Tenant):
    """Who had a letter when: issued, printed, handed over to whom, returned, destroyed."""

    __tablename__ = "letter_custody"
    __table_args__ = (
        refers("letter_id", "letter"),
        Index("ix_letter_custody", "agency_id", "letter_id", "at"),
        {"schema": SCHEMA},
    )

    letter_id: Mapped[UUID] = internal()
    state: Mapped[str] = confidential()
    at: Mapped[datetime] = confidential()
    actor: Mapped[str] = internal()
    op_id: Mapped[UUID | None] = internal()
    recipient: Mapped[str | None] = confidential()  # a relation of the closed list; debtor or obligor
    extra: Mapped[dict[str, Any]] = confidential(JSONB, default=dict)
