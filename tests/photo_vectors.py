"""How photo vectors are read: recipes of large bytes, and the alterations that must be refused (photo-format.md §6)."""

from __future__ import annotations

import hashlib
from typing import Any


def expanded(recipe: dict[str, Any]) -> bytes:
    """The first `length` bytes of SHA-256(seed ‖ 0) ‖ SHA-256(seed ‖ 1) ‖ …, counters as 8 bytes big-endian."""
    seed, length = recipe["seed"].encode(), recipe["length"]
    blocks = (hashlib.sha256(seed + index.to_bytes(8, "big")).digest() for index in range(-(-length // 32)))
    return b"".join(blocks)[:length]


def altered(sealed: bytes, changes: list[list[Any]]) -> bytes:
    """Apply a vector's `alter` list, `plaintext` excepted."""
    data = bytearray(sealed)
    for verb, *values in changes:
        _VERBS[verb](data, *values)
    return bytes(data)


def _cut(data: bytearray, keep: int) -> None:
    assert keep < len(data)
    del data[keep:]


def _flip(data: bytearray, at: int, bit: int) -> None:
    data[at] ^= 1 << bit


def _insert_copy(data: bytearray, at: int, source: int, length: int) -> None:
    data[at:at] = data[source : source + length]


def _delete(data: bytearray, at: int, length: int) -> None:
    del data[at : at + length]


def _swap(data: bytearray, first: int, second: int, length: int) -> None:
    left, right = data[first : first + length], data[second : second + length]
    assert len(left) == len(right) == length
    data[first : first + length], data[second : second + length] = right, left


def _append_zeros(data: bytearray, count: int) -> None:
    data.extend(bytes(count))


_VERBS = {
    "cut": _cut,
    "flip": _flip,
    "insert-copy": _insert_copy,
    "delete": _delete,
    "swap": _swap,
    "append-zeros": _append_zeros,
}
