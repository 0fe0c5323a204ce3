"""The demonstration's three creditors and six agents. None of them exists."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from doorstep.demo.portfolios import DemoCreditor

MEXICO = DemoCreditor(
    name="Zorvanta Crédito, S.A. de C.V.",
    body={
        "jurisdiction": "MX", "sector": "commercial", "currency": "MXN", "language": "es",
        "address": "Av. Inventada 100, Col. Ejemplo, 00000 Ciudad de México", "phone": "+52 55 5555 0100",
        "complaints_unit": {
            "address": "Av. Inventada 100, piso 2, 00000 Ciudad de México",
            "email": "aclaraciones@zorvanta.example", "phone": "+52 55 5555 0101",
        },
        "payment_ways": ["En sucursales de Zorvanta, con su número de contrato", "En línea: pagos.zorvanta.example"],
    },
    file_name="mx-cartera.csv",
    headers={
        "reference": "Contrato", "product": "Producto", "currency": "Moneda", "principal": "Capital",
        "interest": "Intereses", "fees": "Comisiones", "balance": "Saldo", "calculated_on": "Fecha de cálculo",
        "due_on": "Fecha de vencimiento", "last_payment_on": "Fecha último pago", "last_payment": "Importe último pago",
        "debtor_key": "Clave cliente", "debtor_name": "Nombre", "debtor_alias": "Alias",
        "debtor_birth_date": "Fecha de nacimiento", "debtor_account_last4": "Últimos 4 dígitos",
        "debtor_agreed_word": "Palabra acordada", "street": "Calle", "number": "Número exterior",
        "interior": "Número interior", "between_1": "Entre calle 1", "between_2": "Entre calle 2",
        "neighbourhood": "Colonia", "postcode": "Código postal", "municipality": "Alcaldía", "state": "Estado",
        "city": "Ciudad", "country": "País", "hint": "Referencia del domicilio", "latitude": "Latitud",
        "longitude": "Longitud", "language": "Idioma", "guarantor_key": "Clave aval", "guarantor_name": "Aval",
        "guarantor_birth_date": "Fecha de nacimiento aval", "guarantor_account_last4": "Últimos 4 dígitos aval",
    },
    language="es",
    accounts=90,
)  # fmt: skip

USA = DemoCreditor(
    name="Thorwick Lending LLC",
    body={
        "jurisdiction": "US-MD", "sector": "financial", "currency": "USD", "language": "en",
        "address": "1 Example Plaza, Baltimore, MD 21200", "phone": "+1 410 555 0100",
        "payment_ways": ["Online at pay.thorwick.example", "By check to 1 Example Plaza, Baltimore, MD 21200"],
    },
    file_name="us-accounts.xlsx",
    headers={
        "reference": "Account number", "product": "Product", "currency": "Currency", "principal": "Principal",
        "interest": "Interest", "fees": "Fees", "balance": "Balance", "calculated_on": "Balance date",
        "due_on": "Due date", "last_payment_on": "Last payment date", "last_payment": "Last payment amount",
        "debtor_key": "Customer id", "debtor_name": "Name", "debtor_alias": "Alias",
        "debtor_birth_date": "Date of birth",
        "debtor_account_last4": "Account last 4", "debtor_agreed_word": "Agreed word", "street": "Street",
        "number": "House number", "city": "City", "state": "State", "postcode": "ZIP", "country": "Country",
        "hint": "Directions", "latitude": "Latitude", "longitude": "Longitude", "language": "Language",
        "guarantor_key": "Co-signer id", "guarantor_name": "Co-signer",
        "guarantor_birth_date": "Co-signer date of birth",
        "guarantor_account_last4": "Co-signer account last 4",
    },
    language="en",
    accounts=310,
)  # fmt: skip

LIECHTENSTEIN = DemoCreditor(
    name="Krumzacher Finanz AG",
    body={
        "jurisdiction": "LI", "sector": "financial", "currency": "CHF", "language": "de",
        "address": "Beispielweg 1, 9490 Vaduz", "phone": "+423 555 01 00",
        "payment_ways": ["Überweisung mit der Vertragsnummer als Zweck", "Am Schalter, Beispielweg 1, 9490 Vaduz"],
    },
    file_name="li-forderungen.csv",
    headers={
        "reference": "Vertragsnummer", "product": "Produkt", "currency": "Währung", "principal": "Hauptforderung",
        "interest": "Zinsen", "fees": "Gebühren", "balance": "Saldo", "calculated_on": "Saldo per",
        "due_on": "Fällig am", "last_payment_on": "Letzte Zahlung am", "last_payment": "Letzte Zahlung",
        "debtor_key": "Kundennummer", "debtor_name": "Name", "debtor_alias": "Rufname",
        "debtor_birth_date": "Geburtsdatum", "debtor_account_last4": "Konto letzte 4", "debtor_agreed_word": "Kennwort",
        "street": "Strasse", "number": "Hausnummer", "postcode": "PLZ", "city": "Ort", "country": "Land",
        "hint": "Hinweis", "latitude": "Breite", "longitude": "Länge", "language": "Sprache",
        "guarantor_key": "Bürge Nummer", "guarantor_name": "Bürge", "guarantor_birth_date": "Bürge Geburtsdatum",
        "guarantor_account_last4": "Bürge Konto letzte 4",
    },
    language="de",
    accounts=200,
)  # fmt: skip

CREDITORS = (MEXICO, USA, LIECHTENSTEIN)


@dataclass(frozen=True)
class DemoAgent:
    """A field agent who does not exist: where the day starts and ends, when, and in which languages."""

    code: str
    name: str
    territory: str
    timezone: str
    languages: tuple[str, ...]
    starts_at: str
    ends_at: str
    start: tuple[float, float, str]
    end: tuple[float, float, str]


AGENTS = (
    DemoAgent("MX-1", "Rocío Brianvaz", "Ciudad de México, norte", "America/Mexico_City", ("es", "en"),
              "09:00", "15:30", (19.4326, -99.1332, "Zócalo"), (19.4326, -99.1332, "Zócalo")),
    DemoAgent("MX-2", "Iván Laruemil", "Ciudad de México, sur", "America/Mexico_City", ("es",),
              "09:00", "15:30", (19.3467, -99.1617, "Coyoacán"), (19.3467, -99.1617, "Coyoacán")),
    DemoAgent("US-1", "Devon Caldimund", "Baltimore, east", "America/New_York", ("en", "es"),
              "09:00", "15:30", (39.2850, -76.5400, "Highlandtown"), (39.2850, -76.5400, "Highlandtown")),
    DemoAgent("US-2", "Sam Fenabarr", "Baltimore, harbour", "America/New_York", ("en",),
              "10:00", "16:30", (39.2800, -76.6000, "Inner harbour"), (39.2850, -76.5800, "Fells Point")),
    DemoAgent("LI-1", "Mara Velderbolt", "Oberland", "Europe/Vaduz", ("de", "en"),
              "09:00", "15:30", (47.1410, 9.5209, "Vaduz"), (47.1410, 9.5209, "Vaduz")),
    DemoAgent("LI-2", "Till Hagimayr", "Unterland", "Europe/Vaduz", ("de",),
              "09:00", "15:30", (47.2167, 9.5250, "Eschen"), (47.1652, 9.5087, "Schaan")),
)  # fmt: skip

AGENCY: dict[str, dict[str, Any]] = {
    "row": {
        "name": "Puerta Norte, agencia de visitas",
        "address": "Calle Inventada 12, 00000 Ciudad de México",
        "phone": "+52 55 5555 0199",
        "email": "oficina@puerta-norte.example",
    },
    "policy": {"letters": {"responsible_persons": ["Ines Brimayr"]}},
}
"""The agency's row and its policy: Mexican letters name who answers for the collection."""
