"""Letters: what each place requires is there, in the right language, or the letter is refused by name."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date

import pytest

from field_api.domain.letters import LetterContent, LetterFacts, LetterRefused, LetterRules, compose
from field_api.rules.letters import LANGUAGES, all_rules, all_texts, rules_for

FACTS = LetterFacts(
    kind="notification",
    language="es-MX",
    jurisdiction="MX",
    dated_on=date(2026, 11, 18),
    name="Persona Inventada",
    address_lines=("Calle Uno 1", "06500 Ciudad Inventada"),
    role="debtor",
    sector="financial",
    creditor_name="Mueblería Ficticia, S.A. de C.V.",
    creditor_address="Avenida Ficticia 1",
    creditor_phone="+52 55 0000 0001",
    agency_name="Agencia Puerta Norte",
    agency_address="Calle Dos 2",
    agency_phone="+52 55 0000 0002",
    agency_email="hola@puerta.example",
    collector_name="Agente Inventado",
    reference="CT-99-1234",
    product="línea blanca",
    currency="MXN",
    principal_minor=1_000_000,
    interest_minor=50_000,
    fees_minor=10_000,
    balance_minor=1_000_000,
    calculated_on=date(2026, 11, 1),
    due_on=date(2026, 8, 1),
    itemised_on=date(2026, 7, 1),
    payment_ways=("Transferencia a la entidad",),
    contract_on=date(2024, 1, 31),
    complaints_address="Avenida Ficticia 1",
    complaints_email="quejas@muebleria.example",
    complaints_phone="+52 55 0000 0003",
    responsible_persons="Responsable Inventada",
    registration="REG-1",
    permit_number="P-1",
    supervisory_authority="Autoridad Inventada",
    vat_statement="inkl.",
    interest_calculation="5 %",
)


def composed(facts: LetterFacts) -> LetterContent:
    rules = rules_for(facts.jurisdiction)
    assert rules is not None
    result = compose(facts, rules, all_texts(), "7H3K9QW2X5TZA")
    assert isinstance(result, LetterContent), result
    return result


def said(facts: LetterFacts) -> str:
    return json.dumps(composed(facts).wire(), ensure_ascii=False).replace("\N{NO-BREAK SPACE}", " ")


@pytest.mark.parametrize("jurisdiction", sorted(all_rules()))
def test_a_letter_is_refused_by_name_for_every_required_field_that_is_missing(jurisdiction: str) -> None:
    rules = all_rules()[jurisdiction]
    facts = replace(FACTS, jurisdiction=jurisdiction)
    assert isinstance(compose(facts, rules, all_texts(), "S"), LetterContent)
    for field, source in rules.required.items():
        lacking = replace(facts, balance_minor=9_999_999) if field == "itemisation" else _without(facts, field)
        result = compose(lacking, rules, all_texts(), "S")
        assert result == LetterRefused(field, "missing", source)


def _without(facts: LetterFacts, field: str) -> LetterFacts:
    empty = {"address_lines": (), "payment_ways": (), "calculated_on": None, "due_on": None}
    empty |= {"itemised_on": None, "contract_on": None}
    return replace(facts, **{field: empty.get(field, "")})


@pytest.mark.parametrize("rules", all_rules().values(), ids=sorted(all_rules()))
def test_every_rule_names_its_source(rules: LetterRules) -> None:
    assert all(rules.required.values()) and all(rules.forbidden.values())
    assert all(notice.source for notice in rules.notices)


@pytest.mark.parametrize("kind", ["reminder", "notification", "final_warning"])
@pytest.mark.parametrize("language", LANGUAGES)
def test_every_kind_is_written_in_every_language(kind: str, language: str) -> None:
    content = composed(replace(FACTS, jurisdiction="LI", language=language, kind=kind, currency="CHF"))
    assert [part.language for part in content.parts] == [language]
    assert content.parts[0].title == all_texts()[language].words[f"title_{kind}"]


def test_every_language_has_every_sentence() -> None:
    english = all_texts()["en"].words.keys()
    assert all(texts.words.keys() == english for texts in all_texts().values())


@pytest.mark.parametrize(
    ("jurisdiction", "language", "currency", "amount", "day"),
    [
        ("MX", "es", "MXN", "$10,000.00", "18 de noviembre de 2026"),
        ("LI", "de", "CHF", "CHF 10’000.00", "18. November 2026"),
        ("FR", "fr", "EUR", "10\u202f000,00 €", "18 novembre 2026"),
        ("US", "en", "USD", "$10,000.00", "November 18, 2026"),
        ("MX", "es", "JPY", "1,000,000", "18 de noviembre de 2026"),
    ],
)
def test_amounts_and_dates_are_written_as_people_there_write_them(
    jurisdiction: str, language: str, currency: str, amount: str, day: str
) -> None:
    text = said(replace(FACTS, jurisdiction=jurisdiction, language=language, currency=currency))
    assert amount in text and day in text


def test_the_table_adds_up_and_shows_what_was_paid() -> None:
    table = next(block for block in composed(FACTS).parts[0].blocks if block["block"] == "table")
    assert [amount for _, amount in table["rows"]] == ["$10,000.00", "$500.00", "$100.00", "-$600.00"]
    assert table["total"] == ["Total", "$10,000.00"]


def test_in_the_united_states_spanish_stands_only_behind_english() -> None:
    facts = replace(FACTS, jurisdiction="US-MD", currency="USD")
    assert [part.language for part in composed(facts).parts] == ["en", "es"]
    assert [part.language for part in composed(replace(facts, language="en")).parts] == ["en"]


def test_a_letter_in_the_united_states_carries_the_validation_notice() -> None:
    text = said(replace(FACTS, jurisdiction="US", language="en", currency="USD"))
    assert "is a debt collector" in text and "www.cfpb.gov/debt-collection" in text
    assert "by January 1, 2027 to dispute" in text  # 14 days to arrive and 30 to answer
    prompts = [
        "this is not my debt",
        "the amount is wrong",
        "other (please",
        "name and address of the original creditor",
    ]
    places = [text.rindex(prompt) for prompt in prompts]
    assert places == sorted(places)
    assert "CT-99-1234" not in text and "…1234" in text


def test_redeco_is_named_for_financial_creditors_alone() -> None:
    assert "REDECO" in said(FACTS) and "REDECO" not in said(replace(FACTS, sector="commercial"))


@pytest.mark.parametrize(
    ("jurisdiction", "field", "value"),
    [
        ("MX", "agency_name", "Procuraduría de Cobros"),
        ("MX", "settlement", "Evite el EMBARGO"),
        ("US", "agency_name", "Bureau of Recovery"),
        ("LI", "product", "Schreiben vom Gerichtsvollzieher"),
        ("GB", "payment_ways", ("Pay at the County Court",)),
    ],
)
def test_what_looks_like_a_court_or_an_authority_is_refused(jurisdiction: str, field: str, value: object) -> None:
    facts = replace(FACTS, jurisdiction=jurisdiction, **{field: value})
    rules = rules_for(jurisdiction)
    assert rules is not None
    result = compose(facts, rules, all_texts(), "S")
    assert isinstance(result, LetterRefused) and (result.field, result.reason) == (field, "forbidden")


def test_a_value_is_never_read_as_a_pattern() -> None:
    text = said(replace(FACTS, creditor_name="{agency_phone} {0}", settlement="{total}"))
    assert "{agency_phone} {0}" in text and "Condiciones que ofrece el acreedor: {total}" in text


def test_a_place_without_rules_gets_no_letter() -> None:
    assert rules_for("BR") is None and rules_for("CA-NB") is None
    assert rules_for("AT") is all_rules()["EU"] and rules_for("US-MD") is all_rules()["US"]
