"""Feed items as bytes: packed to the one size of their kind, sealed, chained, signed (docs/protocol.md §6)."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from field_api.platform.bounded_json import canonical
from field_api.platform.egress import OutletKind, outlet, passed
from field_api.platform.keyring import OfficeKeys
from field_api.platform.sealing import aead_seal, b64u, sha256
from sync.kinds import ITEM_SIZES
from sync.office import item_outlets as item_outlets  # declares the kinds
from sync.office.apart import Ref
from sync.office.locks import ALL_BYTES, as_bytes
from sync.packing import DoesNotFit, pack
from sync.roll import next_roll

ITEM_CONTEXT = b"doorstep-item-v1"
SHORTER, SHORTEST = (160, 80, 40, 24, 12, 6), 3
"""Characters of a text, where an item does not fit otherwise: the first that is short enough."""
OVER = "over"
"""The state of a tombstone of what was done, or need not be done any more: nobody took it back."""
SHORTEST_NAME = 24  # who is asked for at the door
ROUTE_TEXTS = ("agent", "territory", "start", "end")


@dataclass(frozen=True)
class Content:
    """What an item says: the present state of `ref`."""

    kind: str
    ref: UUID
    body: dict[str, Any]

    @property
    def named(self) -> Ref:
        return self.kind, self.ref

    @property
    def lies_on_the_sheet(self) -> bool:
        """Not so a tombstone, and what is no part of the sheet."""
        if self.kind == "visit":
            return bool(self.body["state"] == "published")
        return self.kind == "route" and "state" not in self.body

    def packed(self, version: int) -> bytes:
        """At the size of its kind. An open part too long for it is shortened, never left out.

        Raises UndeclaredOutlet or EgressRefused for a kind or a key that `item_outlets` does not list, DoesNotFit for
        what no shorter text makes fit (an agency's own matrix of more than a hundred odd cells).
        """
        passed(outlet(OutletKind.FEED_ITEM, self.kind), self.body)
        value = {"kind": self.kind, "ref": str(self.ref), "version": version}
        if self.kind != "visit":
            return _packed(value, self.body, ITEM_SIZES[self.kind])
        # Noise and ciphertexts as they are: base64 that is compressed again costs a fiftieth, and most of the time.
        text = {name: part for name, part in self.body.items() if name != "locks"}
        locks = as_bytes(self.body["locks"])
        return _packed(value, text, ITEM_SIZES["visit"] - ALL_BYTES) + locks.ljust(ALL_BYTES, b"\x00")


def _packed(value: dict[str, Any], body: dict[str, Any], size: int) -> bytes:
    with suppress(DoesNotFit):
        return pack({**value, "body": body}, size)
    for longest in SHORTER:
        with suppress(DoesNotFit):
            return pack({**value, "body": _shortened(body, longest)}, size)
    return pack({**value, "body": _shortened(body, SHORTEST)}, size)


def _shortened(body: dict[str, Any], longest: int) -> dict[str, Any]:
    """The texts of a visit's open part or of a route cut. What rules and times say is left alone."""
    if not body.get("open"):
        return body | {name: _cut(body[name], longest) for name in ROUTE_TEXTS if name in body}
    opened = body["open"]
    texts = {name: _cut(opened.get(name), longest) for name in ("address", "alias")}
    return {**body, "open": {**opened, **texts, "name": _cut(opened["name"], max(longest, SHORTEST_NAME))}}


def _cut(value: Any, longest: int) -> Any:
    if isinstance(value, dict):
        return {name: _cut(item, longest) for name, item in value.items()}
    return value[:longest] if isinstance(value, str) else value


@dataclass(frozen=True)
class SheetKeyInUse:
    """A sheet key of one device: its public name, and the key itself."""

    id: str
    key: bytes


@dataclass(frozen=True)
class Written:
    """A feed item: its row, and what it says."""

    row: dict[str, Any]
    content: Content


@dataclass
class FeedWriter:
    """Writes one device's next items. `seq` and `roll` are those of the last item, and move on with each."""

    keys: OfficeKeys
    device_id: UUID
    epoch: int
    seq: int
    roll: bytes
    sheet_key: SheetKeyInUse

    def write(self, content: Content) -> Written:
        """The next item. Its version is its number: one device's items never run backwards."""
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
        row = {
            "agency_id": self.keys.agency_id, "device_id": self.device_id, "epoch": self.epoch, "seq": seq,
            "head": head, "ct": ct, "sig": self.keys.sign(ITEM_CONTEXT, head + sha256(ct)), "roll": self.roll,
            "sheet_key": self.sheet_key.id,
        }  # fmt: skip
        return Written(row, content)
