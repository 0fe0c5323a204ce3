"""Identity answers: what the right person knows, in one normal form on every side.

A phone client compares what was typed at the door with what the creditor supplied, so both sides MUST normalise alike.
The vectors are tests/vectors/identity_answers.json. Rules, in this order:

N1. An input longer than 256 bytes of UTF-8 MUST be refused. "Refused" means: it is no answer, and can match none.
N2. *Clean*: the text MUST be put into Unicode NFKD; then each of these letters MUST be replaced as `LETTERS` says:
    ß ss, ẞ SS, æ ae, Æ AE, œ oe, Œ OE, ø o, Ø O, đ d, Đ D, ð d, Ð D, ħ h, Ħ H, ı i, ł l, Ł L, þ th, Þ TH; then a-z
    MUST become A-Z; then every character but A-Z and 0-9 MUST be removed. No locale is consulted.
N3. `curp`: clean; the result MUST be 18 characters long, else refused.
N4. `tax_id`: clean; MUST be 5 to 20 characters, else refused.
N5. `mother_maiden_name`, `agreed_word`: clean; MUST be 2 to 80 (agreed_word 4 to 80) characters, else refused.
N6. `postcode`: clean; where the result is exactly nine digits, only the first five MUST be kept (ZIP+4); MUST then be
    3 to 10 characters, else refused.
N7. `account_last4`, `id_document_last4`: clean; fewer than 4 characters MUST be refused; the last 4 MUST be kept.
N8. `ssn_last4`, `phone_last4`: clean, then remove A-Z; fewer than 4 digits MUST be refused; the last 4 MUST be kept.
N9. `birth_date`: NFKD; the runs of digits 0-9 in the text MUST be read. The first matching form counts:
    a. one run of 8 digits: YYYYMMDD;
    b. three runs, the first of 4 digits, the others of 1 or 2: year, month, day;
    c. three runs, the last of 4 digits, the others of 1 or 2: day, month, year.
    Anything else, a letter A-Z or a-z anywhere, a year before 1850 or after 2200, and a day that the Gregorian
    calendar does not have MUST be refused. The result MUST be YYYY-MM-DD. A phone whose user writes the month first
    MUST itself pass form (b).

Two answers count as two only where their groups differ (`independent_group`): from a Mexican CURP one reads the birth
date and most of the tax id.
"""

from __future__ import annotations

import re
import unicodedata
from datetime import date
from enum import StrEnum


class AnswerKind(StrEnum):
    TAX_ID = "tax_id"
    CURP = "curp"
    BIRTH_DATE = "birth_date"
    ACCOUNT_LAST4 = "account_last4"
    POSTCODE = "postcode"  # of a billing address: the visited one is printed on the sheet
    MOTHER_MAIDEN_NAME = "mother_maiden_name"
    SSN_LAST4 = "ssn_last4"
    ID_DOCUMENT_LAST4 = "id_document_last4"
    PHONE_LAST4 = "phone_last4"
    AGREED_WORD = "agreed_word"  # agreed between the creditor and the party


ANSWER_KINDS = frozenset(AnswerKind)
MAX_INPUT_BYTES = 256


class NoAnswer(ValueError):
    """The text cannot be an answer of this kind. Never quotes the text."""


LETTERS = str.maketrans(
    {
        "ß": "ss",
        "ẞ": "SS",
        "æ": "ae",
        "Æ": "AE",
        "œ": "oe",
        "Œ": "OE",
        "ø": "o",
        "Ø": "O",
        "đ": "d",
        "Đ": "D",
        "ð": "d",
        "Ð": "D",
        "ħ": "h",
        "Ħ": "H",
        "ı": "i",
        "ł": "l",
        "Ł": "L",
        "þ": "th",
        "Þ": "TH",
    }
)
_LENGTHS: dict[AnswerKind, tuple[int, int]] = {
    AnswerKind.CURP: (18, 18),
    AnswerKind.TAX_ID: (5, 20),
    AnswerKind.MOTHER_MAIDEN_NAME: (2, 80),
    AnswerKind.AGREED_WORD: (4, 80),
    AnswerKind.POSTCODE: (3, 10),
}
_UNWANTED = re.compile(r"[^A-Z0-9]")
_SMALL = re.compile(r"[a-z]+")
_DIGITS = re.compile(r"[0-9]+")


def normalise(kind: AnswerKind, text: str) -> str:
    """The normal form of an answer by rules N1 to N9. Raises NoAnswer."""
    if len(text.encode("utf-8", "surrogatepass")) > MAX_INPUT_BYTES:
        raise NoAnswer("too long")
    if kind is AnswerKind.BIRTH_DATE:
        return _birth_date(text)
    cleaned = clean(text)
    if kind in (AnswerKind.SSN_LAST4, AnswerKind.PHONE_LAST4):
        return _last4("".join(_DIGITS.findall(cleaned)))
    if kind in (AnswerKind.ACCOUNT_LAST4, AnswerKind.ID_DOCUMENT_LAST4):
        return _last4(cleaned)
    if kind is AnswerKind.POSTCODE and len(cleaned) == 9 and cleaned.isdigit():
        cleaned = cleaned[:5]
    least, most = _LENGTHS[kind]
    if not least <= len(cleaned) <= most:
        raise NoAnswer(f"needs {least} to {most} letters and digits")
    return cleaned


def clean(text: str) -> str:
    """Rule N2: capital letters A-Z and digits alone, accents folded."""
    plain = unicodedata.normalize("NFKD", text).translate(LETTERS)
    return _UNWANTED.sub("", _SMALL.sub(lambda run: run.group().upper(), plain))


def _last4(cleaned: str) -> str:
    if len(cleaned) < 4:
        raise NoAnswer("needs at least four")
    return cleaned[-4:]


def _birth_date(text: str) -> str:
    plain = unicodedata.normalize("NFKD", text)
    runs = _DIGITS.findall(plain)
    lengths = tuple(map(len, runs))
    if re.search(r"[A-Za-z]", plain):
        raise NoAnswer("not a date in digits")
    if lengths == (8,):
        year, month, day = runs[0][:4], runs[0][4:6], runs[0][6:]
    elif len(runs) == 3 and lengths[0] == 4 and max(lengths[1:]) <= 2:
        year, month, day = runs
    elif len(runs) == 3 and lengths[2] == 4 and max(lengths[:2]) <= 2:
        day, month, year = runs
    else:
        raise NoAnswer("not a date")
    if not 1850 <= int(year) <= 2200:
        raise NoAnswer("not a year of birth")
    try:
        return date(int(year), int(month), int(day)).isoformat()
    except ValueError as error:
        raise NoAnswer("no such day") from error


BIRTH_DATE_IN_TAX_ID = frozenset(
    {"BE", "BG", "CZ", "DK", "EE", "FI", "HU", "IS", "IT", "LT", "LU", "LV", "MX", "NO", "PL", "RO", "SE", "SK"}
)
"""Countries whose personal tax id is made from the birth date (OECD, Tax Identification Numbers by jurisdiction)."""


def independent_group(kind: AnswerKind, country: str) -> str:
    """The name of the group an answer counts in; `country` is ISO 3166-1 alpha-2 of the party's address."""
    if kind in (AnswerKind.CURP, AnswerKind.BIRTH_DATE):
        return "birth"
    if kind is AnswerKind.TAX_ID and country in BIRTH_DATE_IN_TAX_ID:
        return "birth"
    if kind in (AnswerKind.TAX_ID, AnswerKind.SSN_LAST4):
        return "tax"  # in the US the tax id is the social security number
    return kind.value
