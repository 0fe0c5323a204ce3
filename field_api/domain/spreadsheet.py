"""Cells that a spreadsheet shows and never runs.

Source: OWASP, "CSV Injection": a cell that begins with = + - @, tab or carriage return (or their full-width forms) is a
formula to Excel and LibreOffice, and a formula can send a row away. An apostrophe in front makes it text.
"""

from __future__ import annotations

_FIRST_OF_FORMULAS = frozenset("=+-@＝＋－＠")
_CELL_BREAKS = frozenset("\t\r\n")


def neutral(text: str) -> str:
    """`text` as a cell that is no formula, on one line: what a name or a note holds is shown, never run.

    Blanks and invisible characters in front do not hide a formula from every program, so they are looked through. Line
    ends become blanks, because a reader that breaks rows at them would see a new cell's beginning.
    """
    first_seen = next((letter for letter in text if letter.isprintable() and not letter.isspace()), "")
    dangerous = first_seen in _FIRST_OF_FORMULAS or text[:1] in _CELL_BREAKS
    one_line = text.replace("\r\n", " ").replace("\r", " ").replace("\n", " ").replace("\x00", "")
    return "'" + one_line if dangerous else one_line
