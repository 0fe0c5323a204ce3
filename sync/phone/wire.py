"""Bytes on the wire: bounded JSON, padding and packing, times, ids (docs/protocol.md §1, §2)."""

from __future__ import annotations

import json
import math
import re
import uuid
import zlib
from datetime import UTC, datetime
from importlib.resources import files
from typing import Any, NoReturn

from sync.phone import crypto
from sync.phone.crypto import BadSeal
from sync.phone.errors import Untrusted

MAX_DEPTH = 32
MAX_UNPACKED_BYTES = 1024 * 1024
DICTIONARIES = {zlib.adler32(data): data for data in [(files(__package__) / "dictionary_1.bin").read_bytes()]}
"""What items are packed with, by the number (DICTID, RFC 1950) that their bytes name."""
HAS_DICTIONARY = 0x20  # FDICT
_STRING_OR_BRACKET = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"?|[\[\]{}]', re.DOTALL)
"""Strings whole, since a visit is mostly long strings and is read often; nothing of the expression backtracks."""


def bad(what: str) -> Untrusted:
    return Untrusted("bad-form", what)


def read_json(data: bytes, max_bytes: int = MAX_UNPACKED_BYTES) -> Any:
    """UTF-8 JSON within the protocol's bounds. Raises Untrusted `bad-form`."""
    if len(data) > max_bytes:
        raise bad(f"JSON of more than {max_bytes} bytes")
    if _depth(data) > MAX_DEPTH:
        raise bad("JSON nested too deep")
    try:
        return json.loads(
            data.decode("utf-8"),
            parse_constant=_no_constant,
            object_pairs_hook=_unique,
            parse_int=_short_int,
            parse_float=_finite,
        )
    except (UnicodeDecodeError, json.JSONDecodeError) as error:
        raise bad("not UTF-8 JSON") from error


def write_json(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()


def _depth(data: bytes) -> int:
    deepest = depth = 0
    for token in _STRING_OR_BRACKET.finditer(data):
        match token[0]:
            case b"[" | b"{":
                depth += 1
                deepest = max(deepest, depth)
            case b"]" | b"}":
                depth -= 1
    return deepest


def _no_constant(name: str) -> NoReturn:
    raise bad(f"{name} is not JSON")


def _short_int(digits: str) -> int:
    if len(digits) > 20:
        raise bad("a number of more than 20 digits")
    return int(digits)


def _finite(digits: str) -> float:
    value = float(digits)
    if not math.isfinite(value):
        raise bad("a number out of range")
    return value


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        raise bad("a key stands twice")
    return result


def field(document: Any, name: str, kind: type) -> Any:
    """`document[name]`, which must be of `kind`. Raises Untrusted `bad-form`."""
    value = document.get(name) if isinstance(document, dict) else None
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        raise bad(f"{name} is missing or no {kind.__name__}")
    return value


def has(document: Any, name: str) -> bool:
    """Whether there is such a key, for those that may be absent."""
    return isinstance(document, dict) and name in document


def from_b64u(text: object, length: int | None = None) -> bytes:
    """Bytes that came from outside as base64url. Raises Untrusted `bad-form`."""
    try:
        return crypto.from_b64u(text, length)
    except BadSeal as error:
        raise bad("not canonical base64url, or of another length") from error


def binary(document: Any, name: str, length: int | None = None) -> bytes:
    """The bytes of the base64url text `document[name]`. Raises Untrusted `bad-form`."""
    return from_b64u(field(document, name, str), length)


def pad(data: bytes, size: int) -> bytes:
    """Length in four bytes, the data, zeros up to `size`. Raises ValueError where it does not fit."""
    if 4 + len(data) > size:
        raise ValueError(f"{len(data)} bytes do not fit {size}")
    return len(data).to_bytes(4, "big") + data + bytes(size - 4 - len(data))


def unpad(padded: bytes) -> bytes:
    length = int.from_bytes(padded[:4], "big")
    if len(padded) < 4 or length > len(padded) - 4:
        raise bad("a padded length does not fit")
    return padded[4 : 4 + length]


def compress(value: Any) -> bytes:
    return zlib.compress(write_json(value), 9)


def pack(value: Any, size: int) -> bytes:
    """As operations are packed: without a dictionary."""
    return pad(compress(value), size)


def unpack(packed: bytes) -> Any:
    """What the office packed. Stops at 1 MiB. Raises Untrusted `bad-form`, or `cannot-unpack` where its dictionary is
    not here."""
    stream = unpad(packed)
    inflater = _inflater(stream)
    try:
        data = inflater.decompress(stream, MAX_UNPACKED_BYTES)
    except zlib.error as error:
        raise bad("not zlib") from error
    if not inflater.eof:
        raise bad("packed data are cut, or larger than 1 MiB")
    return read_json(data)


def _inflater(stream: bytes) -> zlib._Decompress:
    if len(stream) < 6 or not stream[1] & HAS_DICTIONARY:
        return zlib.decompressobj()
    known = DICTIONARIES.get(int.from_bytes(stream[2:6], "big"))
    if known is None:
        raise Untrusted("cannot-unpack", "a dictionary that this phone has not")
    return zlib.decompressobj(zdict=known)


def time_text(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def read_time(text: object) -> datetime:
    """An aware time. Raises Untrusted `bad-form`."""
    if not isinstance(text, str) or not text.endswith("Z"):
        raise bad("not a UTC time")
    try:
        return datetime.fromisoformat(text)
    except ValueError as error:
        raise bad("not a UTC time") from error


def uuid7(at: datetime) -> str:
    """A UUIDv7 (RFC 9562 §5.7): 48 bits of milliseconds, 74 random bits. A clock before 1970 counts as 1970."""
    ms = max(0, int(at.timestamp() * 1000)) & (2**48 - 1)
    tail = int.from_bytes(crypto.random_bytes(10), "big")
    value = ms << 80 | 7 << 76 | (tail >> 62 & 0xFFF) << 64 | 2 << 62 | (tail & (2**62 - 1))
    return str(uuid.UUID(int=value))


def is_id(text: object) -> bool:
    """A UUID in lower-case canonical form."""
    try:
        return isinstance(text, str) and str(uuid.UUID(text)) == text
    except ValueError:
        return False
