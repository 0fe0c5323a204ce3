"""Whether this phone's sheet is the one that the office says it is (docs/protocol.md §6)."""

from __future__ import annotations

from typing import Any

from sync.phone import crypto, sheet, wire
from sync.phone.errors import Untrusted
from sync.phone.feed import Content, Cursor, load_cursor
from sync.phone.handset import Handset
from sync.phone.trust import signed_part

DIGEST = b"doorstep-digest-v1"
SHEET = b"doorstep-sheet-v1"
SAME, DIFFERS, UNKNOWN = "same", "differs", "unknown"


def sheet_sha256(handset: Handset) -> bytes:
    """Of what lies on the sheet, tombstones and kinds unknown to the digest left out."""
    lines = [
        f"{content.kind}\0{content.ref}\0{content.version}\n".encode()
        for kind in ("route", "visit")
        for content in sheet.entities(handset, kind)
        if _lies_there(content)
    ]
    return crypto.sha256(SHEET, b"".join(sorted(lines)))


def _lies_there(content: Content) -> bool:
    return content.body.get("state") == ("published" if content.kind == "visit" else None)


def take_digest(handset: Handset, document: Any) -> None:
    """Keep what the office signed for the item where this phone stands; of another one it says nothing of this sheet.

    Raises Untrusted.
    """
    if document is None:
        return
    statement = signed_part(handset.keys_of("office"), DIGEST, document, "statement")
    if not handset.is_mine(statement):
        raise Untrusted("digest", "for another phone")
    place = (wire.field(statement, "epoch", int), wire.field(statement, "seq", int))
    digest, cursor = wire.binary(statement, "sheet", 32), load_cursor(handset)
    if place == (cursor.epoch, cursor.seq):
        keep_digest(handset, cursor, digest)


def keep_digest(handset: Handset, cursor: Cursor, digest: bytes) -> None:
    told = {"epoch": cursor.epoch, "seq": cursor.seq, "sheet": crypto.b64u(digest)}
    handset.store.put("state", "digest", told)


def compared(handset: Handset) -> str:
    """`same`, `differs`, or `unknown` where the office told none for where this phone stands."""
    told, cursor = handset.store.get("state", "digest"), load_cursor(handset)
    if told is None or (told["epoch"], told["seq"]) != (cursor.epoch, cursor.seq):
        return UNKNOWN
    return SAME if crypto.from_b64u(told["sheet"], 32) == sheet_sha256(handset) else DIFFERS


def wants_snapshot(handset: Handset) -> bool:
    """True where the sheet differs, unless a snapshot mended nothing here: then not before something changes."""
    return compared(handset) == DIFFERS and handset.store.get("state", "unmended") != _here(handset)


def note_whether_mended(handset: Handset) -> None:
    """After a snapshot that was taken because the sheet differed."""
    if compared(handset) == DIFFERS:
        handset.store.put("state", "unmended", _here(handset))


def _here(handset: Handset) -> list[int]:
    cursor = load_cursor(handset)
    return [cursor.epoch, cursor.seq]
