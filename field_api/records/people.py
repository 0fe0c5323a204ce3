"""People and companies, where they live, how to reach them, what they can prove to be themselves with."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import Index, LargeBinary, UniqueConstraint, func
from sqlalchemy.orm import Mapped, mapped_column

from field_api.domain.confidential import Confidential
from field_api.platform.columns import Sealed
from field_api.records.base import SCHEMA, Tenant, refers


class Person(Tenant):
    """A debtor, guarantor, payer or representative: one row per person and creditor key, whatever their accounts."""

    __tablename__ = "person"
    __table_args__ = (
        refers("creditor_id", "creditor"),
        UniqueConstraint("agency_id", "creditor_id", "external_ref"),
        Index("ix_person_name", "agency_id", "name"),
        {"schema": SCHEMA},
    )

    creditor_id: Mapped[UUID]
    external_ref: Mapped[str]  # the creditor's own key of the person; made from name and tax id where it has none
    name: Mapped[str]
    alias: Mapped[str | None]
    kind: Mapped[str] = mapped_column(default="person")  # person | company
    language: Mapped[str]
    is_minor: Mapped[bool] = mapped_column(default=False)
    version: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())


class VerificationAnswer(Tenant):
    """What the right person knows. Answers of one `independent_group` count as one (MX: tax id, CURP, birth date)."""

    __tablename__ = "verification_answer"
    __table_args__ = (
        refers("person_id", "person"),
        UniqueConstraint("agency_id", "person_id", "kind"),
        {"schema": SCHEMA},
    )

    person_id: Mapped[UUID]
    kind: Mapped[str]  # field_api.domain.identity.ANSWER_KINDS
    independent_group: Mapped[str]
    answer: Mapped[Confidential[str]] = mapped_column(Sealed("verification_answer.answer"))  # normalised
    stretched: Mapped[bytes | None] = mapped_column(LargeBinary)  # PBKDF2 result, sealed at rest; made once per party


class Address(Tenant):
    __tablename__ = "address"
    __table_args__ = (
        refers("person_id", "person"),
        UniqueConstraint("agency_id", "person_id", "fingerprint"),
        Index("ix_address_geocode", "agency_id", "geocode_state"),
        {"schema": SCHEMA},
    )

    person_id: Mapped[UUID]
    kind: Mapped[str] = mapped_column(default="home")  # home | work | other
    street: Mapped[str]
    number: Mapped[str | None]  # as written: "17-A", "S/N", "Mz 4 Lt 12"
    interior: Mapped[str | None]
    between_1: Mapped[str | None]
    between_2: Mapped[str | None]
    neighbourhood: Mapped[str | None]
    city: Mapped[str | None]
    municipality: Mapped[str | None]
    postcode: Mapped[str | None]
    state: Mapped[str | None]
    country: Mapped[str]  # ISO 3166-1 alpha-2
    hint: Mapped[str | None]  # "blue gate opposite the bakery"
    latitude: Mapped[float | None]
    longitude: Mapped[float | None]
    geocode_state: Mapped[str]  # given | geocoded | wanted | failed (the dispatcher's list)
    timezone: Mapped[str | None]  # IANA
    jurisdiction: Mapped[str]  # rules file
    visits_opted_out: Mapped[bool] = mapped_column(default=False)
    fingerprint: Mapped[bytes] = mapped_column(LargeBinary)  # of the normalised text: one row per place and person
    source: Mapped[str] = mapped_column(default="creditor")
    retired_at: Mapped[datetime | None]  # the creditor gave another address of this kind: nobody is sent here any more
    version: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())


class ContactPoint(Tenant):
    __tablename__ = "contact_point"
    __table_args__ = (
        refers("person_id", "person"),
        UniqueConstraint("agency_id", "person_id", "kind", "fingerprint"),
        {"schema": SCHEMA},
    )

    person_id: Mapped[UUID]
    kind: Mapped[str]  # phone | email
    value: Mapped[Confidential[str]] = mapped_column(Sealed("contact_point.value"))
    fingerprint: Mapped[bytes] = mapped_column(LargeBinary)
    source: Mapped[str]  # creditor | debtor | obligor | third_party | public
    usable: Mapped[bool] = mapped_column(default=True)
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())


class ContactCandidate(Tenant):
    """New contact data from a door, not yet accepted by a person in the office."""

    __tablename__ = "contact_candidate"
    __table_args__ = (
        refers("person_id", "person"),
        Index("ix_contact_candidate_state", "agency_id", "state", "recorded_at"),
        UniqueConstraint("agency_id", "op_id", "position"),
        {"schema": SCHEMA},
    )

    person_id: Mapped[UUID]
    visit_id: Mapped[UUID | None]
    op_id: Mapped[UUID]
    position: Mapped[int]  # which candidate of that operation
    kind: Mapped[str]  # phone | email | address | person
    value: Mapped[Confidential[str]] = mapped_column(Sealed("contact_candidate.value"))  # canonical JSON
    source: Mapped[str]  # who gave it: a relation of the closed list
    usable: Mapped[bool]  # MX: a number from a third party is do-not-use until confirmed
    flags: Mapped[str] = mapped_column(default="")  # "late", "invalid-phone", comma separated
    state: Mapped[str] = mapped_column(default="new")  # new | accepted | rejected
    recorded_at: Mapped[datetime]
    decided_at: Mapped[datetime | None]
    decided_by: Mapped[UUID | None]
