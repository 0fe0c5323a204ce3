"""The rows of a visit sheet: which boxes on the paper belong to which visit, for whoever types them in afterwards."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Crockford's: no letter that a hand could mean otherwise
_ISSUE_CHARACTERS = 6


@dataclass(frozen=True)
class SheetRow:
    """`row` as it stands on the paper ("3", "3b"); `version` is the visit's assignment when it was printed."""

    row: str
    visit_id: UUID
    version: int

    def wire(self) -> dict[str, Any]:
        return {"row": self.row, "visit": str(self.visit_id), "version": self.version}

    @classmethod
    def read(cls, stored: Mapping[str, Any]) -> SheetRow:
        return cls(str(stored["row"]), UUID(stored["visit"]), int(stored["version"]))


def row_names(stop: int, people: int) -> list[str]:
    """Of the people sought at a stop: "3" for one, "3a", "3b" … for several, "3z", "3aa" … for a crowd."""
    return [str(stop)] if people == 1 else [f"{stop}{_letters(number)}" for number in range(people)]


def _letters(number: int) -> str:
    name = ""
    number += 1
    while number:
        number, letter = divmod(number - 1, 26)
        name = chr(ord("a") + letter) + name
    return name


def issue_mark(rows: Sequence[SheetRow]) -> str:
    """Six characters in the paper's foot. Two prints with the same rows have the same: times may differ between them,
    what is typed in does not."""
    digest = hashlib.sha256(json.dumps([row.wire() for row in rows]).encode()).digest()
    number = int.from_bytes(digest[:8], "big")
    return "".join(_ALPHABET[(number >> 5 * place) & 31] for place in range(_ISSUE_CHARACTERS))
