"""Tables written row by row, in constant memory: CSV and XLSX whose cells show and never run."""

from __future__ import annotations

import csv
import os
from collections.abc import Iterable, Sequence
from datetime import date
from pathlib import Path
from typing import Any, TextIO

import xlsxwriter

from field_api.domain.spreadsheet import neutral

ROWS_PER_SHEET = 1_000_000  # a worksheet ends at 1,048,576

Row = Sequence[Any]


def write_table(path: Path, kind: str, columns: Sequence[str], rows: Iterable[Row]) -> int:
    """Write `columns` and `rows` to `path` as `csv` or `xlsx`; returns how many rows.

    Cells are str, int, float, bool, date, aware datetime, UUID or None. The file is its owner's alone and appears whole
    or not at all: it is written beside and renamed.
    """
    beside = path.with_name(f".{path.name}.{os.getpid()}.part")
    beside.touch(mode=0o600)
    try:
        count = _WRITERS[kind](beside, columns, rows)
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)
    return count


def write_csv(stream: TextIO, columns: Sequence[str], rows: Iterable[Row]) -> int:
    """RFC 4180 with CRLF; returns how many rows. The caller chooses the encoding."""
    writer = csv.writer(stream, lineterminator="\r\n")
    writer.writerow(columns)
    count = 0
    for count, row in enumerate(rows, start=1):  # noqa: B007  the last number is the count
        writer.writerow([_csv_cell(value) for value in row])
    return count


def _csv_file(path: Path, columns: Sequence[str], rows: Iterable[Row]) -> int:
    with path.open("w", encoding="utf-8-sig", newline="") as stream:  # the mark tells Excel that it is UTF-8
        return write_csv(stream, columns, rows)


def _csv_cell(value: Any) -> Any:
    if value is None or (isinstance(value, int | float) and not isinstance(value, bool)):
        return value
    return neutral(_text(value))


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return value.isoformat() if isinstance(value, date) else str(value)


def _xlsx_file(path: Path, columns: Sequence[str], rows: Iterable[Row]) -> int:
    options = {
        "constant_memory": True,
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "strings_to_numbers": False,
        "tmpdir": str(path.parent),  # rows wait there: not in a /tmp that others read
    }
    count = 0
    with xlsxwriter.Workbook(str(path), options) as book:
        for count, row in enumerate(rows, start=1):
            line = (count - 1) % ROWS_PER_SHEET
            if line == 0:
                sheet = _sheet(book, columns)
            for column, value in enumerate(row):
                _write_cell(sheet, line + 1, column, value)
        if count == 0:
            _sheet(book, columns)
    return count


def _sheet(book: Any, columns: Sequence[str]) -> Any:
    sheet = book.add_worksheet()
    for column, name in enumerate(columns):
        sheet.write_string(0, column, name)
    sheet.freeze_panes(1, 0)
    return sheet


def _write_cell(sheet: Any, line: int, column: int, value: Any) -> None:
    """Typed writes alone: XlsxWriter's own `write` guesses, and guesses formulas."""
    if value is None:
        return
    if isinstance(value, bool):
        sheet.write_boolean(line, column, value)
    elif isinstance(value, int | float):
        sheet.write_number(line, column, value)
    else:
        # Text in a cell is no formula until somebody edits the cell or saves it as CSV: neutral here too.
        sheet.write_string(line, column, neutral(_text(value)))


_WRITERS = {"csv": _csv_file, "xlsx": _xlsx_file}
