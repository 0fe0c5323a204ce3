"""Amounts are exact minor units or refused; what is owed adds up."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from babel.numbers import format_decimal
from hypothesis import given
from hypothesis import strategies as st

from field_api.domain.amounts import (
    Owed,
    after_payment,
    lowers_balance,
    minor_digits,
    owed_from,
    read_amount,
    read_currency,
)
from field_api.domain.row_errors import CellRefused, RowCode


@pytest.mark.parametrize(
    ("text", "currency", "mark", "minor"),
    [
        ("1.234,56", "MXN", None, 123_456), ("1,234.56", "MXN", None, 123_456), ("1234.5", "MXN", None, 123_450),
        ("1.234.567", "MXN", None, 123_456_700), ("1.234", "MXN", ",", 123_400), ("1,234", "USD", ".", 123_400),
        ("1'234.50", "CHF", None, 123_450), ("1’234.50", "CHF", None, 123_450), ("1 234,50", "EUR", None, 123_450),
        ("1\u202f234,50", "EUR", None, 123_450), ("$ 12.00", "MXN", None, 1_200), ("12,00 €", "EUR", None, 1_200),
        ("MXN 12.00", "MXN", None, 1_200), ("-12.00", "MXN", None, -1_200), ("12.00-", "MXN", None, -1_200),
        ("(12.00)", "USD", None, -1_200), ("-$12.00", "USD", None, -1_200), ("5", "JPY", None, 5), ("1.234", "KWD", ".", 1_234),
        ("0", "MXN", None, 0), ("12.", "MXN", None, 1_200), ("−7,5", "EUR", None, -750),
    ],
)  # fmt: skip
def test_amounts_as_people_write_them(text: str, currency: str, mark: str | None, minor: int) -> None:
    assert read_amount(text, currency, mark) == minor


@pytest.mark.parametrize(
    ("text", "currency", "mark", "code"),
    [
        ("1.234", "MXN", None, RowCode.AMBIGUOUS_AMOUNT), ("1,234", "USD", None, RowCode.AMBIGUOUS_AMOUNT),
        ("1.234,56", "MXN", ".", RowCode.NOT_AN_AMOUNT), ("12,34.5", "MXN", None, RowCode.NOT_AN_AMOUNT),
        ("1 2 3", "MXN", None, RowCode.NOT_AN_AMOUNT), ("12 34", "MXN", None, RowCode.NOT_AN_AMOUNT),
        ("1.005", "MXN", ".", RowCode.TOO_MANY_DECIMALS), ("1.5", "JPY", None, RowCode.TOO_MANY_DECIMALS),
        ("ocho", "MXN", None, RowCode.NOT_AN_AMOUNT), ("1e5", "MXN", None, RowCode.NOT_AN_AMOUNT),
        ("NaN", "MXN", None, RowCode.NOT_AN_AMOUNT), ("", "MXN", None, RowCode.NOT_AN_AMOUNT),
        ("€ 5", "MXN", None, None), ("USD 5", "MXN", None, RowCode.NOT_AN_AMOUNT), ("٣", "MXN", None, RowCode.NOT_AN_AMOUNT),
        ("9" * 30, "MXN", None, RowCode.NOT_AN_AMOUNT), ("--5", "MXN", None, None),
    ],
)  # fmt: skip
def test_what_could_be_read_in_two_ways_is_refused(
    text: str, currency: str, mark: str | None, code: RowCode | None
) -> None:
    if code is None:  # a sign of money without a code is taken as decoration
        assert read_amount(text, currency, mark) in (500, -500)
        return
    with pytest.raises(CellRefused) as refused:
        read_amount(text, currency, mark)
    assert refused.value.code is code


@given(st.integers(0, 10**13), st.sampled_from(["es", "es_MX", "en_US", "de", "de_CH", "fr"]))
def test_what_a_locale_writes_is_read_back(minor: int, locale: str) -> None:
    text = format_decimal(Decimal(minor) / 100, format="#,##0.00", locale=locale)
    assert read_amount(text, "EUR", None) == minor


@given(st.integers(-(10**12), 10**12))
def test_a_spreadsheets_number_is_exact_despite_its_binary_dust(minor: int) -> None:
    assert read_amount(Decimal(repr(minor / 100)), "MXN", None) == minor
    assert read_amount(Decimal(repr(0.1 + 0.2)), "MXN", None) == 30


@given(st.text(max_size=30))
def test_no_text_crashes_the_reader(text: str) -> None:
    try:
        read_amount(text, "MXN", None)
    except CellRefused as refusal:
        assert len(text) < 4 or text not in refusal.message


def test_minor_digits_are_the_currencys_own() -> None:
    assert [minor_digits(code) for code in ("MXN", "JPY", "KWD", "CHF")] == [2, 0, 3, 2]
    assert read_currency(" mxn ") == "MXN"
    with pytest.raises(CellRefused):
        read_currency("XXZ")


def test_parts_must_make_the_balance() -> None:
    assert owed_from(100, None, None, None) == Owed(100, 100)
    assert owed_from(None, 70, 20, 10) == Owed(100, 70, 20, 10)
    assert owed_from(100, None, 20, None) == Owed(100, 80, 20, 0)
    assert owed_from(-5, 100, None, None) == Owed(0, 0)
    assert owed_from(None, None, None, None) is None
    for wrong in ((100, 70, 20, 5), (10, None, 20, None), (None, None, 5, None), (100, -1, 101, 0)):
        with pytest.raises(CellRefused):
            owed_from(*wrong)


@given(st.tuples(*[st.integers(0, 10**9)] * 3), st.integers(0, 3 * 10**9))
def test_a_payment_lowers_exactly_what_it_pays(parts: tuple[int, int, int], payment: int) -> None:
    before = Owed(sum(parts), *parts)
    after = after_payment(before, payment)
    assert after.balance == max(0, before.balance - payment) == after.principal + after.interest + after.fees
    assert after.interest == before.interest or after.fees == 0
    assert after.principal == before.principal or after.interest == 0


def test_a_payment_of_before_the_balance_is_in_it() -> None:
    assert not lowers_balance(date(2026, 11, 16), date(2026, 11, 17))
    assert lowers_balance(date(2026, 11, 17), date(2026, 11, 17))
