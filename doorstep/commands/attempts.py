"""`doorstep attempts`: calls, letters by post, e-mails and messages made elsewhere."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing
from datetime import datetime
from itertools import islice
from pathlib import Path
from uuid import UUID

import click
from rich.table import Table
from sqlalchemy import select
from sqlalchemy.orm import Session

from doorstep.commands import office_context
from doorstep.commands.tables import plain_console
from field_api.adapters.table_files import open_table
from field_api.domain.cells import Cell, is_blank
from field_api.domain.column_map import ColumnMap
from field_api.domain.source_table import TableRefused
from field_api.domain.told_attempts import COLUMNS, MOST_AT_ONCE
from field_api.platform.database import transaction
from field_api.platform.problems import Problem
from field_api.platform.wiring import clock
from field_api.records.agency import Creditor
from field_api.usecases.record_attempts import Kept, record_attempts

SHOWN = 50
Row = tuple[int, dict[str, Cell]]


@click.group()
def attempts() -> None:
    """Contact attempts on other channels than visits."""


@attempts.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--creditor", "creditor_name", required=True, help="The creditor's name (see `doorstep creditor list`).")
def import_attempts(file: Path, creditor_name: str) -> None:
    """Import a CSV or XLSX FILE of attempts (docs/import.md): id, account, channel, at, outcome, and maybe by.
    Each is kept once per its id, however often the file comes. Bad rows are shown and left out."""
    kept, faults = Kept(), []
    with office_context() as agency_id, transaction(agency_id) as session:
        creditor_id = session.scalar(select(Creditor.id).where(Creditor.name == creditor_name))
        if creditor_id is None:
            raise Problem("not-found", "no creditor of this name", at="--creditor")
        now = clock().now()
        try:
            with open_table(file, ColumnMap()) as table, closing(table.rows()) as rows:
                read = _named(rows)
                while batch := list(islice(read, MOST_AT_ONCE)):
                    faults += _keep(session, creditor_id, batch, kept, now)
        except TableRefused as refusal:
            raise Problem("invalid-file", refusal.message, at="file", extra={"reason": refusal.code}) from refusal
    console = plain_console()
    console.print(f"{kept.recorded} recorded, {kept.known} known before, {len(faults)} left out")
    if faults:
        console.print(_shown(faults))


def _keep(
    session: Session, creditor_id: UUID, batch: Sequence[Row], kept: Kept, now: datetime
) -> list[tuple[int, str, str]]:
    one = record_attempts(session, creditor_id, [fields for _, fields in batch], now=now, by=None)
    kept.recorded, kept.known = kept.recorded + one.recorded, kept.known + one.known
    return [(batch[index][0], column, why) for index, column, why in one.refused]


def _named(rows: Iterator[tuple[int, Sequence[Cell]]]) -> Iterator[Row]:
    """Rows by the names of the first line. Raises TableRefused where a column is missing, unknown or there twice."""
    header: list[str] | None = None
    for number, cells in rows:
        if all(is_blank(cell) for cell in cells):
            continue
        if header is None:
            header = _header(cells, number)
        else:
            yield number, dict(zip(header, cells, strict=False))


def _header(cells: Sequence[Cell], number: int) -> list[str]:
    names = [str(cell or "").strip().lower() for cell in cells]
    wanted = set(COLUMNS) - {"by"}
    if not wanted <= set(names) or not set(names) <= set(COLUMNS) or len(set(names)) < len(names):
        raise TableRefused("unknown-columns", f"the columns are {', '.join(COLUMNS)}; `by` may be absent", number)
    return names


def _shown(faults: Sequence[tuple[int, str, str]]) -> Table:
    left = len(faults) - SHOWN
    table = Table(title="Left out", caption=f"and {left} more" if left > 0 else None)
    for name in ("row", "column", "why"):
        table.add_column(name)
    for number, column, why in faults[:SHOWN]:
        table.add_row(str(number), column, why)
    return table
