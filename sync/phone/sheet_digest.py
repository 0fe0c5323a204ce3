"""Whether this phone's sheet is the one that the office says it is (docs/protocol.md §6)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sync.phone import crypto, sheet, wire
from sync.phone.crypto import BadSeal
from sync.phone.errors import StoreTrouble, Untrusted
from sync.phone.feed import Content, Cursor, load_cursor, nul, sheet_key
from sync.phone.handset import Handset
from sync.phone.trust import signed_part

DIGEST = b"doorstep-digest-v1"
SHEET = b"doorstep-sheet-v1"
DIGEST_BYTES = 32
SAME, DIFFERS, UNKNOWN = "same", "differs", "unknown"


def sheet_sha256(handset: Handset) -> bytes:
    """Of what lies on the sheet, tombstones and kinds unknown to the digest left out. Raises StoreTrouble."""
    found = (content for kind in ("route", "visit") for content in sheet.entities(handset, kind))
    return lines_sha256((content.kind, content.ref, content.version) for content in found if _lies_there(content))


def lines_sha256(lines: Iterable[tuple[str, str, int]]) -> bytes:
    """Over (kind, ref, version), sorted by their bytes."""
    texts = sorted(f"{kind}\0{ref}\0{version}\n".encode() for kind, ref, version in lines)
    return crypto.sha256(SHEET, b"".join(texts))


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
    cursor = load_cursor(handset)
    if (wire.field(statement, "epoch", int), wire.field(statement, "seq", int)) == (cursor.epoch, cursor.seq):
        keep_digest(handset, cursor, statement)


def keep_digest(handset: Handset, cursor: Cursor, signed: Any) -> None:
    """`signed` is a statement or a manifest, verified, for `cursor`. Raises Untrusted."""
    associated = DIGEST + nul(handset.agency, handset.device, str(cursor.epoch), str(cursor.seq))
    key = sheet_key(handset, wire.field(signed, "key", str))
    try:
        digest = crypto.unseal(key, wire.binary(signed, "sheet"), associated)
    except BadSeal as error:
        raise Untrusted("digest", "does not open") from error
    if len(digest) != DIGEST_BYTES:
        raise Untrusted("digest", "of another length")
    handset.store.put("state", "digest", {"epoch": cursor.epoch, "seq": cursor.seq, "sheet": crypto.b64u(digest)})


def compared(handset: Handset) -> str:
    """`same`, `differs` (also where a row of the sheet does not open any more), or `unknown` where the office told
    none for where this phone stands."""
    told, cursor = handset.store.get("state", "digest"), load_cursor(handset)
    if told is None or (told["epoch"], told["seq"]) != (cursor.epoch, cursor.seq):
        return UNKNOWN
    try:
        return SAME if crypto.from_b64u(told["sheet"], 32) == sheet_sha256(handset) else DIFFERS
    except StoreTrouble:
        return DIFFERS


def wants_snapshot(handset: Handset) -> bool:
    """True where the sheet differs, unless a snapshot mended nothing here: then not before something changes."""
    return compared(handset) == DIFFERS and handset.store.get("state", "unmended") != _here(handset)


def note_whether_mended(handset: Handset) -> None:
    """After a snapshot: where the sheet differs still, another one would not help."""
    if compared(handset) == DIFFERS:
        handset.store.put("state", "unmended", _here(handset))


def _here(handset: Handset) -> list[int]:
    cursor = load_cursor(handset)
    return [cursor.epoch, cursor.seq]
