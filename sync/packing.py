"""One size per kind: values are compressed and padded, so that length says nothing (docs/protocol.md §2)."""

from __future__ import annotations

import zlib
from typing import Any

from field_api.platform.bounded_json import BadJson, canonical, loads

MAX_UNPACKED_BYTES = 1024 * 1024
LENGTH_BYTES = 4


class DoesNotFit(ValueError):
    """The value does not fit its size, or the padded bytes their own length."""


def pad(data: bytes, size: int) -> bytes:
    """Length, data, zeros up to `size`. Raises DoesNotFit."""
    if LENGTH_BYTES + len(data) > size:
        raise DoesNotFit(f"{len(data)} bytes do not fit {size}")
    return len(data).to_bytes(LENGTH_BYTES, "big") + data.ljust(size - LENGTH_BYTES, b"\x00")


def unpad(padded: bytes) -> bytes:
    """The data of `pad`. Raises DoesNotFit."""
    length = int.from_bytes(padded[:LENGTH_BYTES], "big")
    if len(padded) < LENGTH_BYTES or length > len(padded) - LENGTH_BYTES:
        raise DoesNotFit("the length does not fit")
    return padded[LENGTH_BYTES : LENGTH_BYTES + length]


def packed_length(value: Any) -> int:
    """How many bytes `pack` needs at least."""
    return LENGTH_BYTES + len(zlib.compress(canonical(value), 9))


def pack(value: Any, size: int) -> bytes:
    """JSON, compressed and padded to exactly `size` bytes. Raises DoesNotFit."""
    return pad(zlib.compress(canonical(value), 9), size)


def unpack(packed: bytes) -> Any:
    """The value of `pack`, unpacking at most 1 MiB. Raises DoesNotFit."""
    inflater = zlib.decompressobj()
    try:
        data = inflater.decompress(unpad(packed), MAX_UNPACKED_BYTES)
        if not inflater.eof:
            raise DoesNotFit("cut off, or larger than 1 MiB")
        return loads(data, max_bytes=MAX_UNPACKED_BYTES)
    except (zlib.error, BadJson) as error:
        raise DoesNotFit("not packed JSON") from error
