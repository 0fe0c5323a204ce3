"""A letter as it is shown after the identity check: data, in the addressee's language (docs/protocol.md §7)."""

from __future__ import annotations

from dataclasses import dataclass, field

from sync.phone import wire
from sync.phone.locks import Brief

DIRECTIONS = ("ltr", "rtl")
CUT = "…"
"""A text whose last line is this had no room: the rest stands on the paper."""


@dataclass(frozen=True)
class ShownLetter:
    """Printing it shows neither title nor text."""

    serial: str
    kind: str
    language: str  # BCP 47, for the screen reader and the choice of fonts
    direction: str  # ltr | rtl
    is_whole: bool
    title: str = field(repr=False)
    lines: tuple[str, ...] = field(repr=False)


def letters_of(brief: Brief) -> tuple[ShownLetter, ...]:
    """Every letter of the part. Raises Untrusted `bad-form` for what is none."""
    return tuple(_letter(letter) for letter in wire.field(brief.contents, "letters", list))


def _letter(letter: object) -> ShownLetter:
    if not isinstance(letter, dict):
        raise wire.bad("a letter is an object")
    text: str = wire.field(letter, "text", str)
    lines = text.split("\n")
    title = letter.get("title")
    if title is None:  # of an office from before titles
        title, *lines = lines
    direction = letter.get("direction", "ltr")
    if not isinstance(title, str) or direction not in DIRECTIONS:
        raise wire.bad("a letter has a title and a direction")
    is_whole = lines[-1:] != [CUT]
    return ShownLetter(
        wire.field(letter, "serial", str),
        wire.field(letter, "kind", str),
        wire.field(letter, "language", str),
        direction,
        is_whole,
        title,
        tuple(lines if is_whole else lines[:-1]),
    )
