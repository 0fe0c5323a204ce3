"""What must be read on a letter, and whether it can be read there.

A creditor's template may lay a letter out as it likes. What the house composed stays: every block is there because a
jurisdiction requires it or because the addressee would miss it, so that each of its texts has to be found again.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

MAX_PIECES = 6
"""A paragraph may go over a page or a column, and what stands at a page's foot then stands in its middle."""
_LEAST_PIECE = 4
_DROPPED = {"Z", "C"}  # spaces, what cannot be seen
_HYPHENS = "-\N{HYPHEN}\N{NON-BREAKING HYPHEN}"
_PLAIN_BELOW = 0x590
"""Up to Armenian letters are drawn one after the other; some scripts beyond are drawn in another order than written."""
_PLAIN_AGAIN = (0x1E00, 0x1FFF), (0x2000, 0x2BFF), (0x3000, 0xD7FF), (0xFF00, 0xFFEF)

_APART = re.compile(r"(?<=[^\W_A-Z])(?=[A-Z])")
"""Between words that are put together without a space: a letter or digit before a capital."""


def must_show(letter: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    """The texts of a letter's content (LetterContent.wire), by where they stand: `es/4 table: Capital`.

    A name holds the house's own words alone: it may be told to whoever may not read the letter.
    """
    brand = letter.get("brand") or {}
    found: dict[str, tuple[str, ...]] = {
        "serial": (letter["serial"],),
        "sender_lines": tuple(brand.get("sender_lines") or letter["sender_lines"]),
    }
    for part in letter["parts"]:
        language = part["language"]
        found[f"{language} title"] = (part["title"],)
        found[f"{language} date"] = (part["date"],)
        for number, block in enumerate(part["blocks"], 1):
            for name, texts in _of_block(block):
                found[f"{language}/{number} {block['block']}{name}"] = texts
    return found


def missing(wanted: Mapping[str, Sequence[str]], page_texts: Sequence[str]) -> tuple[str, str] | None:
    """The name of the first thing that cannot be read on these pages, and its text; None where all can."""
    page = written("".join(page_texts))
    letters = frozenset(page)
    for name, texts in wanted.items():
        for text in texts:
            if not _is_there(text, page, letters):
                return name, text
    return None


def written(text: str) -> str:
    """Without case, spaces, hyphens and what cannot be seen: lines break where they will."""
    plain = unicodedata.normalize("NFKC", text).casefold()
    return "".join(c for c in plain if c not in _HYPHENS and (c == "\0" or unicodedata.category(c)[0] not in _DROPPED))


def own_words(wanted: Mapping[str, Sequence[str]], runs: Sequence[str]) -> str:
    """What a template says of its own accord: the lines (or their parts) that the house did not write."""
    house = written("\0".join(text for texts in wanted.values() for text in texts))
    return " ".join(_APART.sub(" ", run.strip()) for run in runs if written(run) not in house)


def _of_block(block: Mapping[str, Any]) -> Iterator[tuple[str, tuple[str, ...]]]:
    rows = [*block.get("rows", ()), block.get("total") or ()]  # a table's head may go: each row says what it is
    yield from ((f": {row[0]}", tuple(row)) for row in rows if row)
    said = [block[name] for name in ("caption", "text") if block.get(name)]
    said += block.get("items", ())
    if said:
        yield "", tuple(said)


def _is_there(text: str, page: str, letters: frozenset[str]) -> bool:
    wanted = written(text)
    plain = "".join(c for c in wanted if _is_plain(c))
    if any(c not in letters for c in wanted if not _is_plain(c)):
        return False
    place = 0
    for _ in range(MAX_PIECES):
        if place == len(plain):
            return True
        length = _longest(plain[place:], page)
        if length < min(_LEAST_PIECE, len(plain) - place):
            return False
        place += length
    return place == len(plain)


def _longest(wanted: str, page: str) -> int:
    """How many of its first letters stand together: whatever does not stand there does not with more behind it."""
    least, most = 0, len(wanted)
    while least < most:
        middle = (least + most + 1) // 2
        if wanted[:middle] in page:
            least = middle
        else:
            most = middle - 1
    return least


def _is_plain(letter: str) -> bool:
    code = ord(letter)
    return code < _PLAIN_BELOW or any(first <= code <= last for first, last in _PLAIN_AGAIN)
