"""What phones must learn: rows written in the transaction of the change itself; sync turns them into sealed items."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, Identity, Index, func, text
from sqlalchemy.orm import Mapped

from field_api.platform.database import Base
from field_api.platform.labels import internal
from field_api.platform.tenancy import current_agency
from field_api.records.base import SCHEMA


class Change(Base):
    """(agent, kind, ref): the publisher loads the entity's present state, and notes here why it cannot seal it."""

    __tablename__ = "change"
    __table_args__ = (Index("ix_change_agent", "agency_id", "agent_id", "id"), {"schema": SCHEMA})

    agency_id: Mapped[UUID] = internal(primary_key=True, default=current_agency)
    id: Mapped[int] = internal(BigInteger, Identity(always=True), primary_key=True)
    agent_id: Mapped[UUID] = internal()
    kind: Mapped[str] = internal()  # field_api.domain.vocabulary.ChangeKind
    ref: Mapped[UUID] = internal()
    urgent: Mapped[bool] = internal(default=False)  # withdrawals
    created_at: Mapped[datetime] = internal(server_default=func.now())
    tries: Mapped[int] = internal(default=0, server_default=text("0"))  # that failed
    retry_at: Mapped[datetime | None] = internal()  # not before; at once where there is none
    trouble: Mapped[str | None] = internal()  # of the last try: kind of error and place in the code or of the key
