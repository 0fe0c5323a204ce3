"""Letters of every kind, place and language, about nobody: what tests compose and golden files show."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from typing import Any

from field_api.domain.letter_text import plain_letter
from field_api.domain.letters import (
    DisputeFacts,
    Instalment,
    LetterBrand,
    LetterContent,
    LetterFacts,
    LetterKind,
    PromiseFacts,
    compose,
)
from field_api.rules.letters import all_texts, rules_for

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
SERIAL = "7H3K9QW2X5TZA"
CURRENCIES = {"MX": "MXN", "US": "USD", "CA": "CAD", "GB": "GBP", "UK": "GBP", "LI": "CHF", "CH": "CHF"}
_HAPPENED: Mapping[str, Mapping[str, Any]] = {
    "promise_confirmation": {
        "promise": PromiseFacts(400_000, due_on=date(2026, 12, 1), made_on=date(2026, 11, 16), way="SPEI"),
    },
    "payment_plan": {
        "promise": PromiseFacts(900_000, due_on=date(2027, 2, 1), made_on=date(2026, 11, 16)),
        "instalments": tuple(
            Instalment(number, date(2026 + (11 + number) // 13, (11 + number - 1) % 12 + 1, 1), 300_000)
            for number in (1, 2, 3)
        ),
    },
    "dispute_acknowledgement": {
        "dispute": DisputeFacts("wrong_amount", received_on=date(2026, 11, 16), answer_by=date(2026, 11, 30)),
    },
}


def sample(kind: str = "notification", jurisdiction: str = "MX", language: str = "es", **facts: Any) -> LetterFacts:
    """The facts of a letter of this kind there, with whatever else differs."""
    currency = CURRENCIES.get(jurisdiction.partition("-")[0], "EUR")
    own = {"kind": kind, "jurisdiction": jurisdiction, "language": language, "currency": currency}
    return replace(FACTS, **{**own, **_HAPPENED.get(kind, {}), **facts})


def composed(facts: LetterFacts) -> LetterContent:
    rules = rules_for(facts.jurisdiction)
    assert rules is not None
    result = compose(facts, rules, all_texts(), SERIAL)
    assert isinstance(result, LetterContent), result
    return result


def text_of(facts: LetterFacts) -> str:
    """The whole letter as plain text."""
    return plain_letter(composed(facts))


KINDS = tuple(kind.value for kind in LetterKind)
OWN = {"MX": "es", "US": "en", "GB": "en", "CA-ON": "en", "CA-QC": "fr", "CA-BC": "en", "CA-NB": "fr", "FR": "fr"} | {
    "DE": "de", "ES": "es", "IT": "it", "LI": "de", "PT": "pt", "NL": "nl", "AT": "de",
}  # fmt: skip
"""A language for every jurisdiction; Austria stands for those that follow the directive alone."""
BRANDED: Mapping[str, Any] = {
    "in_name_of": "creditor",
    "brand": LetterBrand(sender_lines=("Mueblería Ficticia", "Avenida Ficticia 1"), signature_name="R. Inventada"),
    "free_paragraphs": ("Gracias por su confianza de tantos años.",),
}


def golden() -> dict[str, LetterFacts]:
    """By file name: every place's notification, and every other kind in some place, in every language."""
    every = {
        f"{place}-notification-{language}": sample("notification", place, language) for place, language in OWN.items()
    }
    more = [
        ("MX", "es", "final_warning", {"sector": "commercial", **BRANDED}),
        ("MX", "en", "reminder", {"role": "guarantor"}),
        ("MX", "es", "payment_plan", {}),
        ("MX", "es", "dispute_acknowledgement", {}),
        ("US", "es", "notification", {}),
        ("US", "en", "final_warning", {"settlement": "10 % off if it is settled in one sum"}),
        ("US", "es", "promise_confirmation", {}),
        ("US", "en", "dispute_acknowledgement", {}),
        ("GB", "en", "payment_plan", {}),
        ("GB", "de", "reminder", {}),
        ("FR", "fr", "promise_confirmation", {}),
        ("DE", "de", "payment_plan", {}),
        ("DE", "de", "final_warning", {"address_source": "Einwohnermeldeamt"}),
        ("DE", "fr", "dispute_acknowledgement", {}),
        ("IT", "it", "payment_plan", {}),
        ("PT", "pt", "promise_confirmation", {"original_creditor": "Banco Inventado, S.A."}),
        ("NL", "nl", "dispute_acknowledgement", {}),
        ("NL", "nl", "final_warning", {}),
        ("LI", "it", "reminder", {"original_creditor": "Versandhaus Beispiel AG"}),
    ]  # fmt: skip
    return every | {
        f"{place}-{kind}-{language}": sample(kind, place, language, **facts) for place, language, kind, facts in more
    }
