"""Forbidden words are found however they are dressed up, in time that grows with the text alone."""

from __future__ import annotations

import time

import pytest

from field_api.domain.letter_words import MAX_CHARACTERS, TooLong, WordFound, check_words, plain
from field_api.domain.letters import LetterRules
from field_api.rules.letters import rules_for


def _rules(place: str) -> LetterRules:
    rules = rules_for(place)
    assert rules is not None
    return rules


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("Del JUZGADO segundo", "juzgado*"),
        ("del juz\u00adgado", "juzgado*"),
        ("J U Z G A D O", "juzgado*"),
        ("J.U.Z.G.A.D.O.", "juzgado*"),
        ("ｊｕｚｇａｄｏ", "juzgado*"),
        ("juzg\u0430do", "juzgado*"),  # a Cyrillic letter
        ("orden\n  judicial", "orden judicial"),
        ("ORDEN-JUDICIAL", "orden judicial"),
        ("Evite el émbargo", "embarg*"),
        ("evite embargos", "embarg*"),
        ("Citatorio_No_5", "citatorio"),
    ],
)
def test_a_word_is_found_in_every_dress(text: str, word: str) -> None:
    assert word in [found.word for found in check_words(text, _rules("MX"))]


@pytest.mark.parametrize(
    ("place", "text"),
    [
        ("MX", "Mueblería Ficticia, S.A. de C.V."),
        ("MX", "Prejuzgados no"),
        ("FR", "Prêt à court terme"),
        ("GB", "12 Court Street"),
        ("GB", "Courtesy and courtyards"),
        ("DE", "Gerichtstraße 5"),
        ("IT", "Articoli di cancelleria"),
        ("FR", "Police d'assurance"),
    ],
)
def test_what_means_something_else_is_let_be(place: str, text: str) -> None:
    assert check_words(text, _rules(place)) == ()


def test_what_is_found_names_the_rules_word_and_source_never_the_text() -> None:
    found = check_words("Your secret is before the county court", _rules("GB"))
    assert found[0] == WordFound("county court", "FCA CONC 7.11: no official look") or found[0].word == "court"
    assert "secret" not in str(found)


_LONG = {
    "letters": "a " * 100_000,
    "word": "court" * 40_000,
    "accents": "é" * 200_000,
    "dashes": "-" * 200_000,
    "spaced": "x " * 99_999 + "xx",
}


@pytest.mark.parametrize("text", _LONG.values(), ids=_LONG)
def test_no_text_takes_long(text: str) -> None:
    started = time.process_time()
    check_words(text, _rules("EU"))
    assert time.process_time() - started < 1.5


def test_what_is_longer_than_any_template_is_not_read() -> None:
    with pytest.raises(TooLong, match="200000"):
        plain("x" * (MAX_CHARACTERS + 1))
