"""The published figures of the detector are those of the detector as it is, on the held-out notes (docs/detector.md)."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.detector import figures, read_notes, table

ROOT = Path(__file__).parents[2]
HELD_OUT = [ROOT / "tests" / "data" / name for name in ("held_out_notes.jsonl", "held_out_notes_second.jsonl")]


@pytest.mark.parametrize("held_out", HELD_OUT, ids=lambda path: path.stem)
def test_the_published_figures_are_true(held_out: Path) -> None:
    document = (ROOT / "docs" / "detector.md").read_text(encoding="utf-8").splitlines()
    assert [row for row in table(figures(read_notes(held_out)), kinds=False) if row not in document] == []


def test_figures_count_what_was_found_and_what_was_not() -> None:
    notes = [
        {"text": "deuda", "language": "es", "label": "leak"},
        {"text": "portón", "language": "es", "label": "leak"},
        {"text": "blue gate", "language": "en", "label": "clean"},
        {"text": "owes", "language": "en", "label": "clean", "kind": "odd"},
    ]
    rows = table(figures(notes), kinds=True)
    assert rows[2] == "| all | all | 0.500 (1/2) | 0.500 (1/2) |"
    assert "| en | odd | – | 1.000 (1/1) |" in rows and "| es | all | 0.500 (1/2) | – |" in rows
