"""`doorstep creditor`: the agency's clients."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click
from sqlalchemy import select

from doorstep.commands import office_context
from doorstep.commands.creditor_brand import brand
from doorstep.commands.creditor_strategy import exclude, strategy
from field_api.platform.bounded_json import BadJson, loads
from field_api.platform.database import transaction
from field_api.platform.wiring import clock
from field_api.queries.accounts import creditors
from field_api.records.agency import Creditor
from field_api.usecases.create_creditor import change_creditor, create_creditor

MAX_MAP_BYTES = 256 * 1024
MAP = click.option(
    "--map",
    "map_file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="JSON file with the column map (docs/import.md).",
)
ON_LETTERS = (
    click.option("--address", help="Postal address, for letters."),
    click.option("--phone", help="Telephone number, for letters."),
    click.option("--complaints-address", help="Of the creditor's complaints unit, for letters (Mexico)."),
    click.option("--complaints-email"),
    click.option("--complaints-phone"),
    click.option("--pay", "payment_ways", multiple=True, help="How to pay the creditor, never the agent; repeatable."),
)
THRESHOLD = click.option(
    "--threshold-minor", type=click.IntRange(0, 2**31 - 1), help="Visited only above this many minor units."
)


def on_letters(command: Any) -> Any:
    """What letters say of the creditor; what is not given stays."""
    for option in reversed(ON_LETTERS):
        command = option(command)
    return command


@click.group()
def creditor() -> None:
    """Clients of the agency."""


creditor.add_command(strategy)
creditor.add_command(exclude)
creditor.add_command(brand)


@creditor.command()
@click.argument("name")
@click.option("--jurisdiction", required=True, help="MX, US-MD, LI ...")
@click.option("--currency", required=True, help="ISO 4217, the default of its files.")
@click.option("--language", required=True, help="The language of its debtors: es, en, de ...")
@click.option("--sector", type=click.Choice(["financial", "commercial"]), default="commercial", show_default=True)
@THRESHOLD
@MAP
@on_letters
def add(
    name: str,
    jurisdiction: str,
    currency: str,
    language: str,
    sector: str,
    map_file: Path | None,
    threshold_minor: int | None,
    **letters: Any,
) -> None:
    """Take a creditor on."""
    fields = {"jurisdiction": jurisdiction, "currency": currency, "language": language, "sector": sector}
    with office_context() as agency_id, transaction(agency_id) as session:
        others = {**_others(map_file, threshold_minor), **_said_on_letters({}, letters)}
        made = create_creditor(session, name=name, **fields, **others)
        click.echo(f"{made.id}  {made.name}")


@creditor.command()
@click.argument("name")
@THRESHOLD
@MAP
@on_letters
def change(name: str, map_file: Path | None, threshold_minor: int | None, **letters: Any) -> None:
    """Change a creditor's threshold, its column map, or what letters say of it. What is not given stays."""
    with office_context() as agency_id, transaction(agency_id) as session:
        found = session.scalars(select(Creditor).where(Creditor.name == name)).one_or_none()
        if found is None:
            raise click.BadParameter("no creditor of this name", param_hint="NAME")
        others = {**_others(map_file, threshold_minor), **_said_on_letters(found.complaints_unit, letters)}
        change_creditor(session, found.id, others, now=clock().now())


@creditor.command("list")
def list_creditors() -> None:
    """Every creditor: id, name, jurisdiction, currency, threshold."""
    with office_context() as agency_id, transaction(agency_id) as session:
        for row in session.scalars(creditors().order_by(Creditor.name)):
            click.echo(f"{row.id}  {row.name}  {row.jurisdiction}  {row.currency}  {row.threshold_minor}")


@creditor.command("map")
@click.argument("name")
def show_map(name: str) -> None:
    """Print a creditor's column map as JSON."""
    with office_context() as agency_id, transaction(agency_id) as session:
        found = session.scalars(select(Creditor).where(Creditor.name == name)).one_or_none()
        if found is None:
            raise click.BadParameter("no creditor of this name", param_hint="NAME")
        click.echo(json.dumps(found.column_map, indent=2, ensure_ascii=False))


def _said_on_letters(unit: dict[str, Any], given: dict[str, Any]) -> dict[str, Any]:
    """The creditor's fields among the options; of the complaints unit, what is given and what stands."""
    said: dict[str, Any] = {name: given[name] for name in ("address", "phone") if given[name] is not None}
    if given["payment_ways"]:
        said["payment_ways"] = list(given["payment_ways"])
    reached = {name: given[f"complaints_{name}"] for name in ("address", "email", "phone")}
    reached = {name: text for name, text in reached.items() if text is not None}
    return {**said, **({"complaints_unit": {**unit, **reached}} if reached else {})}


def _others(map_file: Path | None, threshold_minor: int | None) -> dict[str, Any]:
    others: dict[str, Any] = {}
    if threshold_minor is not None:
        others["threshold_minor"] = threshold_minor
    if map_file is not None:
        try:
            others["column_map"] = loads(map_file.read_bytes(), max_bytes=MAX_MAP_BYTES)
        except BadJson as error:
            raise click.BadParameter(str(error), param_hint="--map") from error
        if not isinstance(others["column_map"], dict):
            raise click.BadParameter("needs a JSON object", param_hint="--map")
    return others
