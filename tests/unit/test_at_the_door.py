"""The words and cells that phones carry are the office's own: the matrix', the vocabulary's, the paper's, and clean."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from field_api.domain.debt_words import find_debt_words
from field_api.domain.disclosure import Identity, Item, cell_of
from field_api.domain.location_inquiry import Inquiry, is_allowed, is_counted, read_marks, was_asked_before
from field_api.domain.vocabulary import OutcomeKind, Relation, Whom
from field_api.platform.ids import new_id
from field_api.rules.sheets import LANGUAGES as ON_PAPER
from field_api.rules.sheets import words_for
from sync.phone import script
from sync.phone.script import Rules

ROOT = Path(__file__).parents[2]
OFFICE = ROOT / "field_api" / "rules" / "at_the_door.json"
DATA: dict[str, Any] = json.loads(OFFICE.read_text(encoding="utf-8"))
PLACES = sorted(
    {path.stem for path in (ROOT / "field_api" / "rules").glob("[A-Z][A-Z]*.toml")}
    | set(DATA["may"]) | set(DATA["same_as"]) | {"US-TX", "CA-QC", "MX-JAL", "ZZ", ""}
)  # fmt: skip


def test_the_phones_copy_is_the_offices_file_byte_for_byte() -> None:
    assert (ROOT / "sync" / "phone" / "at_the_door.json").read_bytes() == OFFICE.read_bytes()


@pytest.mark.parametrize("place", PLACES)
def test_every_cell_is_the_matrix_own(place: str) -> None:
    for relation in Relation:
        for item in Item:
            expected = cell_of(relation, item, place, Identity.VERIFIED).value
            assert Rules(place).cell(relation.value, item.value) == expected, (place, relation, item)
        asks = is_allowed(relation, place), is_counted(relation, place)
        assert (Rules(place).may_ask_location(relation), Rules(place).asks_once(relation)) == asks


def test_words_and_codes_are_those_of_the_vocabulary() -> None:
    assert [entry["relation"] for entry in DATA["relations"]] == [relation.value for relation in Relation]
    assert list(DATA["whom"]) == [whom.value for whom in Whom] == list(script.WHOM)
    assert set(DATA["script"]) == {relation.value for relation in Relation}
    assert set(DATA["proposes"].values()) <= {kind.value for kind in OutcomeKind}
    assert {lang for line in DATA["lines"].values() for lang in line["words"]} == script.LANGUAGES <= set(ON_PAPER)


def test_the_paper_says_the_same_words() -> None:
    on_paper = {"open": "open", "why": "why", "gone": "parting"}
    for language in script.LANGUAGES:
        for key, moment in on_paper.items():
            assert words_for(language).script[key].strip("«»“”„ ") == DATA["lines"][moment]["words"][language]


def test_no_line_and_no_word_says_why_anybody_is_sought() -> None:
    texts = [text for line in DATA["lines"].values() for text in line["words"].values()]
    # The list is read by the agent, not aloud; but it lies open on the screen. An attorney can be called nothing else.
    listed = [entry for entry in DATA["relations"] if entry["relation"] != "attorney"]
    texts += [text for entry in listed for text in entry["words"].values()]
    texts += [text for words in DATA["whom"].values() for text in words.values()]
    assert {text: find_debt_words(text) for text in texts if find_debt_words(text)} == {}
    assert find_debt_words("¿Sabe si debe el crédito?"), "the detector that finds nothing proves nothing"


def test_the_agency_stands_in_the_line_for_those_who_ask_alone() -> None:
    named = {moment for moment, line in DATA["lines"].items() if any("{agency}" in t for t in line["words"].values())}
    assert named == {"company"}
    assert set(DATA["lines"]["company"]["words"].values()) == {"{agency}"}, "its name, and nothing more"


def test_every_line_names_what_it_tells_as_a_need() -> None:
    holders = {"{name}": "name_sought", "{agent}": "agent_name", "{agency}": "agency"}
    for moment, line in DATA["lines"].items():
        for text in line["words"].values():
            told = {item for holder, item in holders.items() if holder in text}
            assert told == set(line["needs"]) - {"location_question"}, moment


def test_a_mark_tells_the_inquiry_again() -> None:
    for whom in (*Whom, None):
        inquiry = Inquiry(Relation.GUARD, whom, new_id())
        assert list(read_marks(["late", *inquiry.marks], inquiry.address_id)) == [inquiry]


def test_a_spouse_is_one_person_wherever_they_are_met() -> None:
    """Otherwise naming another place would let one person be asked twice."""
    home = new_id()
    for earlier, now in ((Whom.NEXT_DOOR_LEFT, Whom.SAME_HOME), (None, Whom.SHOP), (Whom.SHOP, Whom.SHOP)):
        past = Inquiry(Relation.SPOUSE, earlier, new_id())
        assert was_asked_before(Inquiry(Relation.SPOUSE, now, home), [past])
        assert script.is_same_person("spouse", now.value, {("spouse", earlier.value if earlier else None)})
    neighbour = Inquiry(Relation.NEIGHBOUR, Whom.ABOVE, home)
    assert not was_asked_before(neighbour, [Inquiry(Relation.NEIGHBOUR, Whom.BELOW, home)])
    assert not script.is_same_person("neighbour", "above", {("neighbour", "below")})


@pytest.mark.parametrize("number", ["S/N", "s/n", "SN", " ", None])
def test_a_house_without_a_number_is_asked_for_by_its_street(number: str | None) -> None:
    setting = script.Setting(Rules("MX"), "es", "A", "N", "G", "Calle Inventada", number)
    assert script.location_line(setting, "neighbour").text == "¿Dónde queda Calle Inventada?"


@pytest.mark.parametrize("language", sorted(script.LANGUAGES))
def test_whoever_stands_for_the_dead_is_not_asked_whether_they_are_in(language: str) -> None:
    setting = script.Setting(Rules("MX"), language, "Agente Inventado", "Nombre Inventado", "G", "C", "1")
    now = script.may_say(
        setting, "executor", agent_language=language, asked_company=False, may_check=True, may_ask=True
    )
    assert [line.moment for line in now.lines] == ["greet", "company", "parting"]
    assert not any("Nombre Inventado" in line.text for line in now.lines)
