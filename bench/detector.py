"""Recall and false-alarm rate of the detector over a file of notes, per language and kind.

    .venv/bin/python -m bench.detector tests/data/held_out_notes.jsonl

One JSON object a line: `text`, `language`, the mark (MARK) and, where there is one, `kind`. No note is printed.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from field_api.domain.debt_words import find_debt_words

ALL = "all"
MARK: tuple[str, object] = ("label", "leak")
"""The field that says whether a note is a leak, and its value where it is one."""


@dataclass
class Figures:
    leaks: int = 0
    found: int = 0
    harmless: int = 0
    alarms: int = 0

    def add(self, leak: bool, alarm: bool) -> None:
        self.leaks += leak
        self.found += leak and alarm
        self.harmless += not leak
        self.alarms += not leak and alarm

    def line(self) -> str:
        return f"{_rate(self.found, self.leaks)} | {_rate(self.alarms, self.harmless)}"


def _rate(part: int, whole: int) -> str:
    return f"{part / whole:.3f} ({part}/{whole})" if whole else "–"


def figures(notes: Iterable[Mapping[str, Any]]) -> dict[tuple[str, str], Figures]:
    """By (language, kind), with `all` for either. Raises ValueError for a note without the mark."""
    made: dict[tuple[str, str], Figures] = {}
    for note in notes:
        alarm = bool(find_debt_words(note["text"]))
        language, kind = note["language"], str(note.get("kind", "none"))
        for key in {(ALL, ALL), (language, ALL), (language, kind)}:
            made.setdefault(key, Figures()).add(is_leak(note), alarm)
    return made


def is_leak(note: Mapping[str, Any]) -> bool:
    name, leak = MARK
    if name not in note:
        raise ValueError(f"a note has no field {name}, which says whether it is a leak")
    return bool(note[name] == leak)


def read_notes(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]


def table(made: Mapping[tuple[str, str], Figures], *, kinds: bool) -> list[str]:
    """Markdown rows; `all` comes first."""
    chosen = sorted(key for key in made if kinds or key[1] == ALL)
    chosen.sort(key=lambda key: (key[0] != ALL, key[0], key[1] != ALL))
    rows = [f"| {language} | {kind} | {made[language, kind].line()} |" for language, kind in chosen]
    return ["| language | kind | recall | false alarms |", "|---|---|---|---|", *rows]


if __name__ == "__main__":
    sys.stdout.write("\n".join(table(figures(read_notes(Path(sys.argv[1]))), kinds="--summary" not in sys.argv)) + "\n")
