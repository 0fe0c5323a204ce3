"""`doorstep creditor strategy` and `exclude`: which of a creditor's accounts are visited, and whom nobody contacts."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import click
from sqlalchemy import select
from sqlalchemy.orm import Session

from doorstep.commands import office_context
from field_api.platform.database import transaction
from field_api.platform.wiring import clock
from field_api.records.agency import Creditor
from field_api.usecases.create_creditor import change_creditor

MAX_BYTES = 4 * 1024 * 1024
FILE = click.argument("file", required=False, type=click.Path(exists=True, dir_okay=False, path_type=Path))


@click.command()
@click.argument("name")
@FILE
@click.option("--none", is_flag=True, help="Take the strategy away: whatever is overdue above the threshold.")
def strategy(name: str, file: Path | None, none: bool) -> None:
    """Set a creditor's strategy from a TOML FILE, or show it (docs/strategy.md)."""
    with office_context() as agency_id, transaction(agency_id) as session:
        creditor = _creditor(session, name)
        if file is not None or none:
            said = _toml(file) if file else {}
            change_creditor(session, creditor.id, {"strategy": said}, now=clock().now())
        click.echo(json.dumps(creditor.strategy, indent=2, sort_keys=True))


@click.command()
@click.argument("name")
@FILE
@click.option("--none", is_flag=True, help="Take the list away.")
def exclude(name: str, file: Path | None, none: bool) -> None:
    """Set the list of whom nobody contacts, a reference or customer number a line of FILE; or count it.

    Visits to them that are out on phones come back.
    """
    with office_context() as agency_id, transaction(agency_id) as session:
        creditor = _creditor(session, name)
        if file is not None or none:
            listed = [line.strip() for line in _text(file).splitlines() if line.strip()] if file else []
            change_creditor(session, creditor.id, {"exclusions": listed}, now=clock().now())
        click.echo(f"{len(creditor.exclusions)} excluded")


def _creditor(session: Session, name: str) -> Creditor:
    found = session.scalars(select(Creditor).where(Creditor.name == name)).one_or_none()
    if found is None:
        raise click.BadParameter("no creditor of this name", param_hint="NAME")
    return found


def _toml(file: Path) -> dict[str, object]:
    try:
        return tomllib.loads(_text(file))
    except tomllib.TOMLDecodeError as error:
        raise click.BadParameter(f"no TOML: {error}", param_hint="FILE") from error


def _text(file: Path) -> str:
    if file.stat().st_size > MAX_BYTES:
        raise click.BadParameter("too large", param_hint="FILE")
    try:
        return file.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise click.BadParameter("no UTF-8 text", param_hint="FILE") from error
