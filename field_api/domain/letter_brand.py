"""How a creditor's letters look and in whose name they go out. Data, checked on reading.

    {"in_name_of": "creditor",
     "colour": "#1f3a5f",
     "logo": "<SHA-256 of a picture of the creditor's, hex>",
     "sender_lines": ["Mueblería Ficticia", "Avenida Ficticia 1", "06000 Ciudad Inventada"],
     "signature_name": "R. Inventada", "signature_title": "Atención a clientes", "signature_image": "<SHA-256, hex>",
     "paragraphs": {"reminder": {"es": ["..."], "en": ["..."]}}}

What is left out is the house's own: the agency's name, its plain look, no paragraph.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from field_api.domain.letter_model import LetterBrand, LetterKind

MOST_LINES, LONGEST_LINE = 6, 80
MOST_PARAGRAPHS, LONGEST_PARAGRAPH = 3, 600
"""A letter's own words come first: what a creditor adds fills less than half a page."""
LEAST_CONTRAST = 4.5
"""Against white paper. Source: WCAG 2.2, 1.4.3 (AA) for text of normal size; a copier is no better than an eye."""
NAMES = ("agency", "creditor")
IMAGES = ("logo", "signature_image")
_TEXTS = ("signature_name", "signature_title")
_KEYS = frozenset({"in_name_of", "colour", "sender_lines", "paragraphs", *IMAGES, *_TEXTS})
_COLOUR = re.compile(r"#[0-9a-f]{6}", re.ASCII)
_HASH = re.compile(r"[0-9a-f]{64}", re.ASCII)
_LANGUAGE = re.compile(r"[a-z]{2,3}", re.ASCII)
Paragraphs = Mapping[str, Mapping[str, tuple[str, ...]]]


class BadBrand(ValueError):
    """A brand cannot be understood. `at` names the place, the text says what is wanted there and repeats nothing."""

    def __init__(self, at: str, message: str) -> None:
        super().__init__(message)
        self.at, self.message = at, message


@dataclass(frozen=True)
class Brand:
    in_name_of: str = "agency"
    look: LetterBrand = field(default_factory=LetterBrand)
    paragraphs: Paragraphs = field(default_factory=dict)  # kind -> language -> texts

    def own_words(self, kind: str, language: str) -> tuple[str, ...]:
        """The creditor's paragraphs for a letter of this kind; a language tag's first part counts."""
        return self.paragraphs.get(kind, {}).get(language.partition("-")[0].lower(), ())

    def texts(self) -> Iterator[tuple[str, str]]:
        """(place, text) of everything that is said in words."""
        yield from ((f"sender_lines.{index}", line) for index, line in enumerate(self.look.sender_lines))
        yield from ((name, getattr(self.look, name)) for name in _TEXTS)
        for kind, languages in self.paragraphs.items():
            for language, texts in languages.items():
                yield from ((f"paragraphs.{kind}.{language}.{index}", text) for index, text in enumerate(texts))


def read_brand(stored: Any) -> Brand:
    """The brand that the data say. Raises BadBrand for what is not understood, naming the place."""
    data = _table("brand", stored, _KEYS)
    if data.get("in_name_of", "agency") not in NAMES:
        raise BadBrand("in_name_of", "agency or creditor")
    look = LetterBrand(
        sender_lines=_list("sender_lines", data.get("sender_lines", []), MOST_LINES, LONGEST_LINE),
        colour=_colour(data.get("colour", "")),
        **{name: _hash(name, data.get(name, "")) for name in IMAGES},
        **{name: _text(name, data.get(name, ""), LONGEST_LINE, empty=True) for name in _TEXTS},
    )
    return Brand(data.get("in_name_of", "agency"), look, _paragraphs(data.get("paragraphs", {})))


def _paragraphs(stored: Any) -> Paragraphs:
    kinds = _table("paragraphs", stored, frozenset(kind.value for kind in LetterKind))
    return {kind: _languages(f"paragraphs.{kind}", kinds[kind]) for kind in sorted(kinds)}


def _languages(at: str, stored: Any) -> Mapping[str, tuple[str, ...]]:
    if not isinstance(stored, Mapping) or not all(isinstance(key, str) and _LANGUAGE.fullmatch(key) for key in stored):
        raise BadBrand(at, "a table by language: es, en ...")
    return {
        language: _list(f"{at}.{language}", stored[language], MOST_PARAGRAPHS, LONGEST_PARAGRAPH)
        for language in sorted(stored)
    }


def _colour(value: Any) -> str:
    colour = value.lower() if isinstance(value, str) else None
    if colour == "":
        return ""
    if colour is None or not _COLOUR.fullmatch(colour):
        raise BadBrand("colour", "#rrggbb is wanted")
    if contrast_with_white(colour) < LEAST_CONTRAST:
        raise BadBrand("colour", f"too pale on white: a contrast of {LEAST_CONTRAST}:1 is wanted")
    return colour


def contrast_with_white(colour: str) -> float:
    """The contrast ratio of "#rrggbb" with white, 1 to 21 (WCAG 2.2, definitions of contrast ratio and luminance)."""
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 1.05 / (0.2126 * red + 0.7152 * green + 0.0722 * blue + 0.05)


def _hash(at: str, value: Any) -> str:
    if value != "" and not (isinstance(value, str) and _HASH.fullmatch(value)):
        raise BadBrand(at, "the SHA-256 of a picture that was sent before, in hex")
    return str(value)


def _list(at: str, stored: Any, most: int, longest: int) -> tuple[str, ...]:
    if not isinstance(stored, list | tuple) or len(stored) > most:
        raise BadBrand(at, f"a list of at most {most} texts")
    return tuple(_text(f"{at}.{index}", text, longest) for index, text in enumerate(stored))


def _text(at: str, value: Any, longest: int, *, empty: bool = False) -> str:
    text = value.strip() if isinstance(value, str) else None
    if text is None or len(text) > longest or not text.isprintable() or not (text or empty):
        raise BadBrand(at, f"1 to {longest} printable characters")
    return text


def _table(at: str, stored: Any, known: frozenset[str]) -> Mapping[str, Any]:
    if not isinstance(stored, Mapping):
        raise BadBrand(at, "a table is wanted")
    if set(stored) - known:
        raise BadBrand(at, f"known here: {', '.join(sorted(known))}")
    return stored
