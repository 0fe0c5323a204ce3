"""Take operations in, each for itself, in four statements whatever their number; then answer with signed receipts.

The same bytes again find their stored receipt. Other bytes under a known id never replace anything: both are kept.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
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
# than all signatures of the call.
_INSERT = text(
    """
    INSERT INTO mailbox.inbox (agency_id, device_id, op_id, seq, protected, ct, sig, link, receipt, receipt_sig,
                               received_at)
    SELECT :agency, :device, op.*, :now
    FROM unnest(CAST(:ids AS uuid[]), CAST(:seqs AS bigint[]), CAST(:protected AS bytea[]), CAST(:cts AS bytea[]),
                CAST(:sigs AS bytea[]), CAST(:links AS bytea[]), CAST(:receipts AS bytea[]),
                CAST(:receipt_sigs AS bytea[])) AS op
    ON CONFLICT DO NOTHING
    """
)
_STORED = text(
    """
    SELECT op_id, link, receipt, receipt_sig FROM mailbox.inbox
    WHERE agency_id = :agency AND device_id = :device AND op_id = ANY(CAST(:ids AS uuid[]))
    """
)


@dataclass(frozen=True)
class Receipt:
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

    def receive(self, elements: Sequence[bytes]) -> list[Receipt]:
        """Keep every element; one receipt each, in order. The caller commits before it answers."""
        read = [read_op(raw, self.device) for raw in elements]
        stored = self._keep([op for op in read if isinstance(op, WellSigned)])
        settled: list[Odd | Receipt] = [
            op if isinstance(op, Odd) else stored[op.op_id][1] if stored[op.op_id][0] == op.link else _fork(op)
            for op in read
        ]
        kept = self._quarantine([item for item in settled if isinstance(item, Odd)])
        if stored or kept:
            self.session.execute(text("NOTIFY doorstep_inbox"))
        return [kept[sha256(item.raw)] if isinstance(item, Odd) else item for item in settled]

    def _keep(self, ops: list[WellSigned]) -> dict[UUID, tuple[bytes, Receipt]]:
        """Insert those whose id is new; for each id what is stored: link and receipt."""
        if not ops:
            return {}
        # In order of id, so that two pushes of the same queue wait for each other instead of locking crosswise.
        in_order = sorted(ops, key=lambda op: op.op_id)
        receipts = [self._sign("received", op.link, op.op_id, op.seq) for op in in_order]
        whose = {"agency": self.device.agency_id, "device": self.device.id}
        columns = {
            "ids": [op.op_id for op in in_order], "seqs": [op.seq for op in in_order],
            "protected": [op.protected for op in in_order], "cts": [op.ct for op in in_order],
            "sigs": [op.sig for op in in_order], "links": [op.link for op in in_order],
            "receipts": [receipt.body for receipt in receipts],
            "receipt_sigs": [receipt.signature for receipt in receipts],
        }  # fmt: skip
        self.session.execute(_INSERT, whose | columns | {"now": self.now})
        found = self.session.execute(_STORED, whose | {"ids": columns["ids"]})
        return {row.op_id: (row.link, Receipt(row.receipt, row.receipt_sig)) for row in found}

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
        body = canonical(
            {
                "v": 1, "agency": str(self.device.agency_id), "device": str(self.device.id),
                "op": str(op_id) if op_id else None, "seq": seq, "link": b64u(link), "status": status,
                "at": utc_text(self.now),
            }
        )  # fmt: skip
        return Receipt(body, self.keys.sign(RECEIPT_CONTEXT, body))


def _fork(op: WellSigned) -> Odd:
    return Odd(op.raw, "fork", op.link, op.op_id, op.seq, status="fork")
