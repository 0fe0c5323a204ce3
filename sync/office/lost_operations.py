"""Operations that a phone sent and deleted, and that this server lost with its disk.

Where what is committed counts as durable (`{"durability": "commit"}`), a server that was restored from a backup lacks
what came after it and left the phones. Nothing later would ever be durable behind that gap, and nobody would know of
it. So the phone says in a `session`, sealed and signed, what is the oldest that it still has: the numbers below that
are here nowhere get a place each, which a person sees, and can fill by hand or dismiss.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import insert, text
from sqlalchemy.orm import Session

from field_api.domain.operations import RecordedOperation
from field_api.platform.devices import Device
from field_api.platform.sealing import sha256
from field_api.usecases.note_decision import note_decision
from sync.mailbox import QuarantinedBytes

LOST, REASON = "lost", "lost-with-the-server"
FLAG = "operations-lost"
MOST_LOOKED_AT = 10_000  # numbers behind what is durable, a month's work: a phone that says more is not believed

_MISSING = text(
    """
    SELECT n FROM generate_series(:last - :most + 1, :last) AS n
    WHERE n > coalesce((SELECT durable_seq FROM mailbox.durable WHERE agency_id = :agency AND device_id = :device), 0)
      AND NOT EXISTS (SELECT FROM mailbox.inbox i
                      WHERE i.agency_id = :agency AND i.device_id = :device AND i.seq = n)
      AND NOT EXISTS (SELECT FROM mailbox.quarantine q
                      WHERE q.agency_id = :agency AND q.device_id = :device AND q.seq = n
                        AND q.reason <> 'wrong-device')
    ORDER BY n
    """
)


def note_lost(session: Session, device: Device, operation: RecordedOperation, now: datetime) -> tuple[str, ...]:
    """Give each number that nobody has any more its place. Returns the flags of the `session` that told it.

    The phone's word about its own operations is all that this needs: whoever holds its key could as well not send them.
    """
    oldest = operation.body.get("oldest_seq")
    if oldest is None:
        return ()
    last = min(int(oldest), operation.seq) - 1
    of = {"agency": device.agency_id, "device": device.id, "last": last, "most": MOST_LOOKED_AT}
    missing = [seq for seq in session.scalars(_MISSING, of) if seq > 0]
    if not missing:
        return ()
    session.execute(insert(QuarantinedBytes), [_place(device, seq, now) for seq in missing])
    detail = {"device": str(device.id), "first": missing[0], "last": missing[-1], "count": len(missing)}
    note_decision(session, now, FLAG, detail)
    return (FLAG,)


def _place(device: Device, seq: int, now: datetime) -> dict[str, Any]:
    """Bytes that never came, under a name of their own. The log has no leaf of them but the decision's."""
    name = sha256(b"doorstep-lost-v1" + seq.to_bytes(8, "big"))
    return {
        "agency_id": device.agency_id, "device_id": device.id, "sha256": name, "raw": b"", "status": LOST,
        "reason": REASON, "seq": seq, "receipt": b"", "receipt_sig": b"", "received_at": now, "logged": True,
    }  # fmt: skip
