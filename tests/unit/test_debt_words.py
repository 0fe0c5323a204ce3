"""The detector finds what would tell a third party why somebody is sought, and lets harmless hints pass."""

from __future__ import annotations

from time import process_time

import pytest

from field_api.domain.debt_words import AMOUNT, find_debt_words

LISTED = {
    "es": "deuda adeudo saldo cobro cobranza pago crédito contrato banco demanda embargo juzgado urgente",
    "en": "debt owe balance collect collection payment account loan creditor legal court urgent",
    "fr": "dette solde créance recouvrement paiement compte prêt huissier tribunal urgent",
}


@pytest.mark.parametrize("word", [word for words in LISTED.values() for word in words.split()])
def test_every_listed_word_is_found_however_it_is_written(word: str) -> None:
    for written in (word, word.upper(), f"({word}).", f"xx {word}, xx"):
        assert find_debt_words(written), written


@pytest.mark.parametrize("text", ["Portón azul frente a la panadería", "Blue gate, ring twice", "Compter deux maisons"])
def test_harmless_hints_pass(text: str) -> None:
    assert find_debt_words(text) == []


@pytest.mark.parametrize(
    "text", ["debe $500", "1,234.56 MXN", "12 345,67 €", "mil pesos no, 300 pesos", "CHF 20", "US$ 1,000"]
)
def test_amounts_are_found(text: str) -> None:
    assert AMOUNT in find_debt_words(text)


@pytest.mark.parametrize("text", ["Calle 12 casa 34", "tel. 55 1234 5678", "a las 15:30", "2 cuadras"])
def test_numbers_that_are_no_amounts_pass(text: str) -> None:
    assert find_debt_words(text) == []


def test_what_is_found_never_repeats_the_text() -> None:
    assert find_debt_words("adeudo de $98,765.43 con Muebles") == ["adeudo", AMOUNT]


@pytest.mark.parametrize("text", ["1" * 60_000, "123 " * 15_000, "1." * 30_000, "$ " * 30_000, "pag" * 20_000])
def test_a_long_text_takes_no_quadratic_time(text: str) -> None:
    """A phone's operation may carry 64 KiB of it: quadratic, the digits alone took minutes."""
    began = process_time()
    find_debt_words(text)
    assert process_time() - began < 5


@pytest.mark.parametrize("text", ["12345.678 usd", "1234567890123 USD", "123 456 789 012 euros", "12345,6789 EUR"])
def test_amounts_of_any_length_and_grouping_are_found(text: str) -> None:
    assert AMOUNT in find_debt_words(text)
