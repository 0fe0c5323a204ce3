"""Words that make a letter look like a court's, an authority's or a threat, found however they are dressed up.

A word of the data is a phrase of lower-case words without accents; a star stands for the rest of a word. Text is
compared in the same form: capitals, accents, punctuation, invisible characters, letters of other alphabets that look
alike, and spaces between single letters ("J U Z G A D O") are undone first. Time grows with the text's length alone:
the patterns are alternatives of plain words, each tried where a word begins.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

from field_api.domain.letter_rules import Forbidden, LetterRules

MAX_CHARACTERS = 200_000
"""No letter and no template is longer; what is gets no answer but that."""

STOPPED = "while collection is stopped, nothing is asked for"
"""Why a letter that confirms an objection holds no word of paying."""


@dataclass(frozen=True)
class WordFound:
    """A forbidden word as the rules write it (never the text around it), and whose rule it is."""

    word: str
    source: str


class TooLong(ValueError):
    """The text is longer than MAX_CHARACTERS."""


def check_words(text: str, rules: LetterRules) -> tuple[WordFound, ...]:
    """Every forbidden word of the place that `text` holds, in the rules' order. Raises TooLong.

    Of rules that look at certain fields alone (an addressee's name), none is applied: they say nothing of prose.
    """
    return tuple(_all_found([text], (entry for entry in rules.forbidden if not entry.fields)))


def asks_for_payment(text: str, rules: LetterRules) -> tuple[WordFound, ...]:
    """The words in `text` that ask for payment: not in a letter that confirms an objection. Raises TooLong."""
    return tuple(_all_found([text], [Forbidden(rules.asking, STOPPED)]))


def first_word(texts: Iterable[str], forbidden: Forbidden) -> WordFound | None:
    """The first of these words in any of the texts. Raises TooLong."""
    return next(iter(_all_found(texts, [forbidden])), None)


def holds_word(text: str, words: tuple[str, ...]) -> bool:
    """Whether any of `words` stands in the text. Raises TooLong."""
    return bool(words) and _pattern(words).search(plain(text)) is not None


def _all_found(texts: Iterable[str], rules: Iterable[Forbidden]) -> Iterable[WordFound]:
    lines = [plain(text) for text in texts]
    for entry in rules:
        for line in lines:
            rest = _pattern(entry.harmless).sub(" ", line) if entry.harmless else line
            for match in _pattern(entry.words).finditer(rest):
                yield WordFound(_rule_of(entry.words, match[1]), entry.source)


def plain(text: str) -> str:
    """The text as words compare it: folded words with one space before each. Raises TooLong."""
    if len(text) > MAX_CHARACTERS:
        raise TooLong(f"more than {MAX_CHARACTERS} characters")
    if not text.isascii():
        apart = unicodedata.normalize("NFKD", text).translate(_ALIKE)
        text = "".join(one for one in apart if unicodedata.category(one) not in ("Mn", "Cf"))
    line = " " + " ".join(re.findall(r"[^\W_]+", text.casefold()))
    return _SPACED_OUT.sub(lambda run: " " + run[0].replace(" ", ""), line)


_SPACED_OUT = re.compile(r"(?: \w){4,}(?= |$)")
"""Four single letters or more in a row: fewer are initials, as in "S.A. de C.V."."""


def _alike() -> dict[int, str]:
    """Cyrillic and Greek letters that nobody tells from Latin ones, and letters that NFKD leaves whole."""
    cyrillic = zip("аеорсухіјѕһԁԛԝкмтвнАВЕКМНОРСТХУІЈЅ", "aeopcyxijshdqwkmtbhABEKMHOPCTXYIJS", strict=True)
    greek = zip("αορινυτκΑΒΕΖΗΙΚΜΝΟΡΤΥΧ", "aopivutkABEZHIKMNOPTYX", strict=True)
    whole = zip("ıøØłŁđĐ", "ioOlLdD", strict=True)
    return {ord(one): latin for one, latin in (*cyrillic, *greek, *whole)}


_ALIKE = _alike()


@cache
def _pattern(words: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile(" (" + "|".join(_alternative(word) for word in words) + ")(?= |$)")


def _alternative(word: str) -> str:
    stem = re.escape(word.removesuffix("*"))
    return stem + r"\w*" if word.endswith("*") else stem


def _rule_of(words: tuple[str, ...], found: str) -> str:
    """The rule's own word: what was found may hold more than it (the rest that a star stands for)."""
    return next(word for word in words if found == word or (word.endswith("*") and found.startswith(word[:-1])))
