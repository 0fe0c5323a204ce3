"""Tables between door and office. The door reaches them column by column (migration 0002) and opens none of it."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKeyConstraint,
    Index,
    LargeBinary,
    UniqueConstraint,
    Uuid,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped

from field_api.platform.database import Base
from field_api.platform.devices import MAILBOX
from field_api.platform.ids import new_id, new_opaque_id
from field_api.platform.labels import confidential, internal
from field_api.platform.tenancy import current_agency

MAX_CLAIMS = 5


def of_device() -> ForeignKeyConstraint:
    return ForeignKeyConstraint(
        ["agency_id", "device_id"], [f"{MAILBOX}.device.agency_id", f"{MAILBOX}.device.id"], ondelete="CASCADE"
    )


class OfDevice(Base):
    """A row of one agency and one of its devices."""

    __abstract__ = True

    # First in every key: pages of one device's rows lie together.
    agency_id: Mapped[UUID] = internal(primary_key=True, default=current_agency, sort_order=-2)
    device_id: Mapped[UUID] = internal(primary_key=True, sort_order=-1)


class Enrolment(Base):
    """What the door may know of an issued secret: its hash, and later the answer, which only the secret can check."""

    __tablename__ = "enrolment"
    __table_args__ = (UniqueConstraint("hash"), {"schema": MAILBOX})

    agency_id: Mapped[UUID] = internal(primary_key=True, default=current_agency)
    id: Mapped[UUID] = internal(primary_key=True, default=new_opaque_id)
    hash: Mapped[bytes] = internal(LargeBinary)
    expires_at: Mapped[datetime] = internal()
    answer: Mapped[bytes | None] = internal(LargeBinary)
    answer_mac: Mapped[bytes | None] = internal(LargeBinary)
    device_id: Mapped[UUID | None] = internal()


class EnrolmentClaim(Base):
    """What somebody sent for a hash. The office finds the one whose MAC proves the secret."""

    __tablename__ = "enrolment_claim"
    __table_args__ = (
        ForeignKeyConstraint(
            ["agency_id", "enrolment_id"],
            [f"{MAILBOX}.enrolment.agency_id", f"{MAILBOX}.enrolment.id"],
            ondelete="CASCADE",
        ),
        UniqueConstraint("agency_id", "enrolment_id", "sha256"),
        CheckConstraint(f"position BETWEEN 1 AND {MAX_CLAIMS}", name="few"),
        {"schema": MAILBOX},
    )

    agency_id: Mapped[UUID] = internal(primary_key=True, default=current_agency)
    enrolment_id: Mapped[UUID] = internal(primary_key=True)
    position: Mapped[int] = internal(primary_key=True)
    sha256: Mapped[bytes] = internal(LargeBinary)  # of request and MAC: the same bytes again are the same claim
    request: Mapped[bytes] = internal(LargeBinary)
    mac: Mapped[bytes] = internal(LargeBinary)
    received_at: Mapped[datetime] = internal()
    checked_at: Mapped[datetime | None] = internal()


class InboxOp(OfDevice):
    """An operation as it came, well signed; and what became of it. The same id never comes in twice."""

    __tablename__ = "inbox"
    __table_args__ = (
        of_device(),
        Index("ix_inbox_received", "agency_id", "device_id", "seq", postgresql_where=text("state = 'received'")),
        Index("ix_inbox_held", "agency_id", "device_id", postgresql_where=text("state = 'held'")),
        Index(
            "ix_inbox_without",
            "agency_id",
            "device_id",
            postgresql_where=text("state IN ('applied', 'late') AND waits_for <> '{}'"),
        ),
        Index("ix_inbox_seq", "agency_id", "device_id", "seq"),
        Index("ix_inbox_unlogged", "agency_id", "received_at", postgresql_where=text("NOT logged")),
        Index("ix_inbox_late", "agency_id", "device_id", "received_at", postgresql_where=text("state = 'late'")),
        Index("ix_inbox_quarantined", "agency_id", "received_at", postgresql_where=text("state = 'quarantined'")),
        {"schema": MAILBOX},
    )

    op_id: Mapped[UUID] = internal(primary_key=True)
    seq: Mapped[int] = internal(BigInteger)
    protected: Mapped[bytes] = internal(LargeBinary)
    ct: Mapped[bytes] = internal(LargeBinary)
    sig: Mapped[bytes] = internal(LargeBinary)
    link: Mapped[bytes] = internal(LargeBinary)
    receipt: Mapped[bytes] = internal(LargeBinary)
    receipt_sig: Mapped[bytes] = internal(LargeBinary)
    received_at: Mapped[datetime] = internal()
    state: Mapped[str] = internal(server_default="received")  # received applied late held quarantined
    reason: Mapped[str | None] = internal()
    incident: Mapped[str | None] = internal()  # of a crash, to be found in the log
    flags: Mapped[list[str]] = internal(JSONB, server_default=text("'[]'::jsonb"))
    waits_for: Mapped[list[UUID]] = internal(ARRAY(Uuid), server_default=text("'{}'::uuid[]"))
    decided_at: Mapped[datetime | None] = internal()
    released: Mapped[bool] = internal(server_default=text("false"))  # nobody waits for it, nor it for anybody
    closed_at: Mapped[datetime | None] = internal()  # quarantined: a person looked, and there is nothing to do
    logged: Mapped[bool] = internal(server_default=text("false"))


class QuarantinedBytes(OfDevice):
    """What a device sent that is no acceptable operation, or another one under a known id: kept as it came."""

    __tablename__ = "quarantine"
    __table_args__ = (
        of_device(),
        Index("ix_quarantine_unlogged", "agency_id", "received_at", postgresql_where=text("NOT logged")),
        {"schema": MAILBOX},
    )

    sha256: Mapped[bytes] = internal(LargeBinary, primary_key=True)  # of the JSON bytes as the door read them
    id: Mapped[UUID] = internal(default=new_id)  # for lists
    raw: Mapped[bytes] = internal(LargeBinary)
    status: Mapped[str] = internal()  # fork | quarantined
    reason: Mapped[str] = internal()
    op_id: Mapped[UUID | None] = internal()
    seq: Mapped[int | None] = internal(BigInteger)
    receipt: Mapped[bytes] = internal(LargeBinary)
    receipt_sig: Mapped[bytes] = internal(LargeBinary)
    received_at: Mapped[datetime] = internal()
    released: Mapped[bool] = internal(server_default=text("false"))  # nobody waits for the operation that it claims
    closed_at: Mapped[datetime | None] = internal()  # a person looked: mended, or nothing to do
    logged: Mapped[bool] = internal(server_default=text("false"))


class FeedHead(OfDevice):
    """The last item of a device's feed. Updated in the transaction that inserts items: no holes, commit order."""

    __tablename__ = "feed_head"
    __table_args__ = (of_device(), {"schema": MAILBOX})

    epoch: Mapped[int] = internal()
    seq: Mapped[int] = internal(BigInteger)
    roll: Mapped[bytes] = internal(LargeBinary)


class FeedItem(OfDevice):
    """A sealed, signed item. Nothing in here says what kind it is but its size."""

    __tablename__ = "feed_item"
    __table_args__ = (of_device(), {"schema": MAILBOX})

    epoch: Mapped[int] = internal(primary_key=True)
    seq: Mapped[int] = internal(BigInteger, primary_key=True)
    head: Mapped[bytes] = internal(LargeBinary)
    ct: Mapped[bytes] = internal(LargeBinary)
    sig: Mapped[bytes] = internal(LargeBinary)
    roll: Mapped[bytes] = internal(LargeBinary)  # after this item
    sheet_key: Mapped[str] = internal()


class SheetKey(OfDevice):
    """A device's key of one day, wrapped to the device and signed; `sealed` is the office's own copy, out of reach."""

    __tablename__ = "sheet_key"
    __table_args__ = (of_device(), UniqueConstraint("agency_id", "device_id", "day"), {"schema": MAILBOX})

    id: Mapped[str] = internal(primary_key=True)
    day: Mapped[date] = internal()
    statement: Mapped[bytes] = internal(LargeBinary)
    sig: Mapped[bytes] = internal(LargeBinary)
    sealed: Mapped[bytes] = confidential(LargeBinary)  # no grant for the door


class Snapshot(OfDevice):
    """A whole sheet at one point of the feed: immutable bytes."""

    __tablename__ = "snapshot"
    __table_args__ = (of_device(), {"schema": MAILBOX})

    epoch: Mapped[int] = internal(primary_key=True)
    seq: Mapped[int] = internal(BigInteger, primary_key=True)
    body: Mapped[bytes] = internal(LargeBinary)
    sha256: Mapped[bytes] = internal(LargeBinary)
    built_at: Mapped[datetime] = internal()


class SnapshotRequest(OfDevice):
    """The door asks the office for a snapshot."""

    __tablename__ = "snapshot_request"
    __table_args__ = (of_device(), {"schema": MAILBOX})

    requested_at: Mapped[datetime] = internal(server_default=func.now())


class Durable(OfDevice):
    """Up to which seq a device's operations survive the loss of the server, as the office states it."""

    __tablename__ = "durable"
    __table_args__ = (of_device(), {"schema": MAILBOX})

    durable_seq: Mapped[int] = internal(BigInteger)
    excepted: Mapped[list[int]] = internal(ARRAY(BigInteger), server_default=text("'{}'::bigint[]"))
    number: Mapped[int] = internal(BigInteger, server_default=text("0"))  # of the statement
    statement: Mapped[bytes] = internal(LargeBinary)
    sig: Mapped[bytes] = internal(LargeBinary)


class SheetDigest(OfDevice):
    """What a phone's sheet must be at the last item of its feed, as one signed hash."""

    __tablename__ = "sheet_digest"
    __table_args__ = (of_device(), {"schema": MAILBOX})

    statement: Mapped[bytes] = internal(LargeBinary)
    sig: Mapped[bytes] = internal(LargeBinary)


class WipeOrder(OfDevice):
    """The signed order that a revoked phone gets with every refusal."""

    __tablename__ = "wipe_order"
    __table_args__ = (of_device(), {"schema": MAILBOX})

    statement: Mapped[bytes] = internal(LargeBinary)
    sig: Mapped[bytes] = internal(LargeBinary)
    keys: Mapped[dict[str, Any]] = internal(JSONB, server_default=text("'{}'::jsonb"))  # its feed tells no more of them
    ordered_at: Mapped[datetime] = internal()


class DeviceContact(OfDevice):
    """When the door heard a phone last, and what the phone said of itself: evidence for a status page."""

    __tablename__ = "device_contact"
    __table_args__ = (of_device(), {"schema": MAILBOX})

    heard_at: Mapped[datetime] = internal()
    newest_seq: Mapped[int | None] = internal(BigInteger)  # of the operations that the phone has made
    newest_told_at: Mapped[datetime | None] = internal()
    clock_ahead_s: Mapped[int] = internal()  # the phone's clock less the door's, as that call came


class ReturningDevice(Base):
    """A certificate that a phone showed which nobody here knows: a restored server may lack its enrolment."""

    __tablename__ = "returning_device"
    __table_args__ = ({"schema": MAILBOX},)

    agency_id: Mapped[UUID] = internal(primary_key=True, default=current_agency)
    sha256: Mapped[bytes] = internal(LargeBinary, primary_key=True)  # of certificate and signature
    certificate: Mapped[bytes] = internal(LargeBinary)
    sig: Mapped[bytes] = internal(LargeBinary)
    received_at: Mapped[datetime] = internal()


class LogNode(Base):
    """Hashes of the Merkle tree at tile levels: level 0 are leaves, level L the roots of full subtrees of 256^L."""

    __tablename__ = "log_node"
    __table_args__ = ({"schema": MAILBOX},)

    agency_id: Mapped[UUID] = internal(primary_key=True, default=current_agency)
    level: Mapped[int] = internal(primary_key=True)
    position: Mapped[int] = internal(BigInteger, primary_key=True)
    hash: Mapped[bytes] = internal(LargeBinary)


class Checkpoint(Base):
    """A signed size and root of the log. The newest is served; all are kept."""

    __tablename__ = "checkpoint"
    __table_args__ = ({"schema": MAILBOX},)

    agency_id: Mapped[UUID] = internal(primary_key=True, default=current_agency)
    size: Mapped[int] = internal(BigInteger, primary_key=True)
    root: Mapped[bytes] = internal(LargeBinary)
    statement: Mapped[bytes] = internal(LargeBinary)
    sig: Mapped[bytes] = internal(LargeBinary)
