"""Single cells of a creditor's file: text, dates, coordinates and words, read exactly or refused.

A cell is what the file's reader gives: text (CSV), or text, Decimal, date and bool (XLSX), or None for an empty one.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from datetime import date
from decimal import Decimal, InvalidOperation
from enum import StrEnum

from field_api.domain.row_errors import CellRefused, RowCode

Cell = str | Decimal | date | bool | None

MAX_TEXT = 300
MAX_NOTE = 2_000
_SPREADSHEET_DIGITS = Decimal(10) ** 15  # beyond 15 digits a spreadsheet has already rounded


class DateOrder(StrEnum):
    """How a creditor writes days. ISO dates are read under every order."""

    YMD = "YMD"
    DMY = "DMY"
    MDY = "MDY"


def fold(text: str) -> str:
    """Letters and digits of any script, without case, accents, spaces or punctuation: to compare names and headers."""
    plain = text if text.isascii() else unicodedata.normalize("NFKD", text)
    return "".join(filter(str.isalnum, plain.casefold()))


def is_blank(cell: Cell) -> bool:
    return cell is None or cell == "" or (isinstance(cell, str) and cell.isspace())


def read_text(cell: Cell, longest: int = MAX_TEXT) -> str:
    """Text in NFC, runs of white space as one space. Raises CellRefused."""
    if isinstance(cell, bool):
        raise CellRefused(RowCode.NOT_TEXT, "a true/false cell where text belongs")
    if isinstance(cell, Decimal):
        return _digits(cell)
    if isinstance(cell, date):
        return cell.isoformat()
    text = " ".join((cell or "").split())
    if not text.isascii():
        text = unicodedata.normalize("NFC", text)
    if len(text) > longest:
        raise CellRefused(RowCode.TOO_LONG, f"longer than {longest} characters")
    if not text.isprintable() and any(unicodedata.category(c) in ("Cc", "Cs", "Cn") for c in text):
        raise CellRefused(RowCode.CONTROL_CHARACTER, "holds a control character or a broken one")
    return text


def _digits(number: Decimal) -> str:
    if abs(number) >= _SPREADSHEET_DIGITS:
        raise CellRefused(
            RowCode.DIGITS_LOST, "stored as a number of more than 15 digits, which rounds it: store it as text"
        )
    return format(number.quantize(Decimal(1)) if number == number.to_integral_value() else number, "f")


_ISO = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})(?:[T ]00:00(?::00(?:\.0+)?)?)?", re.ASCII)
_COMPACT = re.compile(r"(\d{4})(\d{2})(\d{2})", re.ASCII)
_PARTED = re.compile(r"(\d{1,4})[./ -](\d{1,2})[./ -](\d{1,4})(?: 00:00(?::00)?)?", re.ASCII)
_POSITIONS = {DateOrder.YMD: (0, 1, 2), DateOrder.DMY: (2, 1, 0), DateOrder.MDY: (2, 0, 1)}


def read_date(cell: Cell, order: DateOrder) -> date:
    """A day with a four-digit year: ISO, YYYYMMDD, or the creditor's order. Raises CellRefused."""
    if isinstance(cell, date):
        return cell
    if not isinstance(cell, str):
        raise CellRefused(RowCode.NOT_A_DATE, "a number where a date belongs: format the cell as a date")
    text = cell.strip()
    found = _ISO.fullmatch(text) or _COMPACT.fullmatch(text)
    parts = found.groups() if found else _in_order(text, order)
    try:
        year, month, day = (int(part) for part in parts)
        if not 1850 <= year <= 2200:
            raise ValueError
        return date(year, month, day)
    except ValueError as error:
        raise CellRefused(RowCode.NOT_A_DATE, f"not a day of the calendar written as {order.value}") from error


def _in_order(text: str, order: DateOrder) -> tuple[str, str, str]:
    found = _PARTED.fullmatch(text)
    if found is None:
        raise CellRefused(RowCode.NOT_A_DATE, f"not a date: write {order.value} with a four-digit year, or YYYY-MM-DD")
    groups = found.groups()
    year, month, day = (groups[position] for position in _POSITIONS[order])
    if len(year) != 4:
        raise CellRefused(RowCode.NOT_A_DATE, f"not {order.value} with a four-digit year")
    return year, month, day


def read_coordinate(cell: Cell, largest: int) -> float:
    """Degrees, decimal point or comma, within ±`largest`. Raises CellRefused."""
    if isinstance(cell, (bool, date)) or cell is None:
        raise CellRefused(RowCode.NOT_A_COORDINATE, "not a number of degrees")
    try:
        degrees = Decimal(cell.strip().replace(",", ".")) if isinstance(cell, str) else cell
    except InvalidOperation as error:
        raise CellRefused(RowCode.NOT_A_COORDINATE, "not a number of degrees") from error
    if not degrees.is_finite() or abs(degrees) > largest:
        raise CellRefused(RowCode.NOT_A_COORDINATE, f"outside ±{largest} degrees")
    return float(degrees)


_YES = frozenset({"true", "yes", "si", "ja", "oui", "1", "x", "y", "s", "j", "o"})
_NO = frozenset({"false", "no", "nein", "non", "0", "n"})


def read_yes_no(cell: Cell) -> bool:
    """A true/false cell, or yes and no in es, en, de, fr. Raises CellRefused."""
    if isinstance(cell, bool):
        return cell
    word = fold(read_text(cell))
    if word in _YES:
        return True
    if word in _NO:
        return False
    raise CellRefused(RowCode.NOT_YES_OR_NO, "neither yes nor no")


def read_word(cell: Cell, words: Mapping[str, str], code: RowCode) -> str:
    """The meaning of a word of a closed list, compared folded. Raises CellRefused with `code`."""
    meaning = words.get(fold(read_text(cell)))
    if meaning is None:
        raise CellRefused(code, "not a word of the list in docs/import.md")
    return meaning
