"""What others wrote, made fit for paper: nothing invisible, nothing that moves its neighbours, every letter kept.

Facts of letters and sheets come from creditors' files, from phones and from people. Before they are composed
(docs/letters.md, "What is printed of what was written"):

- a line break, a tab and every kind of space but the unbroken ones become one space, runs of them too; ends are bare;
- control characters, marks of direction (U+202E and its kin) and other characters that only steer a layout are gone;
  a joiner stays between two characters that it may join (Persian, Indic scripts, emoji);
- what is no character (half of a pair, private use, a non-character) is shown as U+FFFD, so that nothing is lost
  without a trace;
- the text is in Unicode's normal form C, and of the marks upon one character the first few stay: no script writes
  more, and a hundred of them would cover other lines;
- a text with letters that are read from right to left is enclosed in isolates, which keep its surroundings in order
  (Unicode Standard Annex 9).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass, replace
from typing import Any, TypeVar, cast

MOST_GENERAL_MARKS = 4  # of the diacritics that any letter may carry: Vietnamese writes two, a transcription three
MOST_MARKS = 8  # of all: Hebrew with all its signs has five, a Tibetan stack seven
LOST = "\N{REPLACEMENT CHARACTER}"
ISOLATE, ISOLATED = "\N{FIRST STRONG ISOLATE}", "\N{POP DIRECTIONAL ISOLATE}"

_UNBROKEN = "\N{NO-BREAK SPACE}\N{NARROW NO-BREAK SPACE}\N{FIGURE SPACE}"
_JOINERS = "\N{ZERO WIDTH JOINER}\N{ZERO WIDTH NON-JOINER}"
_SPACES = re.compile(rf"(?:(?![{_UNBROKEN}])[\s\u2800])+")
_VISIBLE = r"[!-~\xa1-\xac\xae-\u024f]"  # Latin letters with their marks, digits, punctuation
_READY = re.compile(rf"(?:{_VISIBLE}+(?:[ \xa0\u202f]{_VISIBLE}+)*)?")
# Surrogates, private use, what stands for an object that a text cannot hold, and non-characters.
_NO_CHARACTER = re.compile(
    "[\ud800-\udfff\ue000-\uf8ff\ufffc\ufdd0-\ufdef\ufffe\uffff\U000f0000-\U0010ffff"
    + "".join(chr(plane << 16 | last) for plane in range(1, 15) for last in (0xFFFE, 0xFFFF))
    + "]"
)
_LOOSE_JOINERS = re.compile(rf"(?<![^\s{_JOINERS}])[{_JOINERS}]+|[{_JOINERS}]+(?=\s|$)|(?<=[{_JOINERS}])[{_JOINERS}]+")
_GENERAL_MARK = re.compile(r"[\u0300-\u036f\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]")
# Format characters that are seen (Arabic, Syriac and Kaithi signs before numbers) or spell (Mongolian).
_SEEN_FORMATS = frozenset(map(chr, [*range(0x600, 0x606), 0x6DD, 0x70F, 0x890, 0x891, 0x8E2, 0x110BD, 0x110CD, 0x180E]))
# Letters and marks by category, blank by nature: fillers of Hangul, the grapheme joiner, vowels that Khmer never shows.
_BLANK = frozenset("\u115f\u1160\u3164\uffa0\u034f\u17b4\u17b5")
_Value = TypeVar("_Value")


def printable(text: str) -> str:
    """The text as it goes to paper and to the phone; once more through it changes nothing."""
    if _READY.fullmatch(text):
        return text
    known = _NO_CHARACTER.sub(LOST, _SPACES.sub(" ", text))
    shown = "".join(character for character in known if not _steers(character))
    marked = "".join(_with_few_marks(unicodedata.normalize("NFC", _SPACES.sub(" ", shown))))
    kept = _SPACES.sub(" ", _LOOSE_JOINERS.sub("", marked)).strip(" ")
    return f"{ISOLATE}{kept}{ISOLATED}" if any(map(_from_right, kept)) else kept


def printable_in(value: _Value) -> _Value:
    """The same value with every text in it made printable: in a record's fields, a mapping's values, a sequence."""
    made: Any = value
    if type(value) is str:  # words of closed vocabularies are strings of another type, and stay
        made = printable(cast(str, value))
    elif is_dataclass(value) and not isinstance(value, type):
        made = replace(value, **{field.name: printable_in(getattr(value, field.name)) for field in fields(value)})
    elif isinstance(value, Mapping):
        made = {name: printable_in(inner) for name, inner in value.items()}
    elif isinstance(value, (list, tuple)):
        made = type(value)(printable_in(inner) for inner in value)
    return cast(_Value, made)


def _steers(character: str) -> bool:
    """Whether a character has no look of its own and moves, hides or parts others. Joiners are looked at in place."""
    if character in _BLANK:
        return True
    steering = unicodedata.category(character) in ("Cc", "Cf")
    return steering and character not in _SEEN_FORMATS and character not in _JOINERS


def _with_few_marks(text: str) -> Iterator[str]:
    """The characters without the marks that are too many, or that have nothing to stand upon."""
    marks = general = MOST_MARKS  # at the start, and behind a space, there is no character to mark
    for character in text:
        if unicodedata.category(character) not in ("Mn", "Me"):
            if character not in _JOINERS:  # what joins is no new letter
                marks = general = MOST_MARKS if character == " " else 0
            yield character
            continue
        is_general = bool(_GENERAL_MARK.match(character))
        if marks < MOST_MARKS and not (is_general and general >= MOST_GENERAL_MARKS):
            marks, general = marks + 1, general + is_general
            yield character


def _from_right(character: str) -> bool:
    return unicodedata.bidirectional(character) in ("R", "AL")
