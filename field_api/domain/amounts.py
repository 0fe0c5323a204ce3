"""Amounts of money in a creditor's file: exact minor units or a refusal, never a guess.

Minor units per currency come from CLDR (babel). Grouping marks must stand where groups of three end.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_EVEN, Context, Decimal
from functools import lru_cache

from babel.numbers import get_currency_precision, is_currency

from field_api.domain.cells import Cell
from field_api.domain.row_errors import CellRefused, RowCode

MOST_MINOR = 10**15
_SPREADSHEET = Context(prec=15, rounding=ROUND_HALF_EVEN)  # a spreadsheet has 15 digits; the rest is binary dust
_SIGNS = "$€£¥₡₲₵₹₺₽₩₪฿₫₱"
_BLANKS = re.compile("[\\s\u00a0\u202f\u2009'’]")
_GROUPED = re.compile("\\d{1,3}(?:[\\s\u00a0\u202f\u2009'’]\\d{3})+(?:[.,]\\d*)?", re.ASCII)
_PLAIN = re.compile(r"\d[\d.,]*", re.ASCII)
_SIMPLE = re.compile(r"(\d{1,12})(?:([.,])(\d\d))?", re.ASCII)
_NUMBER = re.compile(r"\d+(?:[.,]\d+)*", re.ASCII)


@lru_cache(maxsize=256)
def minor_digits(currency: str) -> int:
    """Decimal digits of an ISO 4217 currency (CLDR). Raises CellRefused for an unknown code."""
    if not is_currency(currency):
        raise CellRefused(RowCode.UNKNOWN_CURRENCY, "not an ISO 4217 currency code")
    return int(get_currency_precision(currency))


def read_currency(text: str) -> str:
    """An ISO 4217 code in capitals. Raises CellRefused."""
    code = text.strip().upper()
    minor_digits(code)
    return code


def read_amount(cell: Cell, currency: str, decimal_mark: str | None) -> int:
    """Minor units of an amount in `currency`. Raises CellRefused.

    `decimal_mark` is the creditor's convention, "." or ","; None accepts what can be read in one way only, so that
    1.234 is refused. A currency sign or the currency's code may stand before or after, a minus before or after,
    or brackets around.
    """
    if isinstance(cell, Decimal):
        return _minor(_SPREADSHEET.create_decimal(cell), currency)
    if not isinstance(cell, str):
        raise CellRefused(RowCode.NOT_AN_AMOUNT, "not an amount")
    simple = _SIMPLE.fullmatch(cell)
    if simple and minor_digits(currency) == 2 and decimal_mark in (None, simple[2] or decimal_mark):
        return int(simple[1]) * 100 + int(simple[3] or 0)  # most amounts of most files
    text, negative = _bare(cell, currency)
    if _BLANKS.search(text) and not _GROUPED.fullmatch(text):
        raise CellRefused(RowCode.NOT_AN_AMOUNT, "spaces where no group of three digits ends")
    value = Decimal(_with_point(_BLANKS.sub("", text), decimal_mark))
    return _minor(-value if negative else value, currency)


def _bare(cell: str, currency: str) -> tuple[str, bool]:
    text = cell.strip()
    if _PLAIN.fullmatch(text):
        return text, False
    text = text.replace("−", "-")
    negative = text.startswith("(") and text.endswith(")")
    if negative:
        text = text[1:-1].strip()
    for _ in range(2):  # sign and currency come in either order, on either side
        for mark in (currency, currency.lower(), "US$", "MX$", *_SIGNS):
            text = text.removeprefix(mark).removesuffix(mark).strip()
        if not negative and (text.startswith("-") or text.endswith("-")):
            text, negative = text.strip("-").strip(), True
    return text, negative


def _with_point(text: str, mark: str | None) -> str:
    """The number with a decimal point and no grouping."""
    if not _NUMBER.fullmatch(text) and not re.fullmatch(r"\d+[.,]", text, re.ASCII):
        raise CellRefused(RowCode.NOT_AN_AMOUNT, "not an amount")
    mark = mark or _decimal_mark(text)
    group = "," if mark == "." else "."
    whole, _, fraction = text.partition(mark)
    groups = whole.split(group)
    if mark in fraction or group in fraction:
        raise CellRefused(RowCode.NOT_AN_AMOUNT, f"the decimal mark here is {mark!r}")
    if len(groups) > 1 and not (1 <= len(groups[0]) <= 3 and all(len(g) == 3 for g in groups[1:])):
        raise CellRefused(RowCode.NOT_AN_AMOUNT, "grouping marks where no group of three digits ends")
    return "".join(groups) + "." + (fraction or "0")


def _decimal_mark(text: str) -> str:
    marks = [c for c in text if c in ".,"]
    if len(set(marks)) == 2:
        return marks[-1]
    if len(marks) > 1:
        return "." if marks[0] == "," else ","
    if marks and len(text.rpartition(marks[0])[2]) == 3:
        raise CellRefused(
            RowCode.AMBIGUOUS_AMOUNT, "one mark before three digits: the column map must say what the decimal mark is"
        )
    return marks[0] if marks else "."


def _minor(value: Decimal, currency: str) -> int:
    scaled = value.scaleb(minor_digits(currency))
    if scaled != scaled.to_integral_value():
        raise CellRefused(RowCode.TOO_MANY_DECIMALS, f"{currency} has {minor_digits(currency)} decimals")
    if abs(scaled) > MOST_MINOR:
        raise CellRefused(RowCode.NOT_AN_AMOUNT, "larger than any account")
    return int(scaled)


@dataclass(frozen=True, slots=True)
class Owed:
    """What an account owes, in minor units; the parts always add up to the balance."""

    balance: int
    principal: int
    interest: int = 0
    fees: int = 0


NOTHING_OWED = Owed(0, 0)


def owed_from(balance: int | None, principal: int | None, interest: int | None, fees: int | None) -> Owed | None:
    """What a row says is owed; None where it names neither balance nor principal. Raises CellRefused.

    A balance alone counts as principal. A credit balance (below zero) owes nothing. Parts must add up.
    """
    if any(part is not None and part < 0 for part in (principal, interest, fees)):
        raise CellRefused(RowCode.NEGATIVE_AMOUNT, "principal, interest and fees cannot be below zero")
    if balance is not None and balance <= 0:
        return NOTHING_OWED
    if balance is None:
        if principal is None:
            if interest is not None or fees is not None:
                raise CellRefused(RowCode.AMOUNTS_DO_NOT_ADD_UP, "interest or fees without principal or balance")
            return None
        return Owed(principal + (interest or 0) + (fees or 0), principal, interest or 0, fees or 0)
    if principal is None:
        principal = balance - (interest or 0) - (fees or 0)
    if principal < 0 or principal + (interest or 0) + (fees or 0) != balance:
        raise CellRefused(RowCode.AMOUNTS_DO_NOT_ADD_UP, "principal, interest and fees do not make the balance")
    return Owed(balance, principal, interest or 0, fees or 0)


def after_payment(owed: Owed, paid_minor: int) -> Owed:
    """What is left after a payment: fees first, then interest, then principal; never below zero.

    Source of the order: CCF (Mexico) art. 2094; BGB § 367 (1); Code civil art. 1343-1 (costs, interest, principal).
    """
    left = paid_minor
    fees = max(0, owed.fees - left)
    left -= owed.fees - fees
    interest = max(0, owed.interest - left)
    left -= owed.interest - interest
    principal = max(0, owed.principal - left)
    return Owed(principal + interest + fees, principal, interest, fees)


def lowers_balance(paid_on: date, balance_calculated_on: date) -> bool:
    """Whether a payment came after the balance was told: an earlier one is already in it."""
    return paid_on >= balance_calculated_on
