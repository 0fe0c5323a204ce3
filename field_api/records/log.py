"""Entries of the tamper-evident log (docs/protocol.md §11): whoever decides puts one in, the office numbers them."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Identity, Index, LargeBinary, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped

from field_api.platform.database import Base
from field_api.platform.labels import confidential, internal
from field_api.platform.tenancy import current_agency
from field_api.records.base import SCHEMA


class LogEntry(Base):
    """What stands behind a leaf of the log: which row, and salt. `number` is null until the sequencer gives it one."""

    __tablename__ = "log_entry"
    __table_args__ = (
        UniqueConstraint("agency_id", "number"),
        Index("ix_log_entry_waiting", "agency_id", "id", postgresql_where=text("number IS NULL")),
        {"schema": SCHEMA},
    )

    agency_id: Mapped[UUID] = internal(primary_key=True, default=current_agency)
    id: Mapped[int] = internal(BigInteger, Identity(always=True), primary_key=True)
    kind: Mapped[str] = internal()  # op | receipt | decision | photo | erasure
    at: Mapped[datetime] = internal()
    ref: Mapped[str] = internal()  # which row: "inbox/DEVICE/OP", "visit_event/ID"; the leaf names it
    payload_sha256: Mapped[bytes | None] = internal(LargeBinary)  # null: the sequencer fills it from `ref`
    detail: Mapped[dict[str, Any]] = internal(JSONB, server_default=text("'{}'::jsonb"))  # a decision's payload
    salt: Mapped[bytes | None] = confidential(LargeBinary)
    leaf: Mapped[bytes | None] = internal(LargeBinary)  # the leaf's data, as hashed
    number: Mapped[int | None] = internal(BigInteger)
