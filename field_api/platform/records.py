"""Bodies of records, as the door serves the feed and a snapshot (docs/protocol.md §6): a kind and three parts each."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

HEADER = struct.Struct(">BBII")
MEDIA_TYPE = "application/octet-stream"
SIGNATURE_BYTES = 64
MAX_PART_BYTES = 64 * 1024


class BadRecords(ValueError):
    """The bytes are no records, or not whole ones."""


@dataclass(frozen=True)
class Record:
    """`signature` is empty where nothing is signed, `sealed` where there is no ciphertext; `document` is JSON."""

    kind: int
    document: bytes
    signature: bytes = b""
    sealed: bytes = b""

    def __bytes__(self) -> bytes:
        lengths = HEADER.pack(self.kind, len(self.signature), len(self.document), len(self.sealed))
        return lengths + self.signature + self.document + self.sealed


def read_records(data: bytes) -> Iterator[Record]:
    """Every record, to the last byte. Raises BadRecords."""
    at = 0
    while at < len(data):
        if len(data) - at < HEADER.size:
            raise BadRecords("a record's lengths are cut off")
        kind, *lengths = HEADER.unpack_from(data, at)
        at += HEADER.size
        if lengths[0] not in (0, SIGNATURE_BYTES) or max(lengths) > MAX_PART_BYTES or sum(lengths) > len(data) - at:
            raise BadRecords("a record is longer than it may be, or than what is there")
        parts = []
        for length in lengths:
            parts.append(data[at : at + length])
            at += length
        yield Record(kind, parts[1], parts[0], parts[2])
