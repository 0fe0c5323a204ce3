"""A mixed batch of made-up letters: four languages and countries, three senders, one record that is broken."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from hashlib import sha256
from typing import Any

from field_api.domain.letter_model import LetterBrand, LetterContent, LetterFacts
from field_api.domain.letters import compose
from field_api.domain.ports import PaperJob
from field_api.rules.letters import all_texts, rules_for

AT = datetime(2026, 11, 18, tzinfo=UTC)
DAY = AT.date()
_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


@dataclass(frozen=True)
class Country:
    """How people and places are called where a letter goes."""

    jurisdiction: str
    language: str
    currency: str
    names: tuple[str, ...]
    street: str
    town: str
    product: str
    way: str


COUNTRIES = (
    Country(
        "MX",
        "es",
        "MXN",
        ("María Inventada López", "José Ángel Ficticio Núñez"),
        "Calle Ficticia",
        "06500 Ciudad Inventada",
        "Línea blanca",
        "Transferencia a la CLABE 000000000000000000 de la entidad",
    ),
    Country(
        "US",
        "en",
        "USD",
        ("Jane Madeup", "Maximilian Invented Jr."),
        "Nowhere Street",
        "Sampletown, NY 10000",
        "Store card",
        "By cheque to the creditor's address",
    ),
    Country(
        "FR",
        "fr",
        "EUR",
        ("Élise Inventée", "François Fictif-Exemple"),
        "rue Imaginaire",
        "75000 Villeinventée",
        "Électroménager",
        "Par virement au créancier, IBAN FR00 0000 0000 0000",
    ),
    Country(
        "DE",
        "de",
        "EUR",
        ("Jürgen Erfunden", "Wilhelmine Beispiel-Großmann"),
        "Erdachte Straße",
        "99999 Musterhausen",
        "Haushaltsgeräte",
        "Überweisung auf das Konto des Gläubigers, IBAN DE00 0000 0000 0000",
    ),
)


def _picture(colour: str, letter: str) -> bytes:
    """A company's mark, as small as such drawings are."""
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 120 40"><rect width="40" height="40" rx="6" '
        f'fill="{colour}"/><path d="{letter}" fill="none" stroke="#fff" stroke-width="4"/>'
        f'<rect x="50" y="16" width="64" height="8" fill="{colour}"/></svg>'
    ).encode()


PICTURES = {
    sha256(picture).hexdigest(): picture
    for picture in (
        _picture("#0b5394", "M8 32 L20 8 L32 32"),
        _picture("#a61c00", "M8 8 L32 8 L8 32 L32 32"),
        _picture("#38761d", "M8 20 A12 12 0 1 0 32 20"),
    )
}
COMPANIES = ("Muebles Ficticios, S.A.", "Invented Energy Ltd", "Beispielbank AG")
BRANDS = tuple(
    LetterBrand(sender_lines=(company, "Avenida Ficticia 1", "+52 55 0000 0001"), colour=colour, logo=logo)
    for company, colour, logo in zip(COMPANIES, ("#0b5394", "#a61c00", "#38761d"), PICTURES, strict=True)
)


def facts_of(number: int) -> LetterFacts:
    """The facts of letter `number`; its neighbours are of other countries, senders and sums."""
    country = COUNTRIES[number % len(COUNTRIES)]
    which = number // len(COUNTRIES) % len(BRANDS)
    principal = 100_000 + number * 137
    return LetterFacts(
        kind=("reminder", "notification", "final_warning")[number // 12 % 3],
        language=country.language,
        jurisdiction=country.jurisdiction,
        dated_on=DAY,
        name=f"{country.names[number // 2 % len(country.names)]} {number}",
        address_lines=(f"{country.street} {number % 300 + 1}", country.town),
        role="guarantor" if number % 17 == 0 else "debtor",
        sector="financial",
        creditor_name=COMPANIES[which],
        creditor_address="Avenida Ficticia 1, 06000 Ciudad Inventada",
        creditor_phone="+52 55 0000 0001",
        agency_name="Agencia Puerta Norte",
        agency_address="Calle Dos 2, 06000 Ciudad Inventada",
        agency_phone="+52 55 0000 0002",
        agency_email="hola@puerta.example",
        collector_name="Agente Inventado",
        reference=f"CT-99-{number:06}",
        product=country.product,
        currency=country.currency,
        principal_minor=principal,
        interest_minor=principal // 20,
        fees_minor=12_500,
        balance_minor=principal,
        calculated_on=date(2026, 11, 1),
        due_on=date(2026, 8, 1),
        itemised_on=date(2026, 7, 1),
        payment_ways=(country.way,),
        contract_on=date(2024, 1, 31),
        complaints_address="Avenida Ficticia 1",
        complaints_email="quejas@muebles.example",
        complaints_phone="+52 55 0000 0003",
        responsible_persons="Responsable Inventada",
        registration="REG-1",
        permit_number="P-1",
        supervisory_authority="Autoridad Inventada",
        vat_statement="inkl.",
        interest_calculation="5 %",
        brand=BRANDS[which],
    )


def serial_of(number: int) -> str:
    """Thirteen Crockford characters, another for every letter."""
    digits = "".join(_CROCKFORD[number >> (5 * place) & 31] for place in range(4))
    return "7H3K9QW2X" + digits


def content_of(number: int) -> LetterContent:
    """Raises ValueError with the refusal: the batch is meant to be issued."""
    facts = facts_of(number)
    rules = rules_for(facts.jurisdiction)
    if rules is None:
        raise ValueError(f"no rules for {facts.jurisdiction}")
    content = compose(facts, rules, all_texts(), serial_of(number))
    if not isinstance(content, LetterContent):
        raise ValueError(f"letter {number}: {content}")
    return content


def jobs(count: int, broken: int) -> Iterator[PaperJob]:
    """Letters 0 to `count`, of which `broken` has lost its amounts on the way."""
    for number in range(count):
        content = content_of(number)
        data: dict[str, Any] = json.loads(json.dumps(content.wire()))
        if number == broken:
            data["parts"] = [{**part, "blocks": [{"block": "table", "rows": None}]} for part in data["parts"]]
        brand = BRANDS[number // len(COUNTRIES) % len(BRANDS)]
        files = {f"{brand.logo}.svg": PICTURES[brand.logo]}
        yield replace(PaperJob("letter", {"letter": data, "mark": "", "qr": [content.serial]}, AT), files=files)
