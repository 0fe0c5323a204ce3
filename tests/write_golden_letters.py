"""Writes the golden letters anew: `.venv/bin/python -m tests.write_golden_letters`. Then read the difference."""

from __future__ import annotations

from pathlib import Path

from tests.letter_samples import golden, text_of

FOLDER = Path(__file__).parent / "golden" / "letters"


def write() -> int:
    """How many stand there now; those that no sample makes any more are gone."""
    letters = {f"{name}.txt": text_of(facts) for name, facts in golden().items()}
    for path in FOLDER.glob("*.txt"):
        if path.name not in letters:
            path.unlink()
    for name, text in letters.items():
        (FOLDER / name).write_text(text, encoding="utf-8")
    return len(letters)


if __name__ == "__main__":
    print(f"{write()} letters in {FOLDER}")
