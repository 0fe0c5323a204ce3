"""`doorstep export`: what came of visits, for a spreadsheet."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import click

from doorstep.commands import office_context

DAY = click.DateTime(["%Y-%m-%d"])


@click.group()
def export() -> None:
    """Write what came of visits to a file. Exports hold balances and promises: the file is its owner's alone."""


@export.command("visits")
@click.option("--from", "first", required=True, type=DAY, help="First day, YYYY-MM-DD.")
@click.option("--to", "last", required=True, type=DAY, help="Last day, included.")
@click.option("--format", "kind", type=click.Choice(["csv", "xlsx"]), default="csv", show_default=True)
@click.option(
    "--out", required=True, type=click.Path(dir_okay=False, path_type=Path), help="The file; - for stdout (CSV)."
)
def export_visits(first: datetime, last: datetime, kind: str, out: Path) -> None:
    """One row per visit, account and attempt. Text that a spreadsheet would run as a formula is made harmless."""
    if last < first:
        raise click.ClickException("--to lies before --from")
    if str(out) == "-" and kind != "csv":
        raise click.ClickException("only CSV can go to standard output")
    with office_context() as agency_id:
        try:
            count = write_visits(agency_id, first.date(), last.date(), kind, out)
        except OSError as error:
            raise click.ClickException(f"cannot write {out}: {error.strerror}") from error
    click.echo(f"{count} rows", err=True)


def write_visits(agency_id: UUID, first: date, last: date, kind: str, out: Path) -> int:
    """Write the export in an application context; returns how many rows."""
    # Imported here: every command lives in this package, and a phone's process never loads the office.
    from field_api.adapters.tables import write_csv, write_table
    from field_api.platform.database import transaction
    from field_api.platform.egress import working_for
    from field_api.queries.visit_export import COLUMNS, EXPORT, visit_rows

    with transaction(agency_id) as session, working_for(EXPORT):
        rows: Iterator[tuple[Any, ...]] = visit_rows(session, first, last)
        if str(out) == "-":
            return write_csv(sys.stdout, COLUMNS, rows)
        return write_table(out, kind, COLUMNS, rows)
