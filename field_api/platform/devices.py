"""Enrolled phones: one row per installation, in the schema that the phone door can reach."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import Index, LargeBinary
from sqlalchemy.orm import Mapped

from field_api.platform.database import Base
from field_api.platform.ids import new_opaque_id
from field_api.platform.labels import internal
from field_api.platform.tenancy import current_agency

MAILBOX = "mailbox"


class Device(Base):
    """Keys are 65-byte P-256 points. A device is never migrated: a new installation is a new device."""

    __tablename__ = "device"
    __table_args__ = (Index("ix_device_agent", "agency_id", "agent_id"), {"schema": MAILBOX})

    agency_id: Mapped[UUID] = internal(primary_key=True, default=current_agency)
    id: Mapped[UUID] = internal(primary_key=True, default=new_opaque_id)
    agent_id: Mapped[UUID] = internal()  # opaque to the door
    state: Mapped[str] = internal(default="pending")  # pending | active | revoked
    epoch: Mapped[int] = internal(default=1)  # grows when the server was restored: the phone resyncs
    signing_public: Mapped[bytes] = internal(LargeBinary)
    sealing_public: Mapped[bytes] = internal(LargeBinary)
    enrolled_at: Mapped[datetime] = internal()
    revoked_at: Mapped[datetime | None] = internal()
