"""The agency (tenant) and its creditors."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import LargeBinary, UniqueConstraint, func
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, TEXT
from sqlalchemy.orm import Mapped

from field_api.platform.database import Base
from field_api.platform.ids import new_id
from field_api.platform.labels import confidential, internal, on_request
from field_api.records.base import SCHEMA, Tenant, refers


class Agency(Base):
    __tablename__ = "agency"
    __table_args__ = {"schema": SCHEMA}

    agency_id: Mapped[UUID] = internal(primary_key=True, default=new_id)
    name: Mapped[str] = on_request()
    address: Mapped[str] = on_request(default="")
    phone: Mapped[str] = on_request(default="")
    email: Mapped[str] = on_request(default="")
    policy: Mapped[dict[str, Any]] = internal(JSONB, default=dict)  # docs/operations.md
    created_at: Mapped[datetime] = internal(server_default=func.now())


class Creditor(Tenant):
    __tablename__ = "creditor"
    __table_args__ = (UniqueConstraint("agency_id", "name"), {"schema": SCHEMA})

    name: Mapped[str] = confidential()
    jurisdiction: Mapped[str] = internal()  # default rules file, e.g. MX, US-MD, LI; an address may say otherwise
    sector: Mapped[str] = confidential(default="commercial")  # financial | commercial
    currency: Mapped[str] = confidential()  # ISO 4217, default for its files
    threshold_minor: Mapped[int] = confidential(default=10_000)  # visited only above it: 100.00
    language: Mapped[str] = internal()  # BCP 47 default of its debtors
    address: Mapped[str] = confidential(default="")
    phone: Mapped[str] = confidential(default="")
    complaints_unit: Mapped[dict[str, Any]] = confidential(JSONB, default=dict)  # address, email, phone
    payment_ways: Mapped[list[str]] = confidential(JSONB, default=list)  # how to pay the creditor, never the agent
    column_map: Mapped[dict[str, Any]] = internal(JSONB, default=dict)  # docs/import.md
    strategy: Mapped[dict[str, Any]] = confidential(JSONB, default=dict)  # field_api.domain.strategy
    exclusions: Mapped[list[str]] = confidential(ARRAY(TEXT), default=list)  # references, customer numbers: no contact
    brand: Mapped[dict[str, Any]] = confidential(JSONB, default=dict)  # field_api.domain.letter_brand
    created_at: Mapped[datetime] = internal(server_default=func.now())


class BrandImage(Tenant):
    """A picture of a creditor's letters, a logo or a signature, sealed in the object store. It stays as long as letters
    may show it: a letter names it by its hash."""

    __tablename__ = "brand_image"
    __table_args__ = (
        refers("creditor_id", "creditor"),
        UniqueConstraint("agency_id", "creditor_id", "sha256"),
        {"schema": SCHEMA},
    )

    creditor_id: Mapped[UUID] = internal()
    sha256: Mapped[bytes] = internal(LargeBinary)
    form: Mapped[str] = internal()  # png | svg
    object_key: Mapped[str] = internal()
    length_bytes: Mapped[int] = internal()
    added_at: Mapped[datetime] = internal()
