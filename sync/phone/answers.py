"""Identity answers in their one normal form, by the rules and vectors of tests/vectors/identity_answers.json.

An independent writing of rules N1 to N9 (`field_api/domain/identity.py` has the office's): the vectors hold both.
Only A-Z and 0-9 survive; no locale is consulted.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from datetime import date

MAX_INPUT_BYTES = 256
_FOLDED = {
    "ß": "ss", "ẞ": "SS", "æ": "ae", "Æ": "AE", "œ": "oe", "Œ": "OE", "ø": "o", "Ø": "O", "đ": "d", "Đ": "D",
    "ð": "d", "Ð": "D", "ħ": "h", "Ħ": "H", "ı": "i", "ł": "l", "Ł": "L", "þ": "th", "Þ": "TH",
}  # fmt: skip
_KEPT = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789")


class NoAnswer(ValueError):
    """The text can be no answer of this kind; it matches none. Never quotes the text."""


def normal_answer(kind: str, text: str) -> str:
    """The normal form, A-Z and 0-9 alone (a date as YYYY-MM-DD). Raises NoAnswer, also for an unknown kind."""
    if kind not in _RULES:
        raise NoAnswer("not a kind of answer")
    if len(text.encode("utf-8", "surrogatepass")) > MAX_INPUT_BYTES:
        raise NoAnswer("too long")
    return _RULES[kind](text)


def _clean(text: str) -> str:
    decomposed = unicodedata.normalize("NFKD", text)
    folded = "".join(_FOLDED.get(letter, letter) for letter in decomposed)
    # Only a-z: str.upper() would make A-Z of letters that the rules remove.
    upper = (chr(ord(c) - 32) if "a" <= c <= "z" else c for c in folded)
    return "".join(c for c in upper if c in _KEPT)


def _whole(least: int, most: int) -> Callable[[str], str]:
    def rule(text: str) -> str:
        cleaned = _clean(text)
        if not least <= len(cleaned) <= most:
            raise NoAnswer(f"{least} to {most} letters and digits are needed")
        return cleaned

    return rule


def _last_four(text: str) -> str:
    if len(text) < 4:
        raise NoAnswer("at least four are needed")
    return text[-4:]


def _postcode(text: str) -> str:
    cleaned = _clean(text)
    return _whole(3, 10)(cleaned[:5] if re.fullmatch("[0-9]{9}", cleaned) else cleaned)


def _birth_date(text: str) -> str:
    plain = unicodedata.normalize("NFKD", text)
    runs = re.findall("[0-9]+", plain)
    if re.search("[A-Za-z]", plain):
        raise NoAnswer("a date is written in digits")
    match [len(run) for run in runs]:
        case [8]:
            year, month, day = runs[0][:4], runs[0][4:6], runs[0][6:]
        case [4, 1 | 2, 1 | 2]:
            year, month, day = runs
        case [1 | 2, 1 | 2, 4]:
            day, month, year = runs
        case _:
            raise NoAnswer("not a date")
    if not 1850 <= int(year) <= 2200:
        raise NoAnswer("not a year of birth")
    try:
        return date(int(year), int(month), int(day)).isoformat()
    except ValueError as error:
        raise NoAnswer("no such day") from error


_RULES: dict[str, Callable[[str], str]] = {
    "curp": _whole(18, 18),
    "tax_id": _whole(5, 20),
    "mother_maiden_name": _whole(2, 80),
    "agreed_word": _whole(4, 80),
    "postcode": _postcode,
    "birth_date": _birth_date,
    "account_last4": lambda text: _last_four(_clean(text)),
    "id_document_last4": lambda text: _last_four(_clean(text)),
    "ssn_last4": lambda text: _last_four("".join(c for c in _clean(text) if c.isdigit())),
    "phone_last4": lambda text: _last_four("".join(c for c in _clean(text) if c.isdigit())),
}
ANSWER_KINDS = frozenset(_RULES)
