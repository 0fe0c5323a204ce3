"""People and companies, where they live, how to reach them, what they can prove to be themselves with."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import Index, LargeBinary, UniqueConstraint, func
from sqlalchemy.dialects.postgresql import ARRAY, TEXT
from sqlalchemy.orm import Mapped, mapped_column

from field_api.domain.confidential import Confidential
from field_api.platform.columns import Sealed
from field_api.platform.labels import confidential, internal, open_, personal, place
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

    creditor_id: Mapped[UUID] = internal()
    external_ref: Mapped[str] = confidential()  # the creditor's key of the person, or made of name and tax id
    name: Mapped[str] = open_()
    alias: Mapped[str | None] = open_()
    kind: Mapped[str] = open_(default="person")  # person | company
    language: Mapped[str] = internal()
    is_minor: Mapped[bool] = personal(default=False)
    version: Mapped[int] = internal(default=1)
    created_at: Mapped[datetime] = internal(server_default=func.now())


class VerificationAnswer(Tenant):
    """What the right person knows. Answers of one `independent_group` count as one (MX: tax id, CURP, birth date)."""

    __tablename__ = "verification_answer"
    __table_args__ = (
        refers("person_id", "person"),
        UniqueConstraint("agency_id", "person_id", "kind"),
        {"schema": SCHEMA},
    )

    person_id: Mapped[UUID] = internal()
    kind: Mapped[str] = internal()  # field_api.domain.identity.ANSWER_KINDS
    independent_group: Mapped[str] = internal()
    answer: Mapped[Confidential[str]] = mapped_column(Sealed("verification_answer.answer"))  # normalised
    stretched: Mapped[bytes | None] = personal(LargeBinary)  # PBKDF2 result, sealed at rest; made once per party


class Address(Tenant):
    __tablename__ = "address"
    __table_args__ = (
        refers("person_id", "person"),
        UniqueConstraint("agency_id", "person_id", "fingerprint"),
        Index("ix_address_geocode", "agency_id", "geocode_state"),
        {"schema": SCHEMA},
    )

    person_id: Mapped[UUID] = internal()
    kind: Mapped[str] = place(default="home")  # home | work | other
    street: Mapped[str] = place()
    number: Mapped[str | None] = place()  # as written: "17-A", "S/N", "Mz 4 Lt 12"
    interior: Mapped[str | None] = place()
    between_1: Mapped[str | None] = place()
    between_2: Mapped[str | None] = place()
    neighbourhood: Mapped[str | None] = place()
    city: Mapped[str | None] = place()
    municipality: Mapped[str | None] = place()
    postcode: Mapped[str | None] = place()
    state: Mapped[str | None] = place()
    country: Mapped[str] = place()  # ISO 3166-1 alpha-2
    hint: Mapped[str | None] = place()  # "blue gate opposite the bakery"
    latitude: Mapped[float | None] = place()
    longitude: Mapped[float | None] = place()
    geocode_state: Mapped[str] = internal()  # given | geocoded | wanted | failed (the dispatcher's list)
    place_quality: Mapped[str | None] = internal()  # domain.placing.PlaceQuality; None: as the creditor gave it
    place_source: Mapped[str | None] = internal()  # who knows it: domain.findings.Source, or a geocoder
    timezone: Mapped[str | None] = place()  # IANA
    jurisdiction: Mapped[str] = internal()  # rules file
    visits_opted_out: Mapped[bool] = internal(default=False)
    known_times: Mapped[list[str]] = personal(ARRAY(TEXT), default=list)  # field_api.domain.known_times; empty: any
    needed_skills: Mapped[list[str]] = personal(ARRAY(TEXT), default=list)  # of whoever is sent there
    fingerprint: Mapped[bytes] = internal(LargeBinary)  # of the normalised text: one row per place and person
    source: Mapped[str] = internal(default="creditor")
    retired_at: Mapped[datetime | None] = internal()  # another of this kind came: nobody is sent here any more
    version: Mapped[int] = internal(default=1)
    created_at: Mapped[datetime] = internal(server_default=func.now())


class ContactPoint(Tenant):
    __tablename__ = "contact_point"
    __table_args__ = (
        refers("person_id", "person"),
        UniqueConstraint("agency_id", "person_id", "kind", "fingerprint"),
        {"schema": SCHEMA},
    )

    person_id: Mapped[UUID] = internal()
    kind: Mapped[str] = personal()  # phone | email
    value: Mapped[Confidential[str]] = mapped_column(Sealed("contact_point.value"))
    fingerprint: Mapped[bytes] = internal(LargeBinary)
    source: Mapped[str] = personal()  # creditor | debtor | obligor | third_party | public
    usable: Mapped[bool] = internal(default=True)
    created_at: Mapped[datetime] = internal(server_default=func.now())


class ContactCandidate(Tenant):
    """New contact data from a door, not yet accepted by a person in the office."""

    __tablename__ = "contact_candidate"
    __table_args__ = (
        refers("person_id", "person"),
        Index("ix_contact_candidate_state", "agency_id", "state", "recorded_at"),
        UniqueConstraint("agency_id", "op_id", "position"),
        {"schema": SCHEMA},
    )

    person_id: Mapped[UUID] = internal()
    visit_id: Mapped[UUID | None] = internal()
    op_id: Mapped[UUID] = internal()
    position: Mapped[int] = internal()  # which candidate of that operation
    kind: Mapped[str] = personal()  # phone | email | address | person
    value: Mapped[Confidential[str]] = mapped_column(Sealed("contact_candidate.value"))  # canonical JSON
    source: Mapped[str] = personal()  # who gave it: a relation of the closed list
    usable: Mapped[bool] = internal()  # MX: a number from a third party is do-not-use until confirmed
    flags: Mapped[str] = internal(default="")  # "late", "invalid-phone", comma separated
    state: Mapped[str] = internal(default="new")  # new | accepted | rejected
    recorded_at: Mapped[datetime] = internal()
    decided_at: Mapped[datetime | None] = internal()
    decided_by: Mapped[UUID | None] = internal()
