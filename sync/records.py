"""Tables of sync: those of the office's own are declared here, those that the door reaches in sync.mailbox."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, Index, LargeBinary, text
from sqlalchemy.orm import Mapped, mapped_column

from field_api.domain.confidential import Confidential
from field_api.domain.disclosure import Label
from field_api.platform.columns import Sealed
from field_api.platform.labels import confidential, internal
from field_api.records.base import SCHEMA, Tenant, refers
from sync import mailbox

__all__ = ["ApplyTurn", "EnrolmentSecret", "OnSheet", "QuarantineDecision", "mailbox"]


class EnrolmentSecret(Tenant):
    """The secret behind an enrolment (same id), sealed at rest, until it is used or expires."""

    __tablename__ = "enrolment_secret"
    __table_args__ = (
        refers("agent_id", "agent"),
        Index("ix_enrolment_secret_open", "agency_id", "expires_at", postgresql_where=text("sealed IS NOT NULL")),
        {"schema": SCHEMA},
    )

    agent_id: Mapped[UUID] = internal()
    sealed: Mapped[bytes | None] = confidential(LargeBinary)  # forgotten once used or expired
    issued_at: Mapped[datetime] = internal()
    issued_by: Mapped[UUID | None] = internal()
    expires_at: Mapped[datetime] = internal()


class ApplyTurn(mailbox.OfDevice):
    """A worker has this device's operations in hand. The row outlives the worker that died on one of them.

    `op_id` is the operation that is being tried alone, `tries` how often that was begun, this time included, while the
    database's server ran since `server_started_at`: its own end is not held against the operation.
    """

    __tablename__ = "apply_turn"
    __table_args__ = (mailbox.of_device(), {"schema": SCHEMA})

    op_id: Mapped[UUID | None] = internal()
    tries: Mapped[int] = internal(server_default=text("0"))
    trouble: Mapped[str | None] = internal()  # as the worker saw it, where it lived to say so
    server_started_at: Mapped[datetime] = internal()
    retry_at: Mapped[datetime | None] = internal()


class OnSheet(mailbox.OfDevice):
    """What lies on a phone's sheet, as its feed or its snapshot told it last: written by the publisher alone.

    `version` is the number of the feed that carried it. Rows of an epoch before the device's own count no more.
    """

    __tablename__ = "on_sheet"
    __table_args__ = (mailbox.of_device(), {"schema": SCHEMA})

    kind: Mapped[str] = internal(primary_key=True)
    ref: Mapped[UUID] = internal(primary_key=True)
    epoch: Mapped[int] = internal()
    version: Mapped[int] = internal(BigInteger)


class QuarantineDecision(Tenant):
    """What a person decided about an operation that was kept without effect, or about bytes that are none."""

    __tablename__ = "quarantine_decision"
    __table_args__ = (
        Index("ix_quarantine_decision", "agency_id", "device_id", "op_id"),
        Index("ix_quarantine_decision_bytes", "agency_id", "bytes_id"),
        CheckConstraint("(op_id IS NULL) <> (bytes_id IS NULL)", name="of_one"),
        {"schema": SCHEMA},
    )

    device_id: Mapped[UUID] = internal()
    op_id: Mapped[UUID | None] = internal()
    bytes_id: Mapped[UUID | None] = internal()
    action: Mapped[str] = internal()  # retry | mend | release | dismiss
    reason: Mapped[Confidential[str]] = mapped_column(Sealed("quarantine_decision.reason", Label.CONFIDENTIAL))
    decided_by: Mapped[UUID | None] = internal()
    decided_at: Mapped[datetime] = internal()
    mended_as: Mapped[UUID | None] = internal()  # the operation under which the correction took effect
