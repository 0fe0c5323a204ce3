"""The lines of an exported log, and what somebody kept of an earlier one, as they are read: bounded, in one form."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO

from field_api.platform.bounded_json import BadJson, canonical, loads
from field_api.platform.sealing import from_b64u
from sync.office.audit import VERSION

MAX_LINE_BYTES = 1024 * 1024
MAX_HEAD_BYTES = 256 * 1024


@dataclass(frozen=True)
class Seen:
    """A checkpoint that somebody kept elsewhere: the log must still begin with what it says."""

    size: int
    root: bytes


def lines_of(file: BinaryIO) -> Iterator[bytes]:
    """Lines with their ends; of one that is too long its beginning alone, which no reader takes."""
    while line := file.readline(MAX_LINE_BYTES + 1):
        yield line
        while len(line) > MAX_LINE_BYTES and not line.endswith(b"\n"):
            line = file.readline(MAX_LINE_BYTES + 1)


def read_head(line: bytes) -> dict[str, Any]:
    """What an export says of itself, with the bytes that are signed. Its signature is not looked at here."""
    outer = strict(line, MAX_HEAD_BYTES)
    if set(outer) != {"head", "sig"}:
        raise BadJson("not an export")
    signed = from_b64u(outer["head"])
    head = loads(signed, max_bytes=MAX_HEAD_BYTES)
    if head["v"] != VERSION:
        raise BadJson("another version")
    return {**head, "signed": signed, "signature": from_b64u(outer["sig"])}


def read_seen(line: bytes) -> Seen:
    """A checkpoint from the first line of an earlier export, a proof, or an answer of `GET /log/checkpoint`.

    It is what its keeper says it is: nothing is verified. Raises what UNREADABLE lists.
    """
    document = loads(line, max_bytes=MAX_LINE_BYTES)
    if "head" in document:
        document = loads(from_b64u(document["head"]), max_bytes=MAX_HEAD_BYTES)
    claims = loads(from_b64u(document["checkpoint"]), max_bytes=MAX_HEAD_BYTES)
    return Seen(whole(claims["size"]), from_b64u(claims["root"]))


def strict(line: bytes, max_bytes: int) -> dict[str, Any]:
    """A line in the one form in which it is written: whatever else would be read as the same is refused."""
    document = loads(line, max_bytes=max_bytes)
    if not isinstance(document, dict) or canonical(document) + b"\n" != line:
        raise BadJson("not in its one form")
    return document


def size_of(statement: bytes) -> int:
    return whole(loads(statement, max_bytes=MAX_HEAD_BYTES)["size"])


def whole(value: object) -> int:
    if type(value) is not int or value < 0:
        raise ValueError("not a number")
    return value
