"""Three creditors' files: some 600 accounts of made-up people at real addresses, and a dozen rows that are wrong."""

from __future__ import annotations

import csv
import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from importlib.resources import files
from pathlib import Path
from typing import Any

import xlsxwriter

from doorstep.demo.people import MadeUpPerson, People


@dataclass(frozen=True)
class DemoCreditor:
    """A creditor that does not exist, its file, and what its columns mean (docs/import.md)."""

    name: str
    body: dict[str, Any]
    file_name: str
    headers: dict[str, str]
    """Our field -> this creditor's column header."""
    language: str
    accounts: int

    @property
    def column_map(self) -> dict[str, Any]:
        """What the office is told about the file's columns."""
        return {"columns": {_office_field(name): header for name, header in self.headers.items()}}


def _office_field(name: str) -> str:
    """Our short name of a column -> the import's field (docs/import.md)."""
    if name in ADDRESS:
        return f"debtor.address.{name}"
    if name == "calculated_on":
        return "balance_calculated_on"
    role, _, attribute = name.partition("_")
    if role not in {"debtor", "guarantor"}:
        return name
    if attribute in {"birth_date", "tax_id", "account_last4", "agreed_word"}:
        return f"{role}.answer.{attribute}"
    return f"{role}.{'ref' if attribute == 'key' else attribute}"


ADDRESS = frozenset(
    {
        "street", "number", "interior", "between_1", "between_2", "neighbourhood", "postcode", "municipality", "state",
        "city", "country", "hint", "latitude", "longitude",
    }
)  # fmt: skip


@dataclass
class DemoPortfolio:
    creditor: DemoCreditor
    path: Path
    bad_rows: int
    people: dict[str, MadeUpPerson] = field(default_factory=dict)
    """By the creditor's own key of the person."""
    balances_minor: set[int] = field(default_factory=set)
    references: set[str] = field(default_factory=set)


def write_portfolios(directory: Path, seed: int, day: date, creditors: Sequence[DemoCreditor]) -> list[DemoPortfolio]:
    """Write every creditor's file below `directory`, the same bytes for the same seed and day."""
    directory.mkdir(parents=True, exist_ok=True)
    return [_portfolio(directory, random.Random(f"{seed}:{c.name}"), People(seed), day, c) for c in creditors]


def _portfolio(
    directory: Path, draw: random.Random, people: People, day: date, creditor: DemoCreditor
) -> DemoPortfolio:
    portfolio = DemoPortfolio(creditor, directory / creditor.file_name, 4)
    places = _places(creditor)
    draw.shuffle(places)
    rows = [_row(draw, people, day, creditor, places[i % len(places)], i, portfolio) for i in range(creditor.accounts)]
    _share_people(draw, rows, portfolio)
    _spoil(rows)
    _write(portfolio.path, creditor, rows)
    return portfolio


def _places(creditor: DemoCreditor) -> list[dict[str, str]]:
    name = {"es": "mexico_city", "en": "baltimore", "de": "liechtenstein"}[creditor.language]
    text = files("doorstep.demo").joinpath(f"data/addresses_{name}.csv").read_text(encoding="utf-8")
    rows = list(csv.DictReader(text.splitlines()))
    return {"es": _mexican, "en": _american, "de": _liechtenstein}[creditor.language](rows)


def _mexican(rows: list[dict[str, str]]) -> list[dict[str, str]]:
    return [
        {
            "street": _with_type(r["street_type"], r["street"]), "number": r["number"] or "S/N",
            "interior": "" if r["interior"] in {"SN", "0"} else r["interior"],
            "between_1": r["between_1"], "between_2": r["between_2"], "neighbourhood": r["neighbourhood"],
            "postcode": r["postcode"], "municipality": r["municipality"], "state": r["state"],
            "city": "Ciudad de México", "country": "MX", "latitude": r["lat"], "longitude": r["lon"],
        }
        for r in rows
    ]  # fmt: skip


def _with_type(kind: str, street: str) -> str:
    """The source says "Calzada" twice where a street's name begins with its type."""
    return street if street.split(" ", 1)[0] == kind else f"{kind} {street}".strip()


def _american(rows: list[dict[str, str]]) -> list[dict[str, str]]:
    return [
        {
            "street": r["street"], "number": r["housenumber"], "city": r["city"] or "Baltimore", "state": "MD",
            "postcode": r["postcode"], "country": "US", "latitude": r["lat"], "longitude": r["lon"],
        }
        for r in rows
        if r["postcode"]
    ]  # fmt: skip


def _liechtenstein(rows: list[dict[str, str]]) -> list[dict[str, str]]:
    return [
        {
            "street": r["street"], "number": r["housenumber"], "city": r["city"] or "Vaduz",
            "postcode": r["postcode"] or "9490", "country": "LI", "latitude": r["lat"], "longitude": r["lon"],
        }
        for r in rows
        if r["city"] not in {"Feldkirch", "Gambrin"}
    ]  # fmt: skip


def _row(
    draw: random.Random, people: People, day: date, creditor: DemoCreditor, place: dict[str, str], index: int,
    portfolio: DemoPortfolio,
) -> dict[str, Any]:  # fmt: skip
    person = people.draw(creditor.language, f"P{index:05d}")
    portfolio.people[person.key] = person
    principal = draw.randrange(12_000, 900_000)
    interest, fees = draw.randrange(0, principal // 8), draw.choice((0, 0, 2_500, 9_900))
    balance = principal + interest + fees
    if draw.random() < 0.06:  # below the threshold: not worth a visit
        principal, interest, fees, balance = 6_000 + index, 0, 0, 6_000 + index
    row: dict[str, Any] = {
        "reference": f"{creditor.file_name[:2].upper()}-{draw.randrange(10**9):09d}",
        "product": draw.choice(PRODUCTS[creditor.language]),
        "currency": creditor.body["currency"],
        "principal": principal, "interest": interest, "fees": fees, "balance": balance,
        "calculated_on": day - timedelta(days=1),
        "due_on": day - timedelta(days=draw.randrange(20, 400)),
        "debtor": person, "language": creditor.language, **place,
    }  # fmt: skip
    if draw.random() < 0.5:
        row |= {
            "last_payment_on": day - timedelta(days=draw.randrange(30, 200)),
            "last_payment": draw.randrange(500, 9_000),
        }
    if draw.random() < 0.04:
        row["due_on"] = day + timedelta(days=draw.randrange(3, 20))  # not due yet
    if draw.random() < 0.02:
        row["latitude"] = row["longitude"] = ""  # for the dispatcher's list
    if draw.random() < 0.10:
        row["hint"] = draw.choice(HINTS[creditor.language])
    if draw.random() < 0.08:
        guarantor = people.draw(creditor.language, f"G{index:05d}")
        row["guarantor"] = guarantor
        portfolio.people[guarantor.key] = guarantor
    portfolio.balances_minor.add(balance)
    portfolio.references.add(row["reference"])
    return row


def amounts_and_references(portfolios: Sequence[DemoPortfolio]) -> tuple[list[int], list[str]]:
    """Every balance (minor units) and contract number of the files: what must not be found outside."""
    amounts = {amount for portfolio in portfolios for amount in portfolio.balances_minor}
    references = {reference for portfolio in portfolios for reference in portfolio.references}
    return sorted(amounts), sorted(references)


def _share_people(draw: random.Random, rows: list[dict[str, Any]], portfolio: DemoPortfolio) -> None:
    """Some people have two accounts with the creditor: they are visited once for both."""
    for index in range(10, len(rows), 29):
        first, second = rows[index - 1], rows[index]
        portfolio.people.pop(second["debtor"].key, None)
        for name in ("debtor", "street", "number", "interior", "between_1", "between_2", "neighbourhood", "postcode",
                     "municipality", "state", "city", "latitude", "longitude", "hint"):  # fmt: skip
            if name in first:
                second[name] = first[name]
            else:
                second.pop(name, None)


def _spoil(rows: list[dict[str, Any]]) -> None:
    """Four rows that cannot be right: no name, a balance that is no number, a date that no calendar has, no street."""
    rows.append({**rows[0], "reference": "BAD-1", "debtor": None})
    rows.append({**rows[1], "reference": "BAD-2", "balance": "n/a"})
    rows.append({**rows[2], "reference": "BAD-3", "due_on": "31.02.2026"})
    rows.append({**rows[3], "reference": "BAD-4", "street": ""})


PRODUCTS = {
    "es": ("Crédito personal", "Tarjeta departamental", "Servicio de internet"),
    "en": ("Personal loan", "Store card", "Broadband service"),
    "de": ("Ratenkredit", "Kundenkarte", "Internetanschluss"),
}
HINTS = {
    "es": ("Portón azul, frente a la panadería", "Casa de dos pisos, timbre descompuesto", "Junto a la farmacia"),
    "en": ("Blue door, bell does not work", "Second entrance from the alley", "Red brick, green awning"),
    "de": ("Blaue Tür, Klingel defekt", "Eingang im Hof", "Neben der Bäckerei"),
}


def _write(path: Path, creditor: DemoCreditor, rows: list[dict[str, Any]]) -> None:
    table = [[_cell(creditor, name, row) for name in creditor.headers] for row in rows]
    header = list(creditor.headers.values())
    if path.suffix == ".xlsx":
        # Fixed creation date: the same seed gives the same bytes, so importing twice is known by the hash.
        with xlsxwriter.Workbook(path, {"default_date_format": "yyyy-mm-dd", "strings_to_formulas": False}) as book:
            book.set_properties({"created": datetime.combine(rows[0]["calculated_on"], time())})
            sheet = book.add_worksheet("Accounts")
            for number, line in enumerate([header, *table]):
                sheet.write_row(number, 0, line)
        return
    encoding = "cp1252" if creditor.language == "es" else "utf-8-sig"
    with path.open("w", encoding=encoding, newline="") as file:
        csv.writer(file, delimiter=";").writerows([header, *table])


def _cell(creditor: DemoCreditor, name: str, row: dict[str, Any]) -> Any:
    person: MadeUpPerson | None = row.get("guarantor" if name.startswith("guarantor") else "debtor")
    if name.startswith(("debtor_", "guarantor_")):
        value: Any = getattr(person, name.partition("_")[2]) if person else ""
    else:
        value = row.get(name, "")
    if isinstance(value, date):
        return value if creditor.file_name.endswith(".xlsx") else value.strftime("%d.%m.%Y")
    if name in MONEY and isinstance(value, int):
        return value / 100 if creditor.file_name.endswith(".xlsx") else f"{value // 100},{value % 100:02d}"
    return value if value is not None else ""


MONEY = {"principal", "interest", "fees", "balance", "last_payment"}
