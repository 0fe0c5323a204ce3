"""Uploads of sealed photographs, in the schema that the phone door can reach."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKeyConstraint, Index, LargeBinary, UniqueConstraint, text
from sqlalchemy.orm import Mapped

from field_api.platform.database import Base
from field_api.platform.devices import MAILBOX
from field_api.platform.labels import internal
from field_api.platform.tenancy import current_agency

RECEIVING = "receiving"
COMPLETE = "complete"  # all bytes are here and hash to what was declared
QUARANTINED = "quarantined"  # all bytes are here and hash to something else: kept for a person
STRAY = "stray"  # an operation of this id declares other bytes or comes from somebody else: kept, not used
FORGOTTEN = "forgotten"  # terminated, expired or lost while incomplete; may be created again from nothing
DESTROYED = "destroyed"  # the office destroyed its key: never again

WAITING_STATES = (RECEIVING, COMPLETE, QUARANTINED, STRAY)
"""What counts for a device's quota until the office has taken it."""


UNTAKEN = "taken_at IS NULL AND state IN ('complete', 'quarantined')"
NOT_TAKEN = "taken_at IS NULL AND state IN ('complete', 'quarantined', 'stray')"
"""Strays as well: whole, and waiting for what never came."""


class Upload(Base):
    """One sealed photograph on its way in. The door knows its size, hash and times, and nothing of the picture."""

    __tablename__ = "upload"
    __table_args__ = (
        ForeignKeyConstraint(["agency_id", "device_id"], [f"{MAILBOX}.device.agency_id", f"{MAILBOX}.device.id"]),
        UniqueConstraint("agency_id", "device_id", "sha256"),
        Index("ix_upload_whole", "agency_id", "photo_id", postgresql_where=text(UNTAKEN)),
        Index("ix_upload_receiving", "agency_id", "expires_at", postgresql_where=text("state = 'receiving'")),
        Index("ix_upload_untaken", "agency_id", "expires_at", postgresql_where=text(NOT_TAKEN)),
        {"schema": MAILBOX},
    )

    agency_id: Mapped[UUID] = internal(primary_key=True, default=current_agency)
    id: Mapped[UUID] = internal(primary_key=True)  # follows from agency, device and sha256: see media.uploads
    device_id: Mapped[UUID] = internal()
    photo_id: Mapped[UUID] = internal()  # the id of the operation that declares it
    sha256: Mapped[bytes] = internal(LargeBinary)  # of the sealed bytes
    sealing_key_id: Mapped[str] = internal()  # the agency key that opens the wrapped key
    wrap_sha256: Mapped[bytes] = internal(LargeBinary)  # to tell a repeated creation from another one
    length_bytes: Mapped[int] = internal()
    received_bytes: Mapped[int] = internal(default=0)
    fence: Mapped[int] = internal(default=0)  # grows with each request; an older one may write no more
    told_at: Mapped[datetime | None] = internal()  # when the offset was; a PATCH signed before is old
    state: Mapped[str] = internal(default=RECEIVING)
    created_at: Mapped[datetime] = internal()
    expires_at: Mapped[datetime] = internal()  # receiving: forgotten then; whole and not taken: looked at then
    completed_at: Mapped[datetime | None] = internal()
    taken_at: Mapped[datetime | None] = internal()  # an operation declares it: the office has a photo row
