"""What letters are laid out by: creditors' own templates, and the house's as they were when they were used."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import LargeBinary, UniqueConstraint
from sqlalchemy.dialects.postgresql import ARRAY, TEXT
from sqlalchemy.orm import Mapped

from field_api.platform.labels import confidential, internal
from field_api.records.base import SCHEMA, Tenant, refers


class LetterTemplate(Tenant):
    """A version of a creditor's template. The database refuses to change what it is: source, hash, number, whose, for
    which letters; only its state moves."""

    __tablename__ = "letter_template"
    __table_args__ = (
        refers("creditor_id", "creditor"),
        UniqueConstraint("agency_id", "creditor_id", "version"),
        {"schema": SCHEMA},
    )

    creditor_id: Mapped[UUID] = internal()
    version: Mapped[int] = internal()  # from 1, of this creditor
    kinds: Mapped[list[str]] = internal(ARRAY(TEXT))  # field_api.domain.letters.LetterKind; empty: all
    languages: Mapped[list[str]] = internal(ARRAY(TEXT))  # of the addressee's, "es"; empty: all
    sha256: Mapped[bytes] = internal(LargeBinary)
    source: Mapped[str] = confidential()
    state: Mapped[str] = internal()  # field_api.domain.letter_templates.TemplateState
    created_at: Mapped[datetime] = internal()
    created_by: Mapped[str] = internal()  # "staff:<id>", "system"
    state_at: Mapped[datetime] = internal()
    state_by: Mapped[str] = internal()


class LetterHouse(Tenant):
    """The house's templates at a time, sealed in the object store: letters that they laid out can be made again."""

    __tablename__ = "letter_house"
    __table_args__ = (UniqueConstraint("agency_id", "sha256"), {"schema": SCHEMA})

    sha256: Mapped[bytes] = internal(LargeBinary)
    typst_version: Mapped[str] = internal()
    object_key: Mapped[str] = internal()
    first_used_at: Mapped[datetime] = internal()
