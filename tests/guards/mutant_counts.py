"""The counts of docs/checks.md: the tests that try the mutants hold the document to them."""

from __future__ import annotations

from pathlib import Path

DOCUMENT = Path(__file__).parents[2] / "docs" / "checks.md"


def documented(group: str) -> list[int]:
    """The numbers in the row of `group`, from left to right. Raises KeyError where the document has no such row."""
    for line in DOCUMENT.read_text(encoding="utf-8").splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if line.startswith("|") and cells[0] == group:
            return [int(cell) for cell in cells if cell.isdecimal()]
    raise KeyError(group)
