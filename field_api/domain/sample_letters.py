"""Invented letters, for trying templates: nobody of these names owes anybody anything.

Two of each kind: a plain one, and one whose every field is as long, as large or as odd as it may come.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from datetime import date, timedelta

from field_api.domain.letter_blocks import notices_of
from field_api.domain.letter_model import (
    DisputeFacts,
    Instalment,
    LetterBrand,
    LetterContent,
    LetterFacts,
    LetterKind,
    PromiseFacts,
)
from field_api.domain.letter_rules import LetterRules, Texts, required_of
from field_api.domain.letter_shown import must_show
from field_api.domain.letter_strings import letter_strings
from field_api.domain.letters import compose

LOGO = (
    b'<svg xmlns="http://www.w3.org/2000/svg" width="120" height="40" viewBox="0 0 120 40">'
    b'<path fill="#1f3a5f" d="M4 36V18L20 4l16 14v18H24V24h-8v12z"/><path fill="#9db2cc" d="M48 30h66v4H48z"/></svg>'
)
"""A house and a line."""
LOGO_SHA256 = hashlib.sha256(LOGO).hexdigest()
SERIAL = "7H3K9QW2X5TZA"
DATED_ON = date(2026, 11, 18)
KINDS = tuple(kind.value for kind in LetterKind)
_CURRENCIES = {"MX": "MXN", "US": "USD", "GB": "GBP", "UK": "GBP", "CA": "CAD", "CH": "CHF", "LI": "CHF"}
_LONG_NAME = "Wilhelmina Maximiliana Quaderer-Beck von und zu Hinterschellenberg"
_LONG_COMPANY = "Gesellschaft für Beispielhaftes und Erfundenes " * 6 + "mbH & Co. KG"
_LONG_TEXT = "https://beispiel.example/ein/sehr/langer/weg?mit=vielen&teilen=" + "x" * 90
_MARKUP = '#panic("x") *a* _b_ $c$ <d> @e \\ // ]} "'


def sample_facts(rules: LetterRules, kind: str, language: str, *, hard: bool) -> LetterFacts:
    """All that a letter of this place and kind could state."""
    place = rules.jurisdiction
    plain = LetterFacts(
        kind=kind,
        language=language or rules.default_language,
        jurisdiction=place,
        dated_on=DATED_ON,
        name="Renata Inventada Ficticia",
        address_lines=("Calle de Ejemplo 12, int. 3", "06500 Ciudad Inventada"),
        role="debtor",
        sector="financial",
        creditor_name="Mueblería Ficticia, S.A. de C.V.",
        creditor_address="Avenida Ficticia 1, 06000 Ciudad Inventada",
        creditor_phone="+52 55 0000 0001",
        agency_name="Agencia Puerta Norte",
        agency_address="Calle Dos 2, 06500 Ciudad Inventada",
        agency_phone="+52 55 0000 0002",
        agency_email="hola@puerta.example",
        collector_name="Aurelio Ejemplar",
        reference="CT-99-1234",
        product="línea blanca",
        currency=_CURRENCIES.get(place.partition("-")[0], "EUR"),
        principal_minor=1_000_000,
        interest_minor=51_230,
        fees_minor=10_070,
        balance_minor=1_011_300,
        calculated_on=date(2026, 11, 1),
        due_on=date(2026, 8, 1),
        itemised_on=date(2026, 7, 1),
        payment_ways=("Transferencia a la CLABE 000000000000000000", "En cualquier sucursal de Mueblería Ficticia"),
        original_creditor="Tienda Imaginaria, S.A.",
        settlement="10 × 1 011,30",
        contract_on=date(2024, 1, 31),
        complaints_address="Avenida Ficticia 1, piso 2",
        complaints_email="quejas@muebleria.example",
        complaints_phone="+52 55 0000 0003",
        responsible_persons="Clara Inventada, Tomás Supuesto",
        registration="REG-0001",
        permit_number="PERM-0002",
        supervisory_authority="Aufsicht Beispielstadt",
        vat_statement="USt 0 %",
        interest_calculation="5 % p. a.",
        promise=PromiseFacts(600_000, DATED_ON + timedelta(days=20), DATED_ON - timedelta(days=1)),
        instalments=_instalments(6, 600_000),
        dispute=DisputeFacts("wrong_amount", DATED_ON - timedelta(days=3), DATED_ON + timedelta(days=11)),
        brand=LetterBrand(
            sender_lines=("Mueblería Ficticia", "Avenida Ficticia 1", "06000 Ciudad Inventada"),
            colour="#1f3a5f",
            logo=LOGO_SHA256,
            signature_name="Rosa Supuesta",
            signature_title="Atención a clientes",
        ),
        free_paragraphs=("Gracias por su confianza.",),
    )
    return _hard(plain) if hard else plain


def sample_letter(facts: LetterFacts, rules: LetterRules, texts: Mapping[str, Texts], template: str) -> LetterContent:
    """Raises ValueError where the sample itself is refused: then the rules ask for what no sample has."""
    content = compose(replace(facts, template=template), rules, texts, SERIAL)
    if not isinstance(content, LetterContent):
        raise ValueError(f"{rules.jurisdiction}: {content}")
    return content


def sample_files(facts: LetterFacts) -> dict[str, bytes]:
    """The pictures that a sample shows."""
    return {f"{LOGO_SHA256}.svg": LOGO} if facts.brand.logo else {}


def sample_must_show(
    content: LetterContent, facts: LetterFacts, rules: LetterRules, texts: Mapping[str, Texts]
) -> dict[str, tuple[str, ...]]:
    """What the jurisdiction requires by name and source, as far as it is text of the letter's inside; then all else."""
    wire = content.wire()
    wanted = must_show(wire)
    said = "\n".join(text for texts in wanted.values() for text in texts)
    named = {}
    for name, source in required_of(rules, facts.kind).items():
        value = getattr(facts, name)
        if isinstance(value, str) and value and value in said:
            named[f"{name} ({source})"] = (value,)
    for part in content.parts:
        say = letter_strings(facts, rules, texts[part.language])
        for notice in notices_of(facts, rules):
            text = say.fill(notice.text[part.language]) if part.language in notice.text else ""
            if text:
                named[f"{part.language} notice {notice.id} ({notice.source})"] = (text,)
    return {**named, **wanted}


def _instalments(count: int, total: int) -> tuple[Instalment, ...]:
    first = DATED_ON + timedelta(days=12)
    return tuple(
        Instalment(n + 1, first + timedelta(days=30 * n), total // count + (total % count if n == 0 else 0))
        for n in range(count)
    )


def _hard(facts: LetterFacts) -> LetterFacts:
    """Long words, long names, markup, other scripts, many rows, large amounts; and no picture, colour or signature."""
    amount = 10**15
    return replace(
        facts,
        product=f"{facts.product} {_MARKUP}",
        responsible_persons=f"{facts.responsible_persons} {_MARKUP}",
        collector_name=f"{facts.collector_name} {_MARKUP}",
        settlement=f"{facts.settlement} {_MARKUP}",
        name=_LONG_NAME,
        creditor_name=_LONG_COMPANY,
        reference="0" * 40 + "-" + "9" * 20,
        principal_minor=amount,
        interest_minor=amount,
        fees_minor=0,
        balance_minor=2 * amount,
        payment_ways=(_LONG_TEXT, *(f"{number}: {_MARKUP}" for number in range(8))),
        original_creditor="חברה בדויה בע״מ",
        instalments=_instalments(60, amount),
        promise=replace(facts.promise, amount_minor=amount) if facts.promise else None,
        brand=LetterBrand(),
        free_paragraphs=(_LONG_TEXT, "Ein Satz, der nicht enden will, " * 20),
    )
