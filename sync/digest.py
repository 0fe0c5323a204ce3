"""One hash for all that lies on a phone's sheet: equal where the sheets are (docs/protocol.md §6)."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from field_api.platform.sealing import sha256

CONTEXT = b"doorstep-sheet-v1"
ON_THE_SHEET = ("route", "visit")
"""Kinds that the digest speaks of. A phone that knows more kinds, or fewer, still finds the same."""


def sheet_sha256(lines: Iterable[tuple[str, UUID, int]]) -> bytes:
    """Over the sorted lines (kind, ref, version) of what lies on the sheet. What was taken back is no line.

    Neither a kind nor an id nor a number has a 0x00 or a line feed in it, so that no two sheets have one text.
    """
    return sha256(CONTEXT + b"".join(sorted(f"{kind}\0{ref}\0{version}\n".encode() for kind, ref, version in lines)))
