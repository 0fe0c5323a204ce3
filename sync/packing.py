"""One size per kind: values are compressed and padded, so that length says nothing (docs/protocol.md §2)."""

from __future__ import annotations

import zlib
from importlib.resources import files
from typing import Any

from field_api.platform.bounded_json import BadJson, canonical, loads

MAX_UNPACKED_BYTES = 1024 * 1024
LENGTH_BYTES = 4
DICTIONARY = (files(__name__.rpartition(".")[0]) / "dictionary_1.bin").read_bytes()
"""What items have in common: only its number travels, a phone has its own copy (tests/vectors/make_dictionary.py)."""
_KNOWN = {zlib.adler32(DICTIONARY): DICTIONARY}
HAS_DICTIONARY = 0x20  # RFC 1950 §2.2: FDICT, then the four bytes of DICTID after two of the header


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
    return LENGTH_BYTES + len(_compressed(value))


def pack(value: Any, size: int) -> bytes:
    """JSON, compressed with the dictionary and padded to exactly `size` bytes. Raises DoesNotFit."""
    return pad(_compressed(value), size)


def _compressed(value: Any) -> bytes:
    deflater = zlib.compressobj(9, zdict=DICTIONARY)
    return deflater.compress(canonical(value)) + deflater.flush()


def unpack(packed: bytes) -> Any:
    """The value of `pack`, or of a phone, which packs without a dictionary. At most 1 MiB. Raises DoesNotFit."""
    stream = unpad(packed)
    inflater = _inflater(stream)
    try:
        data = inflater.decompress(stream, MAX_UNPACKED_BYTES)
        if not inflater.eof:
            raise DoesNotFit("cut off, or larger than 1 MiB")
        return loads(data, max_bytes=MAX_UNPACKED_BYTES)
    except (zlib.error, BadJson) as error:
        raise DoesNotFit("not packed JSON") from error


def _inflater(stream: bytes) -> zlib._Decompress:
    """For the dictionary that the stream names, if it names one. Raises DoesNotFit for one that is not known."""
    if len(stream) < 6 or not stream[1] & HAS_DICTIONARY:
        return zlib.decompressobj()
    known = _KNOWN.get(int.from_bytes(stream[2:6], "big"))
    if known is None:
        raise DoesNotFit("packed with a dictionary that is not known")
    return zlib.decompressobj(zdict=known)
