"""The feed, verified: nothing of an item is kept before signature, device, epoch, sequence and roll hold (§6)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sync.phone import crypto, wire
from sync.phone.crypto import BadSeal
from sync.phone.errors import Untrusted
from sync.phone.handset import Handset
from sync.phone.lock_bytes import locks_of
from sync.phone.records import Record
from sync.phone.trust import check_signature, signed_part

ITEM = b"doorstep-item-v1"
ROLL = b"doorstep-roll-v1"
SHEET_KEY = b"doorstep-sheet-key-v1"
DURABLE = b"doorstep-durable-v1"
SIZES = {"visit": 6_144, "route": 1_024, "verdict": 512, "keys": 4_096}


@dataclass(frozen=True)
class Cursor:
    """How far the phone has read. `roll` is the rolling hash after item `seq` of `epoch`."""

    epoch: int
    seq: int
    roll: bytes

    def text(self) -> str:
        return f"{self.epoch}.{self.seq}.{crypto.b64u(self.roll)}"


@dataclass(frozen=True)
class Content:
    """One entity's state. `packed` is what was sealed, at its kind's size: kept as it is, so lengths tell nothing."""

    kind: str
    ref: str
    version: int
    body: dict[str, Any]
    packed: bytes


def nul(*parts: str) -> bytes:
    """0x00 ‖ part ‖ 0x00 ‖ part …, each as text."""
    return b"".join(b"\0" + part.encode() for part in parts)


def first_roll(agency: str, device: str, epoch: int) -> bytes:
    return crypto.sha256(ROLL, nul(agency, device, str(epoch))[1:])


def next_roll(roll: bytes, header: bytes, sealed: bytes) -> bytes:
    return crypto.sha256(ROLL, roll, crypto.sha256(header), crypto.sha256(sealed))


def load_cursor(handset: Handset) -> Cursor:
    kept = handset.store.get("state", "cursor")
    if kept is None:
        return Cursor(handset.epoch, 0, first_roll(handset.agency, handset.device, handset.epoch))
    return Cursor(kept["epoch"], kept["seq"], crypto.from_b64u(kept["roll"], 32))


def save_cursor(handset: Handset, cursor: Cursor) -> None:
    roll = crypto.b64u(cursor.roll)
    handset.store.put("state", "epoch", cursor.epoch)
    handset.store.put("state", "cursor", {"epoch": cursor.epoch, "seq": cursor.seq, "roll": roll})


def take_sheet_keys(handset: Handset, documents: list[Any]) -> list[Any]:
    """Verify and keep sheet keys. Returns those signed by a key that is not known: it may come with the next items.

    Raises Untrusted at one that is signed, but not for this phone.
    """
    unknown = []
    for document in documents:
        try:
            statement = signed_part(handset.keys_of("office"), SHEET_KEY, document, "statement")
        except Untrusted as error:
            if error.code != "bad-signature":
                raise
            unknown.append(document)
        else:
            _take_sheet_key(handset, statement)
    return unknown


def _take_sheet_key(handset: Handset, statement: Any) -> None:
    if not handset.is_mine(statement):
        raise Untrusted("sheet-key", "for another phone")
    key_id = wire.field(statement, "id", str)
    info = SHEET_KEY + nul(handset.agency, handset.device, key_id)
    try:
        key = crypto.open_sealed(handset.keys.sealing, info, wire.binary(statement, "wrapped"))
    except BadSeal as error:
        raise Untrusted("sheet-key", "does not open") from error
    handset.store.put("sheet_key", handset.store.name(key_id), {"key": crypto.b64u(key)})


def sheet_key(handset: Handset, key_id: object) -> bytes:
    kept = handset.store.get("sheet_key", handset.store.name(str(key_id)))
    if kept is None:
        raise Untrusted("sheet-key", "an item names one that did not come")
    return crypto.from_b64u(kept["key"], 32)


def read_item(handset: Handset, cursor: Cursor, item: Record) -> tuple[Cursor, Content]:
    """The cursor after this item, and its content. Raises Untrusted; then nothing of it may be kept."""
    header, sealed = item.document, item.sealed
    check_signature(handset.keys_of("office"), ITEM + header + crypto.sha256(sealed), item.signature, "item")
    claims = wire.read_json(header, 4096)
    if not handset.is_mine(claims):
        raise Untrusted("item", "for another phone")
    cursor = _at_the_start(handset, cursor, claims)
    expected = (cursor.epoch, cursor.seq + 1, crypto.b64u(cursor.roll))
    if (claims.get("epoch"), claims.get("seq"), claims.get("prev")) != expected:
        raise Untrusted("item", "not the next one")
    content = open_content(sheet_key(handset, claims.get("key")), sealed, crypto.sha256(header))
    return Cursor(cursor.epoch, cursor.seq + 1, next_roll(cursor.roll, header, sealed)), content


def _at_the_start(handset: Handset, cursor: Cursor, claims: Any) -> Cursor:
    """A phone that has read nothing yet may meet a restored server: then it starts in the server's later epoch."""
    epoch = wire.field(claims, "epoch", int)
    if cursor.seq == 0 and epoch > cursor.epoch:
        return Cursor(epoch, 0, first_roll(handset.agency, handset.device, epoch))
    return cursor


def open_content(key: bytes, sealed: bytes, associated: bytes) -> Content:
    """Raises Untrusted. A known kind must have exactly its size."""
    try:
        packed = crypto.unseal(key, sealed, associated)
    except BadSeal as error:
        raise Untrusted("item", "does not open") from error
    return read_content(packed)


def read_content(packed: bytes) -> Content:
    value = wire.unpack(packed)
    kind, ref = (str(wire.field(value, name, str)) for name in ("kind", "ref"))
    if len(packed) != SIZES.get(kind, len(packed)):
        raise Untrusted("item", "not of its kind's size")
    body = dict(wire.field(value, "body", dict))
    if kind == "visit":
        body["locks"] = locks_of(packed) if body.get("state") == "published" else []
    return Content(kind, ref, int(wire.field(value, "version", int)), body, packed)


def take_durable(handset: Handset, document: Any) -> None:
    """Keep a statement of what is durable. One of another epoch says nothing about this one; one from before the one
    that is held may lack exceptions that were made since. Raises Untrusted.
    """
    if document is None:
        return
    statement = signed_part(handset.keys_of("office"), DURABLE, document, "statement")
    if not handset.is_mine(statement):
        raise Untrusted("durable", "for another phone")
    if statement.get("epoch") != handset.epoch:
        return
    number = int(wire.field(statement, "number", int)) if wire.has(statement, "number") else 0
    if number < (load_durable(handset) or {}).get("number", 0):
        return
    seq, at = int(wire.field(statement, "durable_seq", int)), wire.read_time(statement.get("at"))
    kept = {"epoch": handset.epoch, "seq": seq, "except": _numbers(statement.get("except")), "at": wire.time_text(at)}
    handset.store.put("state", "durable", kept | {"number": number})


def _numbers(value: Any) -> list[int]:
    """Numbers below `durable_seq` that are not durable; none where the statement names none. Raises Untrusted."""
    if value is None:
        return []
    if not isinstance(value, list) or not all(type(number) is int for number in value):
        raise Untrusted("durable", "its exceptions are no numbers")
    return value


def load_durable(handset: Handset) -> dict[str, Any] | None:
    """The statement kept last, or None: what was durable before the server was restored is durable no more."""
    kept: dict[str, Any] | None = handset.store.get("state", "durable")
    return kept if kept and kept["epoch"] == handset.epoch else None
