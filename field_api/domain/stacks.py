"""A printed stack: the page that parts a route's visit sheet from its letters, and what it says."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class SeparatorWords:
    """The words of one language (field_api/rules/stacks)."""

    language: str
    letters: str
    stops: str
    copies: str
    note: str


@dataclass(frozen=True)
class Separator:
    """Nothing of what letters say: whose stack it is, of which day, how many letters lie behind which stops."""

    agent_code: str
    day: str  # as the sheet writes it
    stops: Sequence[int]  # of each letter, in the stack's order
    copies: int

    def data(self, words: SeparatorWords) -> dict[str, Any]:
        rows = [[words.letters, str(len(self.stops))]]
        if self.stops:
            rows.append([words.stops, ", ".join(_counted(self.stops))])
        if self.copies:
            rows.append([words.copies, str(self.copies)])
        return {
            "language": words.language,
            "agent_code": self.agent_code,
            "day": self.day,
            "rows": rows,
            "note": words.note,
        }


def _counted(stops: Sequence[int]) -> Iterator[str]:
    """1, 2 (3), 4: in brackets how many letters, where it is more than one."""
    for stop in dict.fromkeys(stops):
        many = stops.count(stop)
        yield f"{stop}\N{NO-BREAK SPACE}({many})" if many > 1 else str(stop)
