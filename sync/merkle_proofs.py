"""Inclusion and consistency proofs over the tree of sync.merkle: RFC 6962 §2.1, verified as RFC 9162 §2.1 says.

Whoever makes a proof needs tiles alone: the office's rows, or what `GET /log/tile/LEVEL/INDEX` answers.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from field_api.platform.sealing import same
from sync.merkle import node_hash, subtree_root

Tile = Callable[[int, int], Sequence[bytes]]
MAX_PROOF_HASHES = 64
"""A log of 2^63 leaves needs no more."""


class DoesNotProve(Exception):
    """The hashes do not lead from what is claimed to the root. Says nothing more."""


def inclusion_proof(number: int, size: int, tile: Tile) -> list[bytes]:
    """The audit path of leaf `number` in the log of `size` leaves. Raises ValueError where there is no such leaf."""
    if not 0 <= number < size:
        raise ValueError("the log has no such leaf")
    path, first, end = [], 0, size
    while end - first > 1:
        middle = first + _split(end - first)
        if number < middle:
            path.append(subtree_root(middle, end, tile))
            end = middle
        else:
            path.append(subtree_root(first, middle, tile))
            first = middle
    return path[::-1]


def consistency_proof(old: int, new: int, tile: Tile) -> list[bytes]:
    """That the log of `new` leaves begins with the log of `old`. Raises ValueError unless 0 < old <= new."""
    if not 0 < old <= new:
        raise ValueError("no proof from nothing, nor to a smaller log")
    path, first, end, whole = [], 0, new, True
    while end != old:
        middle = first + _split(end - first)
        if old <= middle:
            path.append(subtree_root(middle, end, tile))
            end = middle
        else:
            path.append(subtree_root(first, middle, tile))
            first, whole = middle, False
    if not whole:
        path.append(subtree_root(first, end, tile))
    return path[::-1]


def verify_inclusion(leaf: bytes, number: int, size: int, path: Sequence[bytes], root: bytes) -> None:
    """`leaf` is the leaf's hash. Raises DoesNotProve."""
    if not 0 <= number < size or len(path) > MAX_PROOF_HASHES:
        raise DoesNotProve
    at, last, value = number, size - 1, leaf
    for hash_ in path:
        if last == 0:
            raise DoesNotProve
        if at % 2 or at == last:
            value = node_hash(hash_, value)
            while at and not at % 2:
                at, last = at >> 1, last >> 1
        else:
            value = node_hash(value, hash_)
        at, last = at >> 1, last >> 1
    if last or not same(value, root):
        raise DoesNotProve


def verify_consistency(old: int, old_root: bytes, new: int, new_root: bytes, path: Sequence[bytes]) -> None:
    """Raises DoesNotProve."""
    if not 0 < old <= new or len(path) > MAX_PROOF_HASHES:
        raise DoesNotProve
    if old == new:
        if path or not same(old_root, new_root):
            raise DoesNotProve
        return
    hashes = [old_root, *path] if old & (old - 1) == 0 else list(path)
    if not hashes:
        raise DoesNotProve
    at, last = old - 1, new - 1
    while at % 2:
        at, last = at >> 1, last >> 1
    before = after = hashes[0]
    for hash_ in hashes[1:]:
        if last == 0:
            raise DoesNotProve
        if at % 2 or at == last:
            before, after = node_hash(hash_, before), node_hash(hash_, after)
            while at and not at % 2:
                at, last = at >> 1, last >> 1
        else:
            after = node_hash(after, hash_)
        at, last = at >> 1, last >> 1
    if last or not same(before, old_root) or not same(after, new_root):
        raise DoesNotProve


def _split(count: int) -> int:
    """The largest power of two below `count`."""
    return 1 << (count - 1).bit_length() - 1
