"""The visit sheet's words and data: open, local, and silent about the reason."""

from __future__ import annotations

import re
from itertools import pairwise
from math import dist
from uuid import UUID

import pytest

from field_api.domain.debt_words import find_debt_words
from field_api.domain.letter_strings import locale_of
from field_api.domain.postal import PostalAddress, between_line, postal_lines
from field_api.domain.route_sketch import sketch
from field_api.domain.sheet_rows import SheetRow, issue_mark, row_names
from field_api.domain.sheets import (
    ENVELOPE_NUMBERS,
    LETTERS,
    OUTCOME_NUMBERS,
    Sheet,
    SheetStop,
    Sought,
    safe_hint,
    sheet_data,
)
from field_api.domain.vocabulary import Hazard, OutcomeKind
from field_api.rules.sheets import LANGUAGES, words_for


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_word_of_the_sheet_is_on_the_detectors_list(language: str) -> None:
    words = words_for(language)
    shown = [*words.words.values(), *words.script.values()]
    assert [(text, find_debt_words(text)) for text in shown if find_debt_words(text)] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_has_every_word(language: str) -> None:
    words, english = words_for(language), words_for("en")
    assert words.words.keys() == english.words.keys() and words.script.keys() == english.script.keys()
    assert {kind.value for kind in OUTCOME_NUMBERS.values()} == words.outcomes.keys()
    assert {kind.value for kind in ENVELOPE_NUMBERS.values()} == words.envelopes.keys()
    assert {kind: [meant.value for meant in some.values()] for kind, some in LETTERS.items()} == {
        kind: list(some) for kind, some in words.letters.items()
    }
    assert all(f"hazard_{hazard.value}" in words.words for hazard in Hazard)


def test_the_numbers_of_the_boxes_are_stable() -> None:
    """Papers already printed must keep their meaning: new outcomes go to the end."""
    assert [kind.value for kind in OUTCOME_NUMBERS.values()][:3] == [
        "client_located",
        "third_party_attended",
        "nobody_there",
    ]
    assert list(ENVELOPE_NUMBERS) == [12, 13]
    assert LETTERS[OutcomeKind.THIRD_PARTY_ATTENDED]["b"] == "spouse" and LETTERS[OutcomeKind.SKIPPED]["a"] == "no_time"


def test_a_crowd_at_one_door_has_boxes_of_its_own_each() -> None:
    assert row_names(3, 1) == ["3"] and row_names(3, 3) == ["3a", "3b", "3c"]
    assert row_names(3, 28)[25:] == ["3z", "3aa", "3ab"]


def test_a_print_is_named_by_its_rows_alone() -> None:
    rows = [SheetRow("1", UUID(int=1), 1), SheetRow("2", UUID(int=2), 1)]
    assert issue_mark(rows) == issue_mark([SheetRow.read(row.wire()) for row in rows])
    others = ([*rows[:1], SheetRow("2", UUID(int=2), 2)], rows[::-1], [])
    assert len({issue_mark(some) for some in (rows, *others)}) == 4
    assert all(re.fullmatch("[0-9A-HJKMNP-TV-Z]{6}", issue_mark(some)) for some in others)


def test_a_language_without_words_of_its_own_is_served_in_english() -> None:
    assert words_for("nah").language == "en" and words_for("pt-BR").language == "pt"


@pytest.mark.parametrize(
    ("address", "lines"),
    [
        (
            PostalAddress("Calle Gaspar", "MX", "S/N", "4", neighbourhood="Granjas", postcode="05219", state="CDMX"),
            ["Calle Gaspar S/N int. 4", "Col. Granjas", "05219 CDMX"],
        ),
        (PostalAddress("Calle Uno", "MX"), ["Calle Uno S/N"]),
        (
            PostalAddress("45th Street", "US", "500", "Apt 4", city="Highlandtown", postcode="21224", state="MD"),
            ["500 45th Street, Apt 4", "Highlandtown, MD 21224"],
        ),
        (
            PostalAddress("Aeulestrasse", "LI", "20", city="Vaduz", postcode="9490"),
            ["Aeulestrasse 20", "9490 Vaduz"],
        ),
        (
            PostalAddress("rue Imaginaire", "FR", "12", city="Paris", postcode="75001"),
            ["12 rue Imaginaire", "75001 Paris"],
        ),
        (
            PostalAddress("Foo Street", "GB", "10", city="London", postcode="SW1A 1AA"),
            ["10 Foo Street", "London", "SW1A 1AA"],
        ),
    ],
)
def test_addresses_read_as_a_local_writes_them(address: PostalAddress, lines: list[str]) -> None:
    assert postal_lines(address) == lines


def test_streets_between_are_named_when_known() -> None:
    both = PostalAddress("Calle", "MX", between_1="Uno", between_2="Dos")
    assert between_line(both, ("entre", "y")) == "entre Uno y Dos"
    assert between_line(PostalAddress("Calle", "MX", between_2="Dos"), ("entre", "y")) == "entre Dos"
    assert between_line(PostalAddress("Calle", "MX"), ("entre", "y")) == ""


def test_a_hint_that_tells_of_a_debt_is_left_out() -> None:
    assert safe_hint("Debe $300, portón azul") == "" and safe_hint(" Portón azul ") == "Portón azul"


@pytest.mark.parametrize(("alias", "printed"), [("El moroso", ""), ("Lupita", "Lupita"), ("", "")])
def test_an_alias_that_tells_of_a_debt_is_not_printed(alias: str, printed: str) -> None:
    here = SheetStop(
        number=1, arrive_from="09:00", arrive_to="09:30", latest="20:00", earliest="08:00", sought=(Sought("Ana Inventada", alias, "es"),),
        address=PostalAddress("Calle", "MX"), hint="", latitude=0.0, longitude=0.0,
        hazards=("dog", "dark"),
    )  # fmt: skip
    sheet = Sheet(
        paper="a4", agent_code="A", agent_name="A", day="", day_iso="", territory="", shift="", lunch="", timezone="UTC",
        start_label="", end_label="", distance_km="", travel="", sketch=sketch((0, 0), [], (0, 0), 0.62), stops=(here,),
    )  # fmt: skip
    (stop,) = sheet_data(sheet, words_for("es"), [])["sheet"]["stops"]
    assert (stop["hazards"], stop["code"]) == (["perro", "sin luz"], "6FG22222+22")
    assert [person["alias"] for person in stop["sought"]] == [printed]


def test_numbers_of_the_route_sketch_do_not_cover_each_other() -> None:
    home = (47.14, 9.52)
    same_house = [(47.141, 9.521)] * 5
    drawn = sketch(home, [*same_house, (47.20, 9.51)], home, 0.62)
    gaps = [dist(a, b) for i, a in enumerate(drawn.labels) for b in drawn.labels[:i]]
    assert min(gaps) > 0.05
    assert all(0 <= x <= 1 and 0 <= y <= 0.62 for x, y in (*drawn.labels, *drawn.stops, drawn.start))


def test_a_sketch_keeps_north_up_and_one_scale() -> None:
    drawn = sketch((0.0, 0.0), [(0.01, 0.0), (0.0, 0.01)], (0.0, 0.0), 0.62)
    (north, east), start = drawn.stops, drawn.start
    assert north[1] < start[1] and east[0] > start[0]
    assert start[1] - north[1] == pytest.approx(east[0] - start[0], rel=0.01)
    assert all(later > earlier for earlier, later in pairwise([0, drawn.bar]))


def test_a_route_that_lost_all_its_stops_still_has_a_sketch() -> None:
    drawn = sketch((0.0, 0.0), [], (0.0, 0.0), 0.62)
    assert drawn.stops == drawn.labels == () and drawn.start == drawn.end


@pytest.mark.parametrize(
    ("language", "territory", "found"), [("es", "MX", "es_MX"), ("de", "XX", "de"), ("nah", "MX", "en"), ("", "", "en")]
)
def test_a_locale_is_the_nearest_that_there_is(language: str, territory: str, found: str) -> None:
    assert str(locale_of(language, territory)) == found
