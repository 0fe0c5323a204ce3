"""Take operations in, each for itself, in four statements whatever their number; then answer with signed receipts.

The same bytes again find their stored receipt. Other bytes under a known id never replace anything: both are kept.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from field_api.platform.anchors import utc_text
from field_api.platform.bounded_json import canonical
from field_api.platform.devices import Device
from field_api.platform.keyring import DoorKeys
from field_api.platform.sealing import b64u, sha256
from sync.door.op_form import Odd, WellSigned, read_op
from sync.mailbox import QuarantinedBytes

RECEIPT_CONTEXT = b"doorstep-receipt-v1"

# One statement text for any number of rows: a VALUES list of fifty is compiled anew at each call, which took longer
# than all signatures of the call. `b`: lists go to the server as they are, not as text with every byte in hexadecimal.
# The same notification many times in a transaction is sent once, when it commits.
_INSERT = """
    INSERT INTO mailbox.inbox (agency_id, device_id, op_id, seq, protected, ct, sig, link, receipt, receipt_sig,
                               received_at)
    SELECT %(agency)s::uuid, %(device)s::uuid, op.*, %(now)s::timestamptz
    FROM unnest(%(ids)b::uuid[], %(seqs)b::bigint[], %(protected)b::bytea[], %(cts)b::bytea[], %(sigs)b::bytea[],
                %(links)b::bytea[], %(receipts)b::bytea[], %(receipt_sigs)b::bytea[]) AS op
    ON CONFLICT DO NOTHING
    RETURNING op_id, pg_notify('doorstep_inbox', '')
    """
_STORED = """
    SELECT op_id, link, receipt, receipt_sig FROM mailbox.inbox
    WHERE agency_id = %(agency)s AND device_id = %(device)s AND op_id = ANY(%(ids)b::uuid[])
    """


class Receipt(NamedTuple):
    body: bytes
    signature: bytes

    def wire(self) -> dict[str, str]:
        return {"receipt": b64u(self.body), "sig": b64u(self.signature)}


@dataclass(frozen=True)
class Receiver:
    """Receives for one device. `keys` sign the receipts."""

    session: Session
    keys: DoorKeys
    device: Device
    now: datetime

    def receive(self, elements: Sequence[tuple[bytes, Any]]) -> list[Receipt]:
        """Keep every element (its bytes, what was read in them); one receipt each, in order.

        The caller commits before it answers.
        """
        read = [read_op(raw, self.device, value) for raw, value in elements]
        stored = self._keep([op for op in read if isinstance(op, WellSigned)])
        settled: list[Odd | Receipt] = [
            op if isinstance(op, Odd) else stored[op.op_id][1] if stored[op.op_id][0] == op.link else _fork(op)
            for op in read
        ]
        kept = self._quarantine([item for item in settled if isinstance(item, Odd)])
        if kept:
            self.session.execute(text("NOTIFY doorstep_inbox"))
        return [kept[sha256(item.raw)] if isinstance(item, Odd) else item for item in settled]

    def _keep(self, ops: list[WellSigned]) -> dict[UUID, tuple[bytes, Receipt]]:
        """Insert those whose id is new; for each id what is stored: link and receipt."""
        if not ops:
            return {}
        first = {op.op_id: op for op in reversed(ops)}  # of one id the first of the call: others are compared with it
        # In order of id, so that two pushes of the same queue wait for each other instead of locking crosswise.
        in_order = [first[op_id] for op_id in sorted(first)]
        signed = {op.op_id: (op.link, self._sign("received", op.link, op.op_id, op.seq)) for op in in_order}
        whose = {"agency": self.device.agency_id, "device": self.device.id}
        columns = {
            "ids": list(signed), "seqs": [op.seq for op in in_order],
            "protected": [op.protected for op in in_order], "cts": [op.ct for op in in_order],
            "sigs": [op.sig for op in in_order], "links": [op.link for op in in_order],
            "receipts": [receipt.body for _, receipt in signed.values()],
            "receipt_sigs": [receipt.signature for _, receipt in signed.values()],
        }  # fmt: skip
        connection = self.session.connection()
        new = set(connection.exec_driver_sql(_INSERT, whose | columns | {"now": self.now}).scalars())
        known = [op_id for op_id in signed if op_id not in new]
        if known:
            found = connection.exec_driver_sql(_STORED, whose | {"ids": known})
            signed |= {row.op_id: (row.link, Receipt(row.receipt, row.receipt_sig)) for row in found}
        return signed

    def _quarantine(self, odd: list[Odd]) -> dict[bytes, Receipt]:
        """Keep odd bytes under their hash; for each hash the receipt that is stored."""
        if not odd:
            return {}
        rows = {sha256(item.raw): self._odd_row(item) for item in odd}
        in_order = [rows[key] for key in sorted(rows)]
        self.session.execute(insert(QuarantinedBytes).values(in_order).on_conflict_do_nothing())
        table = QuarantinedBytes
        found = self.session.execute(
            select(table.sha256, table.receipt, table.receipt_sig).where(
                table.agency_id == self.device.agency_id, table.device_id == self.device.id, table.sha256.in_(rows)
            )
        )
        return {row.sha256: Receipt(row.receipt, row.receipt_sig) for row in found}

    def _odd_row(self, odd: Odd) -> dict[str, Any]:
        receipt = self._sign(odd.status, odd.link, odd.op_id, odd.seq)
        return {
            "agency_id": self.device.agency_id, "device_id": self.device.id, "sha256": sha256(odd.raw), "raw": odd.raw,
            "status": odd.status, "reason": odd.reason, "op_id": odd.op_id, "seq": odd.seq,
            "receipt": receipt.body, "receipt_sig": receipt.signature, "received_at": self.now,
        }  # fmt: skip

    def _sign(self, status: str, link: bytes, op_id: UUID | None, seq: int | None) -> Receipt:
        op = str(op_id) if op_id else None
        body = canonical({**self._claims, "op": op, "seq": seq, "link": b64u(link), "status": status})
        return Receipt(body, self.keys.sign(RECEIPT_CONTEXT, body))

    @cached_property
    def _claims(self) -> dict[str, Any]:
        """What all receipts of a call have in common."""
        agency, device = str(self.device.agency_id), str(self.device.id)
        return {"v": 1, "agency": agency, "device": device, "at": utc_text(self.now)}


def _fork(op: WellSigned) -> Odd:
    return Odd(op.raw, "fork", op.link, op.op_id, op.seq, status="fork")
