"""What is left of an erased row of the mailbox: its place, so that its phone cannot fill it once more.

Without it the number would be a gap, behind which nothing is ever durable again, and a phone that has not yet read
that it may delete would send the same bytes as something new. What stays is what a receipt says: ids, number, times and
the hash of the sealed bytes; of what the door could not read as an operation, the hash that names its leaf.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from field_api.platform.clock import utc_text
from field_api.platform.devices import Device
from field_api.platform.sealing import b64u, from_b64u
from field_api.platform.tenancy import current_agency
from sync.mailbox import InboxOp, QuarantinedBytes

ERASED = "erased"  # a state of the inbox, and a status of what is kept beside it


def is_of_the_mailbox(ref: str) -> bool:
    return ref.partition("/")[0] in ("inbox", "quarantine")


def row_of(session: Session, ref: str) -> InboxOp | QuarantinedBytes | None:
    """The row that a reference of the log names, locked; None for a row of the office's, or one that is not there."""
    table, *keys = ref.split("/")
    if table == "inbox":
        return session.get(InboxOp, (current_agency(), UUID(keys[0]), UUID(keys[1])), with_for_update=True)
    if table == "quarantine":
        named = (current_agency(), UUID(keys[0]), from_b64u(keys[1]))
        return session.get(QuarantinedBytes, named, with_for_update=True)
    return None


def is_emptied(row: InboxOp | QuarantinedBytes) -> bool:
    return (row.state if isinstance(row, InboxOp) else row.status) == ERASED


def empty(session: Session, row: InboxOp | QuarantinedBytes, now: datetime) -> None:
    """Forget what was in it. Nobody waits for it, the log does not enter it again, and no list shows it."""
    if isinstance(row, InboxOp):
        row.protected, row.ct, row.sig, row.state = b"", b"", b"", ERASED
        row.reason, row.incident, row.flags, row.waits_for = None, None, [], []
    else:
        row.raw, row.status = b"", ERASED
    row.released, row.closed_at, row.logged = True, now, True
    session.flush()


def place_of_row(row: InboxOp | QuarantinedBytes | None) -> dict[str, Any]:
    """What the restore journal keeps of an operation's place, for a backup from before it came."""
    if not isinstance(row, InboxOp):
        return {}
    return {
        "seq": row.seq, "link": b64u(row.link), "receipt": b64u(row.receipt), "receipt_sig": b64u(row.receipt_sig),
        "received_at": utc_text(row.received_at),
    }  # fmt: skip


def bar(session: Session, ref: str, place: Mapping[str, Any], now: datetime) -> bool:
    """Keep the place of an operation that is not there, before its phone sends it again. False: no phone would."""
    table, *keys = ref.split("/")
    if table != "inbox" or "seq" not in place:
        return False
    device_id, op_id = UUID(keys[0]), UUID(keys[1])
    if session.scalar(select(Device.id).where(Device.agency_id == current_agency(), Device.id == device_id)) is None:
        return False
    link, receipt, signature = (from_b64u(place[name]) for name in ("link", "receipt", "receipt_sig"))
    row = InboxOp(
        device_id=device_id, op_id=op_id, seq=int(place["seq"]), protected=b"", ct=b"", sig=b"", link=link,
        receipt=receipt, receipt_sig=signature, received_at=datetime.fromisoformat(place["received_at"]),
    )  # fmt: skip
    session.add(row)
    empty(session, row, now)
    return True
