"""`doorstep import`: a creditor's file becomes accounts."""

from __future__ import annotations

from pathlib import Path

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn
from rich.table import Table
from sqlalchemy import select

from doorstep.commands import office_context
from doorstep.commands.tables import plain_console
from field_api.platform.database import transaction
from field_api.platform.problems import Problem
from field_api.platform.wiring import clock
from field_api.records.agency import Creditor
from field_api.usecases.import_accounts import ImportReport, import_accounts

ERRORS_SHOWN = 50


@click.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--creditor", "creditor_name", required=True, help="The creditor's name (see `doorstep creditor list`).")
@click.option("--dry-run", is_flag=True, help="Do all of it, tell what would be, take it back.")
def import_file(file: Path, creditor_name: str, dry_run: bool) -> None:
    """Import a CSV or XLSX FILE (docs/import.md). Bad rows are shown and left out; a bad file changes nothing."""
    with office_context() as agency_id, _progress() as progress:
        task = progress.add_task(file.name, total=1.0, rows=0)
        with transaction(agency_id) as session:
            creditor = session.scalars(select(Creditor).where(Creditor.name == creditor_name)).one_or_none()
            if creditor is None:
                raise Problem("not-found", "no creditor of this name", at="--creditor")
            report = import_accounts(
                session, creditor, file, file_name=file.name, now=clock().now(), imported_by=None, dry_run=dry_run,
                progress=lambda rows, done: progress.update(task, completed=done, rows=rows),
            )  # fmt: skip
    _tell(report, plain_console())


def _progress() -> Progress:
    """On stderr, so that what is told on stdout can be kept."""
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TextColumn("{task.fields[rows]} rows"),
        TimeElapsedColumn(),
        console=plain_console(stderr=True),
    )


def _tell(report: ImportReport, console: Console) -> None:
    if report.already_imported:
        console.print("This file was imported before: nothing was done.")
        return
    counts = report.counts
    read_as = ", ".join(f"{name} {value!r}" for name, value in report.read_as.items())
    console.print(f"{report.rows_total} rows read ({read_as})")
    console.print(
        f"{counts.created} new, {counts.updated} updated, {counts.unchanged} unchanged, {counts.closed} closed,"
        f" {counts.reopened} reopened, {counts.payments_added} payments, {counts.never_placed} closed before they came,"
        f" {report.rows_rejected} left out"
    )
    if report.ignored_columns:
        console.print(f"columns not used: {', '.join(report.ignored_columns)}")
    if report.errors:
        console.print(_errors(report))
    if report.dry_run:
        console.print("Dry run: nothing was kept.")


def _errors(report: ImportReport) -> Table:
    left = len(report.errors) - ERRORS_SHOWN
    table = Table(title="Left out", caption=f"and {left} more" if left > 0 else None)
    for name in ("row", "column", "code", "why"):
        table.add_column(name)
    for error in report.errors[:ERRORS_SHOWN]:
        table.add_row(str(error.row), error.column, error.code.value, error.message)
    return table
