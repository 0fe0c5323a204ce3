"""Files of every usual make are read alike; bombs and endless lines are refused; memory stays bounded."""

from __future__ import annotations

import struct
import subprocess
import sys
import zipfile
from datetime import date
from decimal import Decimal
from pathlib import Path
from uuid import UUID

import pytest
import xlsxwriter
from flask import Flask

from field_api.adapters.table_files import open_table
from field_api.domain.cells import Cell
from field_api.domain.column_map import ColumnMap, column_map_from
from field_api.domain.source_table import TableRefused
from field_api.records.accounts import Account
from field_api.records.people import Person
from tests.files_of_creditors import HEADER, csv_bytes, import_file, new_creditor, row, table, xlsx_file

ROOT = Path(__file__).parents[2]


def _rows(path: Path, using: ColumnMap | None = None) -> list[tuple[int, list[Cell]]]:
    with open_table(path, using or ColumnMap()) as source:
        return [(number, list(cells)) for number, cells in source.rows()]


@pytest.mark.parametrize("delimiter", [";", ",", "\t", "|", "^", "~"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "cp1252", "latin-1", "cp850"])
def test_any_delimiter_and_encoding_gives_the_same_cells(tmp_path: Path, delimiter: str, encoding: str) -> None:
    rows = [row(1), row(2, Nombre="Íñigo Peña, «el Güero»", Calle='Calle "Sol"; 2|b')]
    if encoding in ("latin-1", "cp850"):
        rows[1]["Nombre"] = "Íñigo Peña, el Güero"
    path = tmp_path / "file.csv"
    path.write_bytes(csv_bytes(rows, delimiter=delimiter, encoding=encoding))
    assert _rows(path)[0] == (1, HEADER)
    assert _rows(path)[2][1] == [str(rows[1].get(name, "")) for name in HEADER]


def test_bytes_beyond_ascii_may_come_late(tmp_path: Path) -> None:
    """The head is plain ASCII; the first accent stands after half a megabyte."""
    rows = [row(n, Nombre="Persona", Estado="CDMX") for n in range(5_000)] + [row(9_999, Nombre="Núñez", Estado="CDMX")]
    header = [name for name in HEADER if name.isascii()]
    path = tmp_path / "file.csv"
    path.write_bytes(csv_bytes(rows, header=header, encoding="cp1252"))
    assert "Núñez" in _rows(path)[-1][1]


def test_a_named_encoding_is_used_and_an_unknown_one_refused(tmp_path: Path) -> None:
    path = tmp_path / "file.csv"
    path.write_bytes("contrato;nombre\n1;Wałęsa\n".encode("cp1250"))
    assert _rows(path, column_map_from({"encoding": "cp1250"}, "PL"))[1][1] == ["1", "Wałęsa"]
    with pytest.raises(TableRefused) as refused:
        _rows(path, column_map_from({"encoding": "rot13"}, "PL"))
    assert refused.value.code == "unknown-encoding"


def test_rows_count_as_a_spreadsheet_shows_them(tmp_path: Path) -> None:
    """Quoted line breaks, blank lines, Excel's sep= line and old line ends do not shift the numbers."""
    path = tmp_path / "file.csv"
    path.write_bytes(b'sep=,\r\ncontrato,nombre\r\n1,"a\r\nb"\r\n\r\n2,c\r\n')
    assert [number for number, cells in _rows(path) if cells] == [2, 3, 5]
    path.write_bytes(b"contrato;nombre\r1;a\r2;b\r")
    assert [cells for _, cells in _rows(path)] == [["contrato", "nombre"], ["1", "a"], ["2", "b"]]


def test_header_row_and_sheet_are_chosen_by_the_map(app: Flask, agency: UUID, tmp_path: Path) -> None:
    path = tmp_path / "book.xlsx"
    with xlsxwriter.Workbook(path) as book:
        book.add_worksheet("Portada").write(0, 0, "no accounts here")
        sheet = book.add_worksheet("Datos")
        sheet.write(0, 0, "Cartera de noviembre")
        for number, line in enumerate([HEADER, [row(1)[name] for name in HEADER]]):
            sheet.write_row(2 + number, 0, line)
    creditor = new_creditor(agency, column_map={"sheet": "Datos", "header_row": 3})
    report = import_file(agency, creditor, path)
    assert (report.counts.created, report.read_as) == (1, {"sheet": "Datos"})
    with pytest.raises(TableRefused) as refused:
        _rows(path, column_map_from({"sheet": "Nada"}, "MX"))
    assert refused.value.code == "sheet-missing"


def test_a_workbooks_cells_keep_their_kind(tmp_path: Path) -> None:
    path = xlsx_file(tmp_path / "book.xlsx", [["a"], ["007", 1234.56, 12, date(2026, 11, 18), True, None, "ñ"]])
    assert _rows(path)[1][1] == ["007", Decimal("1234.56"), Decimal(12), date(2026, 11, 18), True, None, "ñ"]


def test_a_workbook_with_numbers_and_dates_is_read_exactly(app: Flask, agency: UUID, tmp_path: Path) -> None:
    header = ["Contrato", "Saldo", "Vencimiento", "Nombre", "Calle", "Fecha de nacimiento", "Últimos 4", "CP"]
    good = [10001, 1234.1, date(2026, 8, 1), "Ana Inventada", "Calle", date(1980, 2, 29), "0042", "05219"]
    lost = [4000001234567899.0, 5, date(2026, 8, 1), "B", "Calle", None, None, None]
    path = xlsx_file(tmp_path / "book.xlsx", [header, good, lost, [*good[:1], "x", *good[2:]]])
    report = import_file(agency, new_creditor(agency), path)
    assert [(e.row, e.column, e.code.value) for e in report.errors] == [
        (3, "Contrato", "digits-lost"), (4, "Saldo", "not-an-amount"),
    ]  # fmt: skip
    assert table(agency, Account, "reference", "balance_minor", "due_on") == [("10001", 123_410, date(2026, 8, 1))]


@pytest.fixture(scope="module")
def bomb(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workbook of less than a megabyte whose sheet unpacks to 900 MB."""
    path = tmp_path_factory.mktemp("bomb") / "bomb.xlsx"
    small = xlsx_file(path.with_name("small.xlsx"), [["Contrato"], ["1"]])
    with zipfile.ZipFile(small) as source, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as out:
        for part in source.infolist():
            if part.filename != "xl/worksheets/sheet1.xml":
                out.writestr(part.filename, source.read(part))
        with out.open("xl/worksheets/sheet1.xml", "w", force_zip64=True) as sheet:
            sheet.write(b'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>')
            cell = b'<row><c t="inlineStr"><is><t>' + b"a" * 999_000 + b"</t></is></c></row>"
            for _ in range(900):
                sheet.write(cell)
            sheet.write(b"</sheetData></worksheet>")
    return path


def _understated(bomb: Path, path: Path, declared_bytes: int) -> Path:
    """The same workbook, whose directory claims a smaller sheet."""
    content = bytearray(bomb.read_bytes())
    at = content.rfind(b"PK\x01\x02", 0, content.rfind(b"xl/worksheets/sheet1.xml"))
    struct.pack_into("<I", content, at + 24, declared_bytes)
    path.write_bytes(content)
    return path


def test_a_bomb_is_refused_by_its_directory(bomb: Path) -> None:
    assert bomb.stat().st_size < 1_500_000
    with pytest.raises(TableRefused) as refused:
        _rows(bomb)
    assert refused.value.code == "too-large-unpacked"


def test_a_bomb_that_lies_is_refused_while_it_unpacks(bomb: Path, tmp_path: Path) -> None:
    with pytest.raises(TableRefused) as refused:
        _rows(_understated(bomb, tmp_path / "liar.xlsx", 20_000_000))
    assert refused.value.code in ("too-large-unpacked", "broken-workbook")


def test_a_sheet_that_claims_a_world_of_cells_kills_the_child_alone(tmp_path: Path) -> None:
    """Two cells, the last of them in the farthest corner: seventeen thousand million cells between them."""
    path = tmp_path / "corner.xlsx"
    with xlsxwriter.Workbook(path) as book:
        sheet = book.add_worksheet()
        sheet.write(0, 0, "Contrato")
        sheet.write(1_048_575, 16_383, "x")
    with pytest.raises(TableRefused) as refused:
        _rows(path)
    assert refused.value.code == "too-large-unpacked"


_MEASURE = """
import csv, sys, tracemalloc
from pathlib import Path
from field_api.adapters.table_files import open_table
from field_api.domain.column_map import ColumnMap, bind
from field_api.domain.read_row import Defaults, RowReader
with open_table(Path(sys.argv[1]), ColumnMap()) as table:
    rows = table.rows()
    reader = RowReader(bind(next(rows)[1], ColumnMap()), ColumnMap(), Defaults("MXN", "MX"))
    for number, cells in rows:
        if number == 200:
            tracemalloc.start()  # what is loaded once (phone numbers, places) is there now
        reader.read(number, cells)
    rows.close()
print(tracemalloc.get_traced_memory()[1])
"""


def test_csv_is_read_in_constant_memory(tmp_path: Path) -> None:
    """Five times the rows, the same peak."""
    peaks = []
    for size in (1_000, 5_000):
        path = tmp_path / f"{size}.csv"
        path.write_bytes(csv_bytes([row(n) for n in range(size)]))
        measured = subprocess.run(
            [sys.executable, "-c", _MEASURE, str(path)], capture_output=True, check=True, cwd=ROOT, text=True
        )
        peaks.append(int(measured.stdout))
    assert peaks[1] < peaks[0] + 300_000, peaks
    assert peaks[1] < 3_000_000, peaks


def test_a_wrong_delimiter_in_the_text_does_not_mislead(app: Flask, agency: UUID, tmp_path: Path) -> None:
    """More commas than semicolons in the header: the delimiter is the one under which headers are known."""
    header = ["Contrato", "Saldo", "Vencimiento", "Nombre", "Calle", "Nota, larga, con, comas, y, más, comas"]
    line = {"Contrato": "1", "Saldo": "5,00", "Vencimiento": "1/8/2026", "Nombre": "Ana", "Calle": "A, B, C"}
    path = tmp_path / "file.csv"
    path.write_bytes(csv_bytes([line], header=header))
    report = import_file(agency, new_creditor(agency), path)
    assert (report.counts.created, report.ignored_columns) == (1, (header[-1],))
    assert table(agency, Person, "name") == [("Ana",)]
