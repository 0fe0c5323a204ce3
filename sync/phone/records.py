"""The records that a feed page and a snapshot are made of (docs/protocol.md §6), read within bounds, unverified."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from sync.phone import wire
from sync.phone.crypto import b64u, sha256
from sync.phone.errors import Untrusted

LENGTHS = struct.Struct(">BBII")
SIGNATURE_BYTES = 64
MAX_PART_BYTES = 64 * 1024
MAX_ITEMS = 200
SHEET_KEY, ITEM, DURABLE, END, KEYS, MANIFEST, LINE, DIGEST = range(1, 9)


@dataclass(frozen=True)
class Record:
    """`signature` over `document` (JSON) and `sealed` (ciphertext); each may be empty. It ends at byte `end`."""

    kind: int
    signature: bytes
    document: bytes
    sealed: bytes
    end: int

    def signed(self, part: str) -> dict[str, str]:
        """As signed statements stand in JSON elsewhere."""
        return {part: b64u(self.document), "sig": b64u(self.signature)}


@dataclass(frozen=True)
class Page:
    """One answer of `GET /feed`. Sheet keys, items, durable statement and digest are still to be verified."""

    sheet_keys: list[dict[str, str]] = field(default_factory=list)
    items: list[Record] = field(default_factory=list)
    durable: dict[str, str] | None = None
    digest: dict[str, str] | None = None
    more: bool = False


@dataclass(frozen=True)
class SnapshotParts:
    """`sha256` is that of all bytes after the manifest, which says what it must be."""

    keys: Any
    manifest: dict[str, str]
    sha256: bytes
    lines: list[Record]


def read_records(data: bytes) -> Iterator[Record]:
    """Every record to the last byte, of known and unknown kinds. Raises Untrusted `bad-form`."""
    at = 0
    while at < len(data):
        if len(data) - at < LENGTHS.size:
            raise wire.bad("a record's lengths are cut off")
        kind, *lengths = LENGTHS.unpack_from(data, at)
        at += LENGTHS.size
        if lengths[0] not in (0, SIGNATURE_BYTES) or max(lengths) > MAX_PART_BYTES or sum(lengths) > len(data) - at:
            raise wire.bad("a record is longer than it may be, or than what came")
        signature, document = data[at : at + lengths[0]], data[at + lengths[0] : at + lengths[0] + lengths[1]]
        sealed_at, at = at + lengths[0] + lengths[1], at + sum(lengths)
        yield Record(kind, signature, document, data[sealed_at:at], at)


def read_page(data: bytes) -> Page:
    """Raises Untrusted `bad-form`, also for a page without its last record: a cut one is not taken for a short one."""
    records = list(read_records(data))
    if not records or records[-1].kind != END or any(record.kind == END for record in records[:-1]):
        raise wire.bad("a page without its end, or with something after it")
    items = [record for record in records if record.kind == ITEM]
    if len(items) > MAX_ITEMS:
        raise wire.bad(f"a page of more than {MAX_ITEMS} items")
    durable, digest = (_last_of(records, kind) for kind in (DURABLE, DIGEST))
    more = wire.field(wire.read_json(records[-1].document), "more", bool)
    keys = [record.signed("statement") for record in records if record.kind == SHEET_KEY]
    return Page(keys, items, durable, digest, more)


def _last_of(records: list[Record], kind: int) -> dict[str, str] | None:
    found = [record.signed("statement") for record in records if record.kind == kind]
    return found[-1] if found else None


def read_snapshot(data: bytes) -> SnapshotParts:
    """Raises Untrusted `bad-form`, and `snapshot` where there is no manifest."""
    records = list(read_records(data))
    manifests = [record for record in records if record.kind == MANIFEST]
    if len(manifests) != 1:
        raise Untrusted("snapshot", "without its manifest")
    (manifest,) = manifests
    announced = [wire.read_json(record.document) for record in records if record.kind == KEYS]
    lines = [record for record in records if record.kind == LINE]
    rest = sha256(data[manifest.end :])
    return SnapshotParts(announced[0] if announced else None, manifest.signed("m"), rest, lines)
