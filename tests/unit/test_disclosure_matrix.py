"""The matrix is what the rules say, and nothing that is put on top of it tells anybody more."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from copy import deepcopy
from importlib.resources import files
from itertools import product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from field_api.domain.disclosure import (
    LABEL_OF_ITEM,
    MATRIX,
    Audience,
    BadMatrix,
    Cell,
    Cells,
    Identity,
    Item,
    Label,
    LooserThanTheRule,
    Relation,
    agency_overrides,
    cell_of,
    may_see,
    may_tell,
    sources_of,
)
from field_api.domain.disclosure_matrix import (
    LOCATION_CELLS,
    OTHER_CELLS,
    TOLD_IN,
    at_most,
    stricter,
)
from field_api.domain.disclosure_reader import read_matrix

DATA = files("field_api").joinpath("rules", "disclosure.toml")

# Typed in by hand from the product's rules, "Audiences and what each may get", column by column:
# name sought, agent's name, agency, creditor, that a debt exists, balance, letter, terms, location question.
# Y yes, V after the check, A only if asked, C with documented authority, 1 once, 0 off, - never.
GOLDEN = """
claims_to_be_sought  Y Y A - - - - - -
sought               Y Y Y V V V V V Y
guarantor            Y Y Y V V V V V Y
attorney             Y Y Y C C C C C -
executor             Y Y Y C C C C C Y
guardian             Y Y Y C C C C C Y
spouse               Y Y A - - - - - 1
relative             Y Y A - - - - - 1
minor                - Y - - - - - - -
older_or_disabled    Y Y A - - - - - -
neighbour            Y Y A - - - - - 1
guard                Y Y A - - - - - 1
employer             - - - - - - - - 0
authority            C Y Y C C C - - -
nobody               - - - - - - - - -
"""
MEANING = {
    "Y": Cell.YES, "V": Cell.VERIFIED, "A": Cell.ASKED, "C": Cell.DOCUMENTED,
    "1": Cell.ONCE, "0": Cell.OFF, "-": Cell.NEVER,
}  # fmt: skip
COLUMNS = (
    Item.NAME_SOUGHT, Item.AGENT_NAME, Item.AGENCY, Item.CREDITOR, Item.DEBT_EXISTS, Item.BALANCE, Item.LETTER,
    Item.TERMS, Item.LOCATION_QUESTION,
)  # fmt: skip

DOOR = st.sampled_from(Relation)
ITEMS = st.sampled_from(Item)
PLACES = st.sampled_from(
    [None, "US", "US-MD", "CA-QC", "MX", "EU", "IT", "FR", "GB", "UK", "CH", "BR", "", "us-md", "US-"]
)
SECRET = [Label.CONFIDENTIAL, Label.PERSONAL]
OVERRIDES = st.dictionaries(
    DOOR.filter(lambda row: row is not Relation.GUARD),
    st.dictionaries(ITEMS, st.sampled_from(Cell), max_size=4),
    max_size=5,
)


def golden() -> dict[tuple[Relation, Item], Cell]:
    table = {}
    for line in GOLDEN.split("\n")[1:-1]:
        row, *cells = line.split()
        table |= {(Relation(row), item): MEANING[cell] for item, cell in zip(COLUMNS, cells, strict=True)}
    return table


def test_every_cell_is_the_one_that_the_rules_name() -> None:
    assert dict(MATRIX.default.cells) == golden()
    assert len(golden()) == len(Relation) * len(Item) == 135


def test_where_the_law_of_a_place_differs_the_matrix_does() -> None:
    differs = {
        code: {place: cell for place, cell in MATRIX.table(code).cells.items() if cell is not golden()[place]}
        for code in ("US", "US-MD", "US-MA", "CA", "CA-QC", "CA-ON", "MX", "FR", "GB", "UK", "CH", "IT")
    }
    nameless = {
        (row, item): cell
        for row in (Relation.NEIGHBOUR, Relation.GUARD)
        for item, cell in ((Item.NAME_SOUGHT, Cell.NEVER), (Item.LOCATION_QUESTION, Cell.PLACE_ONLY))
    }
    for code in ("US", "US-MD", "US-MA", "CA", "CA-QC", "CA-ON"):
        assert differs[code] == {}  # a neighbour may be asked by name, once
    for code in ("MX", "FR", "GB", "UK", "CH"):
        assert differs[code] == nameless
    home = (Relation.SPOUSE, Relation.RELATIVE, Relation.NEIGHBOUR, Relation.GUARD)
    assert differs["IT"] == (
        {(row, Item.NAME_SOUGHT): Cell.NEVER for row in (Relation.NEIGHBOUR, Relation.GUARD)}
        | {(row, Item.LOCATION_QUESTION): Cell.NEVER for row in home}
        | {(row, Item.AGENCY): Cell.NEVER for row in (*home, Relation.OLDER_OR_DISABLED)}
    )


def test_every_cell_has_a_source() -> None:
    for relation, item in product(Relation, Item):
        assert all(source.text and source.confidence in "HML" for source in sources_of(relation, item))
    assert [source.jurisdiction for source in sources_of(Relation.GUARD, Item.AGENT_NAME)] == [None]
    assert [source.jurisdiction for source in sources_of(Relation.NEIGHBOUR, Item.NAME_SOUGHT)] == [
        None, "MX", "EU", "GB", "CH",
    ]  # fmt: skip


def test_what_each_mark_means_at_the_door() -> None:
    spouse, sought, neighbour = Relation.SPOUSE, Relation.SOUGHT, Relation.NEIGHBOUR
    assert not may_tell(spouse, Item.AGENCY, "MX")
    assert may_tell(spouse, Item.AGENCY, "MX", asked=True)
    assert may_tell(spouse, Item.LOCATION_QUESTION, "US-MD")
    assert not may_tell(spouse, Item.LOCATION_QUESTION, "US-MD", asked_before=True)
    assert not may_tell(neighbour, Item.LOCATION_QUESTION, "MX")
    assert may_tell(neighbour, Item.LOCATION_QUESTION, "MX", named=False)
    assert not may_tell(neighbour, Item.LOCATION_QUESTION, "MX", named=False, asked_before=True)
    assert not may_tell(sought, Item.BALANCE, "MX")
    assert may_tell(sought, Item.BALANCE, "MX", Identity.VERIFIED)
    assert not may_tell(Relation.ATTORNEY, Item.BALANCE, "MX", Identity.VERIFIED)
    assert may_tell(Relation.ATTORNEY, Item.BALANCE, "MX", Identity.DOCUMENTED)
    assert not may_tell(Relation.EMPLOYER, Item.LOCATION_QUESTION, "US", asked=True)


def test_before_the_check_the_person_sought_only_claims_to_be() -> None:
    for relation in (Relation.SOUGHT, Relation.GUARANTOR):
        assert cell_of(relation, Item.AGENCY, "MX") is Cell.ASKED
        assert cell_of(relation, Item.CREDITOR, "MX") is Cell.NEVER
        assert not may_tell(relation, Item.LOCATION_QUESTION, "MX")


@given(DOOR, st.sampled_from(SECRET), PLACES)
def test_without_an_identity_check_nobody_at_a_door_sees_a_secret(
    who: Relation, label: Label, place: str | None
) -> None:
    assert not may_see(who, label, place, Identity.NONE)
    assert not may_see(who, label, place)
    assert not may_see(Audience.ENTITLED_PARTY, label, place, Identity.NONE)
    assert not may_see(Audience.THIRD_PARTY, label, place, Identity.DOCUMENTED)


@given(DOOR, ITEMS, PLACES, st.booleans(), st.booleans(), st.booleans())
def test_without_an_identity_check_nobody_is_told_a_secret(
    who: Relation, item: Item, place: str | None, asked: bool, again: bool, named: bool
) -> None:
    told = may_tell(who, item, place, Identity.NONE, asked=asked, asked_before=again, named=named)
    assert not (told and LABEL_OF_ITEM[item] in SECRET)


@given(st.sampled_from([*Relation, *Audience]), st.sampled_from(Label), st.sampled_from(Identity), PLACES)
def test_a_label_is_seen_at_a_door_only_where_each_of_its_items_may_be_told(
    who: Relation | Audience, label: Label, identity: Identity, place: str | None
) -> None:
    if isinstance(who, Relation) and may_see(who, label, place, identity):
        items = [item for item in Item if LABEL_OF_ITEM[item] is label]
        assert items
        assert all(may_tell(who, item, place, identity, asked=True) for item in items)


@given(DOOR, ITEMS, PLACES)
def test_a_jurisdiction_only_makes_stricter_and_an_unknown_one_is_the_strictest(
    who: Relation, item: Item, place: str | None
) -> None:
    cell = MATRIX.table(place).cells[who, item]
    assert at_most(cell, golden()[who, item])
    for code in MATRIX.by_jurisdiction:
        assert at_most(MATRIX.strictest.cells[who, item], MATRIX.table(code).cells[who, item])


@given(st.sampled_from(["US-MD", "US-TX", "CA-QC", "MX-JAL"]), DOOR, ITEMS)
def test_a_part_of_a_country_is_as_strict_as_the_country(code: str, who: Relation, item: Item) -> None:
    assert at_most(MATRIX.table(code).cells[who, item], MATRIX.table(code[:2]).cells[who, item])


@pytest.mark.parametrize("code", [None, "", "BR", "us", "us-md", "US-", "US-MARYLAND", "../US", "XX-MD"])
def test_a_place_that_nothing_is_known_about_gets_the_strictest(code: str | None) -> None:
    assert MATRIX.table(code) is MATRIX.strictest
    assert not may_tell(Relation.NEIGHBOUR, Item.NAME_SOUGHT, code)
    assert not may_tell(Relation.SPOUSE, Item.AGENCY, code, asked=True)


@given(st.text(max_size=20), st.text(max_size=20))
def test_unknown_people_labels_and_items_are_refused(who: Any, what: Any) -> None:
    known = {*Relation, *Audience}
    if who not in known:
        assert not any(may_see(who, label, "US", Identity.DOCUMENTED) for label in Label)
        assert not any(may_tell(who, item, "US", Identity.DOCUMENTED, asked=True) for item in Item)
    if what not in {*Label, *Item}:
        assert not any(may_see(one, what) for one in Audience)
        assert not any(may_tell(one, what, "US", Identity.DOCUMENTED, asked=True) for one in Relation)
    assert not may_tell(Relation.SOUGHT, Item.BALANCE, "MX", "perhaps")  # type: ignore[arg-type]  # the point of it


@given(st.sampled_from(Cell), st.sampled_from(Cell))
def test_the_stricter_of_two_tells_what_both_tell_at_most(one: Cell, other: Cell) -> None:
    both = TOLD_IN[one] & TOLD_IN[other]
    assert TOLD_IN[stricter(one, other)] <= both
    for cells in (LOCATION_CELLS, OTHER_CELLS - {Cell.ASKED}):
        if {one, other} <= cells:
            assert TOLD_IN[stricter(one, other)] == both


@given(OVERRIDES, PLACES, st.sampled_from(Identity), st.booleans())
def test_an_agency_can_only_make_it_stricter(
    wanted: Mapping[Relation, Mapping[Item, Cell]], place: str | None, identity: Identity, asked: bool
) -> None:
    raw = {str(row): {str(item): str(cell) for item, cell in items.items()} for row, items in wanted.items()}
    try:
        agency = agency_overrides({"disclosure": raw})
    except BadMatrix:
        assert any(
            not at_most(cell, golden()[row, item])
            or cell not in (LOCATION_CELLS if item is Item.LOCATION_QUESTION else OTHER_CELLS)
            for row, items in wanted.items()
            for item, cell in items.items()
        )
        return
    for row, items in wanted.items():
        for item, cell in items.items():
            assert at_most(MATRIX.tightened(MATRIX.table(place), agency).cells[row, item], cell)
    for relation, item in product(Relation, Item):
        if may_tell(relation, item, place, identity, asked=asked, agency=agency):
            assert may_tell(relation, item, place, identity, asked=asked)
    for relation, label in product(Relation, Label):
        if may_see(relation, label, place, identity, agency):
            assert may_see(relation, label, place, identity)


def test_an_agency_makes_a_row_stricter_and_the_guard_follows_the_neighbour() -> None:
    agency: Cells = agency_overrides(
        {"disclosure": {"spouse": {"agency": "never"}, "neighbour": {"name_sought": "never"}}}
    )
    assert not may_tell(Relation.SPOUSE, Item.AGENCY, "US", asked=True, agency=agency)
    assert may_tell(Relation.RELATIVE, Item.AGENCY, "US", asked=True, agency=agency)
    assert not may_tell(Relation.GUARD, Item.NAME_SOUGHT, "US", agency=agency)
    assert not may_see(Relation.GUARD, Label.OPEN, "US", agency=agency)
    assert may_see(Relation.GUARD, Label.OPEN, "US")
    assert agency_overrides({"durability": "backup"}) == {}


@pytest.mark.parametrize(
    ("raw", "named"),
    [
        ({"spouse": {"balance": "verified"}}, "disclosure.spouse.balance: verified is not stricter than never"),
        ({"spouse": {"agency": "yes"}}, "disclosure.spouse.agency: yes is not stricter than asked"),
        ({"attorney": {"letter": "verified"}}, "disclosure.attorney.letter: verified is not stricter than documented"),
        ({"spouse": {"agency": "verified"}}, "disclosure.spouse.agency: verified is not stricter than asked"),
        ({"employer": {"location_question": "once"}}, "disclosure.employer.location_question"),
    ],
)
def test_an_agency_that_would_tell_more_is_told_which_cell(raw: dict[str, Any], named: str) -> None:
    with pytest.raises(LooserThanTheRule, match=named):
        agency_overrides({"disclosure": raw})


@pytest.mark.parametrize(
    ("raw", "named"),
    [
        ([], "disclosure: a table"),
        ("never", "disclosure: a table"),
        ({"spouse": "never"}, "disclosure.spouse: a table"),
        ({"spouse": {1: "never"}}, "disclosure.spouse: a table"),
        ({"wife": {"agency": "never"}}, "disclosure.wife.agency: not one of"),
        ({"spouse": {"sum": "never"}}, "disclosure.spouse.sum: not one of"),
        ({"spouse": {"agency": "no"}}, "disclosure.spouse.agency: not one of"),
        ({"spouse": {"agency": None}}, "disclosure.spouse.agency: not one of"),
        ({"spouse": {"agency": "once"}}, "once says nothing about agency"),
        ({"spouse": {"location_question": "asked"}}, "asked says nothing about location_question"),
        ({"guard": {"agency": "never"}}, "guard has the row of neighbour"),
    ],
)
def test_an_agencys_part_that_cannot_be_understood_is_refused_by_place(raw: Any, named: str) -> None:
    with pytest.raises(BadMatrix, match=named):
        agency_overrides({"disclosure": raw})


def _data() -> dict[str, Any]:
    return tomllib.loads(DATA.read_text(encoding="utf-8"))


def _spoilt(table: str, number: int, **entries: Any) -> dict[str, Any]:
    content = deepcopy(_data())
    content[table][number].update(entries)
    return {**content, table: [{k: v for k, v in one.items() if v is not ...} for one in content[table]]}


@pytest.mark.parametrize(
    ("content", "named"),
    [
        ({**_data(), "rows": []}, "disclosure: unknown rows"),
        ({**_data(), "row": _data()["row"][1:]}, "no row for claims_to_be_sought"),
        ({**_data(), "audience": _data()["audience"][1:]}, "no entry for audience third_party"),
        (_spoilt("row", 0, balances="never"), "row claims_to_be_sought: unknown balances"),
        (_spoilt("row", 0, balance="maybe"), "row claims_to_be_sought balance: not one of"),
        (_spoilt("row", 0, balance=...), "row claims_to_be_sought: misses balance"),
        (_spoilt("row", 0, source=" "), "row claims_to_be_sought: needs a source"),
        (_spoilt("row", 0, confidence="sure"), "row claims_to_be_sought: needs a source"),
        (_spoilt("row", 0, who="sought"), "row sought: stands there twice"),
        (_spoilt("row", 0, who="guard"), "row guard: guard has the row of neighbour"),
        (_spoilt("row", 0, sources={"sum": "x"}), "row claims_to_be_sought sources: unknown sum"),
        (_spoilt("audience", 0, sees=["open", "secret"]), "audience third_party: not one of"),
        (_spoilt("audience", 0, who="everybody"), "audience everybody: not one of"),
        (_spoilt("jurisdiction", 0, code="us"), "jurisdiction us: us is no code"),
        (
            _spoilt("jurisdiction", 1, code="US"),
            "jurisdiction US: US is no code of a jurisdiction, or stands there twice",
        ),
        (_spoilt("jurisdiction", 0, within="EU"), "jurisdiction US: EU must stand before US"),
        (_spoilt("override", 0, jurisdiction="XX"), "override XX neighbour.name_sought: no such jurisdiction"),
        (_spoilt("override", 0, why="x"), "override MX neighbour.name_sought: unknown why"),
        (_spoilt("override", 0, source=...), "override MX neighbour.name_sought: misses source"),
        (
            _spoilt("override", 0, item="balance", cell="yes"),
            "override MX neighbour.balance: yes is not stricter than never",
        ),
        (
            _spoilt("override", 1, item="name_sought", cell="never"),
            "override MX neighbour.name_sought: stands there twice",
        ),
    ],
)
def test_a_matrix_that_says_something_else_stops_the_start_and_names_the_place(
    content: dict[str, Any], named: str
) -> None:
    with pytest.raises(BadMatrix, match=named):
        read_matrix(content)


def test_the_systems_audiences_see_what_their_work_needs() -> None:
    seen = {who: {label for label in Label if may_see(who, label)} for who in Audience}
    everything = set(Label)
    assert seen == {
        Audience.THIRD_PARTY: {Label.OPEN, Label.PLACE},
        Audience.ENTITLED_PARTY: everything - {Label.INTERNAL},
        Audience.AGENT: {Label.OPEN, Label.ON_REQUEST, Label.PLACE, Label.INTERNAL},
        Audience.DISPATCHER: everything,
        Audience.MANAGER: everything,
        Audience.ADMIN: {Label.OPEN, Label.ON_REQUEST, Label.INTERNAL},
        Audience.CONTROLLER: everything,
        Audience.INTEGRATOR: everything,
        Audience.OFFICE_JOB: everything,
        Audience.MACHINE: {Label.INTERNAL},
    }


def test_no_word_is_both_a_relation_and_an_audience() -> None:
    # Both are texts and keys of one table: a word that is in both would lend one the other's rights.
    assert not {str(one) for one in Relation} & {str(one) for one in Audience}
