"""Figures and number words become *shapes*: what kind of number stands there, never which one (docs/detector.md §4)."""

from __future__ import annotations

import re

from sync.phone.detector.lexicon import Lexicon

Token = tuple[str, bool]

_GROUPED = re.compile(r"\d{1,3}(?:[.,']\d{3})+(?:[.,]\d{1,2})?")
_HUNDREDTHS = re.compile(r"(\d+)[.,](\d\d)")
_SHAPES = (
    (_GROUPED, "0m"),
    (re.compile(r"\d{1,2}:\d\d(?::\d\d)?"), "0t"),
    (re.compile(r"\d+[.,]\d"), "0f"),
    (re.compile(r"\d+[.,]\d{3,}"), "0c"),
)
_PHONE_DIGITS = 7
_ENDS = frozenset("!?;")
_NO_SIGNS = frozenset("'\"*_~+=")


def shaped(tokens: list[Token], lexicon: Lexicon) -> list[str]:
    """The words and signs as they are, shapes for numbers, a "." before and after all."""
    line: list[str] = ["."]
    place = 0
    while place < len(tokens):
        size, shapes = _figures(tokens, place, lexicon)
        if not size:
            size, shapes = _number_words(tokens, place, lexicon)
        line += shapes if size else _sign(tokens, place)
        place += size or 1
    return [*line, "."]


def _sign(tokens: list[Token], place: int) -> list[str]:
    """Ends of sentences are one sign; a hyphen inside a word and quotes tell nothing, and apostrophes part words."""
    piece = tokens[place][0]
    if piece in _NO_SIGNS or (piece == "-" and _between_words(tokens, place)):
        return []
    return ["." if piece in _ENDS else piece]


def _between_words(tokens: list[Token], place: int) -> bool:
    return 0 < place < len(tokens) - 1 and tokens[place - 1][0].isalpha() and tokens[place + 1][0].isalpha()


def _figures(tokens: list[Token], place: int, lexicon: Lexicon) -> tuple[int, list[str]]:
    """A number, or a row of plain ones with at most one sign between; how many tokens that took."""
    piece = tokens[place][0]
    if piece == "=" and place + 2 < len(tokens) and tokens[place + 1][0].isdigit() and tokens[place + 2][0] == "=":
        return 3, ["0s"]
    if not piece[0].isdigit():
        return 0, []
    row, signs, size = [piece], [], 1
    while piece.isdigit() and (step := _next_plain(tokens, place + size)):
        signs.append(tokens[place + size][0] if step == 2 else "")
        row.append(tokens[place + size + step - 1][0])
        size += step
    if len(row) > 1 and (kind := _kind_of_row(row, signs)):
        return size, [kind] * len(row)
    return _single(tokens, place, lexicon)


def _next_plain(tokens: list[Token], place: int) -> int:
    """Tokens up to the next plain number: 1, or 2 with a sign between, or 0 where none follows."""
    if place < len(tokens) and tokens[place][0].isdigit():
        return 1
    signed = place + 1 < len(tokens) and tokens[place][0] in "-/)." and tokens[place + 1][0].isdigit()
    return 2 if signed else 0


def _kind_of_row(row: list[str], signs: list[str]) -> str:
    """A date, a telephone number, groups of three, a span of small numbers, or nothing in particular."""
    sizes = [len(number) for number in row]
    hyphens = signs.count("-")
    if (len(row) <= 3 and "/" in signs) or (len(row) == 3 and hyphens == 2 and max(sizes) <= 4 and sum(sizes) <= 8):
        return "0d"
    if sum(sizes) >= _PHONE_DIGITS:
        return "0p"
    if not any(signs) and row[0][0] != "0" and sizes[0] <= 3 and set(sizes[1:]) == {3}:
        return "0m"
    return "0t" if len(row) == 2 and hyphens == 1 and all(int(number) <= 24 for number in row) else ""


def _single(tokens: list[Token], place: int, lexicon: Lexicon) -> tuple[int, list[str]]:
    following = tokens[place + 1] if place + 1 < len(tokens) else ("", False)
    if following[1] and following[0] == "k":
        return 2, ["0k"]
    if following[1] and following[0] in lexicon.ordinals and len(tokens[place][0]) < 5:
        return 2, ["0o"]
    if place and tokens[place][1] and tokens[place - 1][0].isalpha() and len(tokens[place - 1][0]) < 3:
        return 1, ["0i"]
    return 1, [shape_of(tokens[place][0])]


def shape_of(figures: str) -> str:
    if figures.isdigit():
        return _plain_shape(figures)
    if match := _HUNDREDTHS.fullmatch(figures):
        whole, part = match.groups()
        return "0q" if len(whole) < 3 and int(whole) < 25 and int(part) < 100 else "0m"
    return next((shape for form, shape in _SHAPES if form.fullmatch(figures)), "0d")


def _plain_shape(figures: str) -> str:
    if figures[0] == "0":
        return "0i" if len(figures) > 1 else "0u"
    if len(figures) >= _PHONE_DIGITS:
        return "0p"
    value = int(figures)
    if value < 20:
        return "0u"
    if 1990 <= value <= 2040 and value not in (2000,):
        return "0y"
    return "0r" if value % 50 == 0 or (value < 100 and value % 10 == 0) else "0n"


def _number_words(tokens: list[Token], place: int, lexicon: Lexicon) -> tuple[int, list[str]]:
    """A row of number words: spelled figures, at least a hundred, at least twenty, or small."""
    kinds: list[str] = []
    size, end = 0, 0
    while place + size < len(tokens):
        kind = _kind(tokens[place + size][0], lexicon)
        joins = kinds and (tokens[place + size][0] == "-" or tokens[place + size][0] in lexicon.numbers["joining"])
        within = kinds and tokens[place + size][0] in lexicon.numbers["digits_within"]
        if not kind and not joins and not within:
            break
        size += 1
        if kind or within:
            kinds.append(kind or "digits")
            end = size
    if not kinds or (end == 1 and tokens[place][0] in lexicon.numbers["alone_no_number"]):
        return 0, []
    return end, [_shape_of_words(kinds)]


def _kind(word: str, lexicon: Lexicon) -> str:
    return next((kind for kind in ("digits", "small", "tens", "large") if word in lexicon.numbers[kind]), "")


def _shape_of_words(kinds: list[str]) -> str:
    if "large" in kinds:
        return "0w"
    if len(kinds) > 2 and set(kinds) == {"digits"}:
        return "0s" if len(kinds) <= 6 else "0p"
    return "0v" if "tens" in kinds else "0u"
