"""What a core dump of a living process would hold: every writable page of it, read from the kernel."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

PIECE_BYTES = 8 * 1024 * 1024
_WRITABLE = re.compile(r"^([0-9a-f]+)-([0-9a-f]+) rw")


def writable_memory(pid: int) -> Iterator[bytes]:
    """The process's writable memory (heap, stacks, anonymous pages), in pieces that overlap by a page.

    Raises PermissionError where the kernel forbids looking at one's own children.
    """
    regions = [
        (int(found[1], 16), int(found[2], 16))
        for line in Path(f"/proc/{pid}/maps").read_text().splitlines()
        if (found := _WRITABLE.match(line))
    ]
    with Path(f"/proc/{pid}/mem").open("rb", buffering=0) as memory:
        for start, end in regions:
            for at in range(start, end, PIECE_BYTES):
                memory.seek(at)
                yield memory.read(min(PIECE_BYTES + 4096, end - at))


def found_in_memory(pid: int, needles: Mapping[str, frozenset[bytes]]) -> set[str]:
    """The names of those needles of which the process's memory holds any form."""
    found: set[str] = set()
    for piece in writable_memory(pid):
        found |= {name for name, forms in needles.items() if name not in found and any(form in piece for form in forms)}
    return found
