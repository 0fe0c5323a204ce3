"""Feed items as bytes: packed to the one size of their kind, sealed, chained, signed (docs/protocol.md §6)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from field_api.platform.bounded_json import canonical
from field_api.platform.egress import OutletKind, outlet, passed
from field_api.platform.keyring import OfficeKeys
from field_api.platform.sealing import aead_seal, b64u, sha256
from sync.office import item_outlets as item_outlets  # declares the kinds
from sync.office.apart import Ref
from sync.packing import DoesNotFit, pack
from sync.roll import next_roll

ITEM_CONTEXT = b"doorstep-item-v1"
SIZES = {"visit": 32_768, "route": 2_048, "verdict": 1_024, "keys": 4_096}
SHORT_TEXT = 40  # characters, where an address does not fit otherwise


@dataclass(frozen=True)
class Content:
    """What an item says: the present state of `ref`."""

    kind: str
    ref: UUID
    body: dict[str, Any]

    @property
    def named(self) -> Ref:
        return self.kind, self.ref

    def packed(self, version: int) -> bytes:
        """At the size of its kind. An open part too long for it is shortened, never left out.

        Raises UndeclaredOutlet or EgressRefused for a kind or a key that `item_outlets` does not list.
        """
        passed(outlet(OutletKind.FEED_ITEM, self.kind), self.body)
        value = {"kind": self.kind, "ref": str(self.ref), "version": version, "body": self.body}
        try:
            return pack(value, SIZES[self.kind])
        except DoesNotFit:
            return pack({**value, "body": _shortened(self.body)}, SIZES[self.kind])


def _shortened(value: Any) -> Any:
    """Every text of a visit's address or of a route cut; the locked part is left alone."""
    opened = value.get("open")
    if not opened:
        return _cut(value)
    return {**value, "open": {**opened, "address": _cut(opened["address"])}}


def _cut(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _cut(item) for name, item in value.items()}
    return value[:SHORT_TEXT] if isinstance(value, str) else value


@dataclass(frozen=True)
class SheetKeyInUse:
    """A sheet key of one device: its public name, and the key itself."""

    id: str
    key: bytes


@dataclass
class FeedWriter:
    """Writes one device's next items. `seq` and `roll` are those of the last item, and move on with each."""

    keys: OfficeKeys
    device_id: UUID
    epoch: int
    seq: int
    roll: bytes
    sheet_key: SheetKeyInUse

    def write(self, content: Content) -> dict[str, Any]:
        """The row of the next item. Its version is its number: one device's items never run backwards."""
        seq = self.seq + 1
        head = canonical(
            {
                "v": 1,
                "agency": str(self.keys.agency_id),
                "device": str(self.device_id),
                "epoch": self.epoch,
                "seq": seq,
                "prev": b64u(self.roll),
                "key": self.sheet_key.id,
            }
        )
        ct = aead_seal(self.sheet_key.key, content.packed(seq), sha256(head))
        self.seq, self.roll = seq, next_roll(self.roll, head, ct)
        return {
            "agency_id": self.keys.agency_id, "device_id": self.device_id, "epoch": self.epoch, "seq": seq,
            "head": head, "ct": ct, "sig": self.keys.sign(ITEM_CONTEXT, head + sha256(ct)), "roll": self.roll,
            "sheet_key": self.sheet_key.id,
        }  # fmt: skip
