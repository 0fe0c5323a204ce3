"""The RFC 6962 tree in tiles: full subtrees of 256 leaves are kept as one node of the next level.

A log of n leaves needs its level-0 hashes and, for each level L, the roots of full subtrees of 256^L leaves; every
root follows from at most 255 hashes a level.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from field_api.platform.sealing import sha256

TILE_WIDTH = 256


def leaf_hash(data: bytes) -> bytes:
    return sha256(b"\x00" + data)


def node_hash(left: bytes, right: bytes) -> bytes:
    return sha256(b"\x01" + left + right)


def root_of(hashes: Sequence[bytes]) -> bytes:
    """The root over hashes of equal height; the last may stand for a smaller subtree. Empty: SHA-256 of nothing.

    RFC 6962 splits at the largest power of two below n; pairing neighbours and letting an odd last one rise gives the
    same tree.
    """
    level = list(hashes)
    if not level:
        return sha256(b"")
    while len(level) > 1:
        paired = [node_hash(level[i], level[i + 1]) for i in range(0, len(level) - 1, 2)]
        level = paired + level[len(paired) * 2 :]
    return level[0]


def new_nodes(
    size: int, leaves: Sequence[bytes], open_tiles: Mapping[int, Sequence[bytes]]
) -> dict[int, list[tuple[int, bytes]]]:
    """What appending `leaves` to a log of `size` adds, by level: (position, hash).

    `open_tiles[L]` are the hashes of level L's last, unfilled tile (`size // 256^L % 256` of them; absent is none).
    """
    added: dict[int, list[tuple[int, bytes]]] = {}
    level, first, hashes = 0, size, list(leaves)
    while hashes:
        added[level] = [(first + i, value) for i, value in enumerate(hashes)]
        tile = [*open_tiles.get(level, ()), *hashes]
        if len(tile) - len(hashes) != first % TILE_WIDTH:
            raise ValueError(f"level {level}: the open tile does not fit the size")
        hashes = [root_of(tile[i : i + TILE_WIDTH]) for i in range(0, len(tile) - TILE_WIDTH + 1, TILE_WIDTH)]
        first //= TILE_WIDTH
        level += 1
    return added


def root_from_tiles(open_tiles: Mapping[int, Sequence[bytes]]) -> bytes:
    """The root of a log from the unfilled tile of every level, the highest standing to the left."""
    right: bytes | None = None
    for level in sorted(open_tiles):
        hashes = list(open_tiles[level])
        if hashes or right is not None:
            right = root_of([*hashes, right] if right is not None else hashes)
    return right if right is not None else sha256(b"")
