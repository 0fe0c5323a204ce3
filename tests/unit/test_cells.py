"""Single cells: dates, texts, coordinates and words are read exactly or refused."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from field_api.domain.cells import Cell, DateOrder, fold, read_coordinate, read_date, read_text, read_yes_no
from field_api.domain.places import jurisdiction_of, read_country, read_language
from field_api.domain.row_errors import CellRefused, RowCode

DAYS = st.dates(date(1850, 1, 1), date(2200, 12, 31))


@given(DAYS, st.sampled_from("./- "))
def test_a_day_in_the_creditors_order_is_that_day(day: date, mark: str) -> None:
    parts = {"Y": f"{day.year:04d}", "M": f"{day.month:02d}", "D": f"{day.day}"}
    for order in DateOrder:
        assert read_date(mark.join(parts[p] for p in order.value), order) == day
        assert read_date(day.isoformat(), order) == read_date(f"{day} 00:00:00", order) == day
        assert read_date(day, order) == day


@pytest.mark.parametrize(
    "cell",
    ["31/02/2026", "1/2/26", "2026-13-01", "2026-11-18 10:30", "45000", Decimal(45000), "", "mañana", "1/2", True],
)
def test_what_is_no_day_is_refused(cell: Cell) -> None:
    with pytest.raises(CellRefused) as refused:
        read_date(cell, DateOrder.DMY)
    assert refused.value.code is RowCode.NOT_A_DATE


def test_numbers_in_text_columns_keep_their_digits_or_are_refused() -> None:
    assert read_text(Decimal("12345.0")) == "12345" and read_text(Decimal("1E+3")) == "1000"
    with pytest.raises(CellRefused) as refused:
        read_text(Decimal("4000001234567899"))
    assert refused.value.code is RowCode.DIGITS_LOST


def test_text_is_composed_and_its_spaces_are_single() -> None:
    assert read_text("  Nu\u0301n\u0303ez\u00a0\n Ruiz ") == "Núñez Ruiz"
    for bad in ("a\x00b", "a\x1bb", "a\ud800"):
        with pytest.raises(CellRefused) as refused:
            read_text(bad)
        assert refused.value.code is RowCode.CONTROL_CHARACTER
    with pytest.raises(CellRefused):
        read_text("x" * 301)


def test_coordinates_are_bounded_numbers() -> None:
    assert read_coordinate("19,3739", 90) == 19.3739 and read_coordinate(Decimal("-99.2"), 180) == -99.2
    for bad in ("91", "NaN", "Infinity", "19°22'", "1,234.5"):
        with pytest.raises(CellRefused):
            read_coordinate(bad, 90)


def test_words_in_four_languages() -> None:
    assert all(read_yes_no(word) for word in ("Sí", "yes", "JA", "oui", True, "1"))
    assert not any(read_yes_no(word) for word in ("no", "nein", "non", False, "0"))
    assert [read_country(w) for w in ("México", "MX", "Vereinigte Staaten", "USA", "Liechtenstein", "Royaume-Uni")] == [
        "MX", "MX", "US", "US", "LI", "GB",
    ]  # fmt: skip
    assert [read_language(w) for w in ("es", "Español", "es_MX", "German", "français")] == [
        "es",
        "es",
        "es-MX",
        "de",
        "fr",
    ]
    for bad in ("Wakanda", "XX", "", "EU"):
        with pytest.raises(CellRefused):
            read_country(bad)


def test_states_make_jurisdictions_in_the_us_and_canada_alone() -> None:
    assert jurisdiction_of("US", "Maryland") == jurisdiction_of("US", "md") == jurisdiction_of("US", "US-MD") == "US-MD"
    assert jurisdiction_of("CA", "Quebec") == "CA-QC" and jurisdiction_of("MX", "Jalisco") == "MX"
    assert jurisdiction_of("US", None) == "US"
    with pytest.raises(CellRefused):
        jurisdiction_of("US", "Jalisco")


def test_folding_keeps_every_script() -> None:
    assert fold("Núm. EXTERIOR") == "numexterior" and fold("Договор №") != "" and fold("残高") == "残高"
