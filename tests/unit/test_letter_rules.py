"""What each place requires and forbids: taking it away, or adding it, refuses the letter by name and source."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from field_api.domain.letter_blocks import notices_of
from field_api.domain.letter_checks import refusal
from field_api.domain.letter_outside import outside_lines, tells_nothing
from field_api.domain.letter_rules import GROUPS, PAYING, LetterRules, required_of
from field_api.domain.letter_text import plain_letter, plain_text
from field_api.domain.letter_words import first_word
from field_api.domain.letters import LetterBrand, LetterContent, LetterFacts, LetterRefused, check_words, compose
from field_api.rules.letters import LANGUAGES, all_rules, all_texts, rules_for
from tests.letter_samples import FACTS, KINDS, OWN, composed, sample, text_of

OWN_FILES = {rules.jurisdiction: rules for rules in all_rules().values()}
PLACES = sorted(OWN_FILES)
_SECTORS = ("financial", "commercial")
_EMPTY: dict[str, Any] = {"address_lines": (), "payment_ways": (), "itemisation": {"balance_minor": 9_999_999}} | (
    dict.fromkeys(["calculated_on", "due_on", "itemised_on", "contract_on"])
)


def test_every_place_of_the_law_is_known() -> None:
    assert set(PLACES) == {*OWN, "EU"} - {"AT"}


@pytest.mark.parametrize("place", PLACES)
def test_a_letter_is_refused_by_name_for_every_required_field_that_is_missing(place: str) -> None:
    rules, seen = OWN_FILES[place], set()
    for kind in KINDS:
        facts = sample(kind, place)
        assert isinstance(compose(facts, rules, all_texts(), "S"), LetterContent)
        for entry in rules.required:
            wanted = LetterRefused(entry.field, "missing", entry.source)
            found = refusal(_without(facts, entry.field), rules)
            assert (found == wanted) is (kind in entry.kinds), f"{kind} without {entry.field}"
            seen |= {entry.field} if found == wanted else set()
    assert seen == {entry.field for entry in rules.required}


def _without(facts: LetterFacts, field: str) -> LetterFacts:
    empty = _EMPTY.get(field, "")
    return replace(facts, **(empty if isinstance(empty, dict) else {field: empty}))


@pytest.mark.parametrize("place", PLACES)
def test_what_is_required_stands_in_the_letter(place: str) -> None:
    """Not only asked for: each required fact can be read on the paper."""
    for kind in KINDS:
        facts = sample(kind, place, OWN.get(place, "en"))
        text = text_of(facts).replace("\N{NO-BREAK SPACE}", " ")
        for field in required_of(OWN_FILES[place], kind):
            value = getattr(facts, field)
            values = value if isinstance(value, tuple) else (value,)
            shown = [one for one in values if isinstance(one, str)]
            assert all(one in text or f"…{one[-4:]}" in text for one in shown), f"{kind}: {field}"


def test_interest_is_explained_where_there_is_some() -> None:
    facts = sample(jurisdiction="DE", interest_calculation="", interest_minor=0, fees_minor=0, vat_statement="")
    composed(facts)
    result = compose(replace(facts, interest_minor=1), OWN_FILES["DE"], all_texts(), "S")
    assert isinstance(result, LetterRefused) and result.field == "interest_calculation"


# Words


def _cases() -> list[tuple[str, int]]:
    return [(place, number) for place in PLACES for number in range(len(OWN_FILES[place].forbidden))]


@pytest.mark.parametrize(("place", "number"), _cases())
def test_every_forbidden_item_refuses_the_letter_with_its_source(place: str, number: int) -> None:
    rules = OWN_FILES[place]
    entry = rules.forbidden[number]
    for field in sorted(entry.fields) or ["settlement"]:
        facts = sample(jurisdiction=place)
        text = entry.words[0].replace("*", "s")
        value = (text,) if isinstance(getattr(facts, field), tuple) else text
        alone = replace(rules, forbidden=[entry])
        result = compose(replace(facts, **{field: value}), alone, all_texts(), "S")
        assert result == LetterRefused(field, "forbidden", entry.source)
        assert isinstance(compose(facts, alone, all_texts(), "S"), LetterContent)


def test_every_forbidden_word_is_found_in_a_sentence() -> None:
    for entry in {entry for rules in OWN_FILES.values() for entry in rules.forbidden}:
        for word in entry.words:
            found = first_word([f"(Ein {word.replace('*', 'xyz').upper()}, b)"], entry)
            assert found is not None and found.source == entry.source, word


_BRAND = {name: replace(FACTS.brand, **{name: "Juzgado Primero"}) for name in ("signature_name", "signature_title")}


@pytest.mark.parametrize(
    ("field", "facts"),
    [
        *((name, {name: "Juzgado Primero"}) for name in ("agency_name", "creditor_name", "original_creditor", "product")),
        *((name, {name: "Juzgado Primero"}) for name in ("settlement", "collector_name", "responsible_persons")),
        *((name, {name: "Juzgado Primero"}) for name in ("reference", "registration", "permit_number", "vat_statement")),
        ("interest_calculation", {"interest_calculation": "Juzgado Primero"}),
        ("payment_ways", {"payment_ways": ("Transferencia", "En el Juzgado Primero")}),
        ("free_paragraphs", {"free_paragraphs": ("Buenos días.", "Del Juzgado Primero.")}),
        ("brand.sender_lines", {"brand": replace(FACTS.brand, sender_lines=("Juzgado Primero",))}),
        *((f"brand.{name}", {"brand": brand}) for name, brand in _BRAND.items()),
    ],
)  # fmt: skip
def test_whatever_agency_and_creditor_supply_is_looked_at(field: str, facts: dict[str, Any]) -> None:
    rules = rules_for("MX")
    assert rules is not None
    result = compose(sample(**facts), rules, all_texts(), "S")
    assert isinstance(result, LetterRefused) and (result.field, result.reason) == (field, "forbidden")
    assert "Juzgado" not in str(result)


def test_somebody_may_live_in_court_street_and_be_called_so() -> None:
    composed(sample(jurisdiction="GB", language="en", name="Court, Judge", address_lines=("1 Court Street",)))
    composed(sample(jurisdiction="GB", language="en", payment_ways=("At our branch, 12 Court Street",)))
    for facts in ({"name": "The Occupier"}, {"address_lines": ("Current Resident", "1 Road")}):
        result = compose(sample(jurisdiction="GB", **facts), OWN_FILES["GB"], all_texts(), "S")
        assert isinstance(result, LetterRefused) and result.source.startswith("FCA CONC 7: addressed to the customer")


def test_the_shipped_words_hold_nothing_that_any_place_forbids() -> None:
    """So a final warning threatens with nothing, in no language: what is left are prescribed notices and facts."""
    for place, rules in OWN_FILES.items():
        for language in LANGUAGES if place in ("EU", "MX", "US", "GB", "CA-QC") else rules.texts:
            words = {**all_texts()[language].words, **rules.texts.get(language, {})}
            assert check_words("\n".join(words.values()), rules) == (), f"{place} in {language}"


def test_in_the_united_states_a_collector_writes_in_its_own_name() -> None:
    result = compose(sample(jurisdiction="US", in_name_of="creditor"), OWN_FILES["US"], all_texts(), "S")
    assert result == LetterRefused("in_name_of", "forbidden", OWN_FILES["US"].agency_only)
    look = LetterBrand(sender_lines=(FACTS.creditor_name,), logo="ab" * 32, colour="#123456")
    content = composed(sample(jurisdiction="US", brand=look))
    assert content.sender_lines[0] == FACTS.agency_name
    assert content.brand == LetterBrand(colour="#123456"), "no letterhead of the creditor's either"


# Notices and languages


@pytest.mark.parametrize("place", PLACES)
def test_every_notice_stands_in_its_places_default_language(place: str) -> None:
    rules = OWN_FILES[place]
    for kind in KINDS:
        for sector in _SECTORS:
            facts = sample(
                kind, place, rules.default_language, sector=sector, original_creditor="X", address_source="Y"
            )
            text = plain_letter(composed(facts))
            for notice in notices_of(facts, rules):
                start = notice.text[rules.default_language].partition("{")[0]
                assert start in text, f"{notice.id} in a {kind}"
    assert all(notice.source for notice in rules.notices)


@pytest.mark.parametrize("place", PLACES)
def test_what_a_notice_does_not_say_in_the_addressees_language_stands_beside_in_the_places_own(place: str) -> None:
    rules = OWN_FILES[place]
    for language in LANGUAGES:
        facts = sample(jurisdiction=place, language=language)
        notices = notices_of(facts, rules)
        parts = composed(facts).parts
        assert parts[-1].language == language
        if any(language not in notice.text for notice in notices):
            assert rules.default_language in [part.language for part in parts]
        for part in parts:
            said = [notice.id for notice in notices if part.language in notice.text]
            first = {notice.id: notice.text.get(part.language, "").partition("{")[0] for notice in notices}
            assert all(first[name] in plain_text(part) for name in said)
            assert all(part.language in notice.text for notice in notices) or len(parts) == 2


@pytest.mark.parametrize(
    ("place", "language", "languages"),
    [
        ("US", "es", ["en", "es"]),
        ("US", "en", ["en"]),
        ("US-MD", "es", ["en", "es"]),
        ("MX", "en", ["es", "en"]),
        ("CA-QC", "en", ["fr", "en"]),
        ("CA-QC", "fr", ["fr"]),
        ("CA-NB", "fr", ["fr"]),
        ("CA-NB", "es", ["en", "es"]),
        ("CA-ON", "fr", ["en", "fr"]),
        ("GB", "de", ["en", "de"]),
        ("FR", "it", ["fr", "it"]),
        ("DE", "en", ["de", "en"]),
        ("ES", "nl", ["nl"]),
        ("LI", "pl", ["de"]),  # the office has no Polish
        ("PL", "pl", ["en"]),
        ("AT", "de", ["de"]),
        ("IT", "it", ["it"]),
    ],
)
def test_languages_stand_in_the_order_of_the_place(place: str, language: str, languages: list[str]) -> None:
    assert [part.language for part in composed(sample(jurisdiction=place, language=language)).parts] == languages


def test_a_letter_in_the_united_states_follows_the_model_form() -> None:
    text = text_of(sample(jurisdiction="US", language="en", settlement="10 % off"))
    order = [
        "is a debt collector",
        "Our information about the debt",
        "Amount due on July 1, 2026",
        "Total amount of the debt now",
        "How can you dispute the debt?",
        "Call or write to us by December 25, 2026",
        "What else can you do?",
        "name and address of the original creditor, if different",
        "www.cfpb.gov/debt-collection",
        "How to pay",
        "How do you want to respond?",
        "– This is not my debt.",
        "– The amount is wrong.",
        "– Other (please describe",
        "– I want you to send me the name and address of the original creditor.",
    ]
    places = [text.index(words) for words in order]
    assert places == sorted(places)
    assert "CT-99-1234" not in text and "…1234" in text


def test_a_later_letter_there_says_that_it_is_from_a_debt_collector() -> None:
    for kind in KINDS:
        text = text_of(sample(kind, "US", "en"))
        assert ("We are trying to collect a debt" in text) == (kind in GROUPS["asking"])
        assert ("This communication is from a debt collector" in text) == (kind not in GROUPS["asking"])


def test_each_sector_is_told_where_to_complain_in_mexico() -> None:
    financial, commercial = text_of(sample()), text_of(sample(sector="commercial"))
    assert "REDECO" in financial and "PROFECO" not in financial
    assert "PROFECO" in commercial and "REDECO" not in commercial


def test_in_france_the_articles_paragraphs_stand_where_payment_is_spoken_of() -> None:
    for kind in KINDS:
        text = text_of(sample(kind, "FR", "fr"))
        assert ("restent à la charge du créancier, sauf s’ils concernent" in text) == (kind in PAYING)
        assert "Recouvrement amiable" in text


def test_in_germany_an_address_from_elsewhere_is_told() -> None:
    assert "aus dieser Quelle: Einwohnermeldeamt" in text_of(
        sample("notification", "DE", "de", address_source="Einwohnermeldeamt")
    )
    assert "aus dieser Quelle" not in text_of(sample("notification", "DE", "de"))


def test_a_claim_that_changed_hands_says_so_in_europe() -> None:
    assert "è passato da Vecchia S.p.A. a" in text_of(
        sample("reminder", "IT", "it", original_creditor="Vecchia S.p.A.")
    )


def test_a_place_without_rules_gets_no_letter_and_a_neighbour_its_own_numbers() -> None:
    assert rules_for("BR") is None and rules_for("CA-AB") is None
    assert rules_for("US-MD") is all_rules()["US"] and rules_for("UK") is all_rules()["GB"]
    austria, liechtenstein = rules_for("AT"), rules_for("LI")
    assert austria is not None and (austria.jurisdiction, austria.territory) == ("EU", "AT")
    assert liechtenstein is not None and liechtenstein.territory == "LI"


@pytest.mark.parametrize("rules", OWN_FILES.values(), ids=OWN_FILES)
def test_every_rule_names_its_source(rules: LetterRules) -> None:
    assert all(entry.source for entry in (*rules.required, *rules.forbidden, *rules.notices))
    assert rules.outside and set(rules.confidence) <= set("HML/")


# Outside


@pytest.mark.parametrize("place", PLACES)
def test_outside_stand_an_address_and_a_name_that_tells_nothing(place: str) -> None:
    rules = OWN_FILES[place]
    assert outside_lines(sample(jurisdiction=place), rules) == (FACTS.agency_name, FACTS.agency_address)
    by_creditor = sample(jurisdiction=place, in_name_of="creditor", creditor_name="Banco Inventado")
    assert outside_lines(by_creditor, rules) == (FACTS.creditor_address,)


@pytest.mark.parametrize(
    "name",
    [
        "Inkasso Nord GmbH",
        "Cobranza Norte",
        "North Debt Recovery",
        "Recouvrements SA",
        "Incasso Noord",
        "I.N.K.A.S.S.O.",
    ],
)
def test_a_name_that_tells_why_does_not_stand_outside(name: str) -> None:
    assert outside_lines(sample(agency_name=name), OWN_FILES["MX"]) == (FACTS.agency_address,)


def test_where_nothing_is_known_of_the_outside_nothing_stands_there() -> None:
    assert outside_lines(sample(), replace(OWN_FILES["MX"], outside="")) == ()
    assert tells_nothing("Calle Dos 2", OWN_FILES["MX"]) and not tells_nothing("Pago vencido: $500", OWN_FILES["MX"])


def test_the_document_lists_every_place_with_its_confidence() -> None:
    lines = (Path(__file__).parents[2] / "docs" / "letters.md").read_text(encoding="utf-8").splitlines()
    told = {cells[1].strip(" `"): cells[-2].strip() for line in lines if len(cells := line.split("|")) == 6}
    assert told | {place: rules.confidence for place, rules in OWN_FILES.items()} == told
