"""The RFC 6962 tree in tiles: full subtrees of 256 leaves are kept as one node of the next level.

A log of n leaves needs its level-0 hashes and, for each level L, the roots of full subtrees of 256^L leaves; every
root follows from at most 255 hashes a level.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

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


def subtree_root(first: int, end: int, tile: Callable[[int, int], Sequence[bytes]]) -> bytes:
    """The root over leaves `first` (included) to `end`, one of those subtrees that RFC 6962 cuts a log into.

    `tile(level, index)` gives the hashes of one tile from the left. Raises ValueError where one that is needed lacks.
    """
    level = _highest_level(first, end)
    width = TILE_WIDTH**level
    count = (end - first) // width
    hashes, rest = _nodes(level, first // width, count, tile), first + count * width
    # What is left is the lowest, smaller part at the right edge: the last of its neighbours rises, as in `root_of`.
    return root_of([*hashes, subtree_root(rest, end, tile)] if rest < end else hashes)


def _highest_level(first: int, end: int) -> int:
    level = 0
    while TILE_WIDTH ** (level + 1) <= end - first and first % TILE_WIDTH ** (level + 1) == 0:
        level += 1
    return level


def _nodes(level: int, first: int, count: int, tile: Callable[[int, int], Sequence[bytes]]) -> list[bytes]:
    found: list[bytes] = []
    while count:
        index, begins = divmod(first, TILE_WIDTH)
        here = list(tile(level, index)[begins : begins + count])
        wanted = min(count, TILE_WIDTH - begins)
        if len(here) != wanted:
            raise ValueError(f"tile {level}/{index}: a hash is missing")
        found += here
        first, count = first + wanted, count - wanted
    return found


class GrowingTree:
    """A log read leaf by leaf: keeps as many hashes as its size has binary digits, level by level of tiles."""

    def __init__(self) -> None:
        self.size = 0
        self._stacks: list[list[tuple[int, bytes]]] = [
            []
        ]  # of each level (height within the tile, root), left to right
        self._before: dict[int, list[tuple[int, bytes]]] = {}  # the stack before a tile's root was put on it
        self._whole: dict[int, bytes] = {}  # the newest whole tile's root by the level that it is a node of

    def append(self, leaf: bytes) -> list[tuple[int, int]]:
        """Returns the nodes (level, position) of the tiles that this leaf completes, the lowest first."""
        self.size += 1
        self._push(0, leaf)
        return self._close(0)

    def node(self, level: int) -> bytes:
        """The newest node of a level above the leaves."""
        return self._whole[level]

    def replace(self, level: int, root: bytes) -> None:
        """Take `root` for the newest node of this level, whatever the leaves below it gave."""
        while len(self._stacks) <= level:
            self._stacks.append([])
        self._stacks[level] = list(self._before[level])
        self._whole[level] = root
        self._push(level, root)
        self._close(level)

    def root(self) -> bytes:
        right: bytes | None = None
        for stack in self._stacks:
            for _, value in reversed(stack):
                right = value if right is None else node_hash(value, right)
        return sha256(b"") if right is None else right

    def _push(self, level: int, value: bytes) -> None:
        stack, height = self._stacks[level], 0
        while stack and stack[-1][0] == height:
            value, height = node_hash(stack.pop()[1], value), height + 1
        stack.append((height, value))

    def _close(self, level: int) -> list[tuple[int, int]]:
        closed = []
        while self.size % TILE_WIDTH ** (level + 1) == 0:
            ((_, root),) = self._stacks[level]
            self._stacks[level] = []
            level += 1
            if level == len(self._stacks):
                self._stacks.append([])
            self._before[level] = list(self._stacks[level])
            self._whole[level] = root
            self._push(level, root)
            closed.append((level, self.size // TILE_WIDTH**level - 1))
        return closed
