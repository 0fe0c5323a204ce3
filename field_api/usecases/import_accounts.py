"""A creditor's file becomes accounts: new ones, changes, payments and closings; bad rows are reported and left out."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass, field
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from field_api.adapters.table_files import open_table, sha256_of
from field_api.domain.account_row import AccountRow, RowError
from field_api.domain.cells import Cell, is_blank, read_text
from field_api.domain.column_map import BoundColumns, ColumnMap, MapRefused, bind, column_map_from
from field_api.domain.confidential import audience
from field_api.domain.disclosure import Audience
from field_api.domain.read_row import Defaults, RowReader, RowRefused
from field_api.domain.row_errors import CellRefused, RowCode
from field_api.domain.source_table import OpenTable, TableRefused
from field_api.platform.ahead import ahead
from field_api.platform.bounded_json import canonical
from field_api.platform.ids import new_id
from field_api.platform.problems import Problem
from field_api.platform.statistics import refresh_statistics
from field_api.platform.tenancy import current_agency
from field_api.records.accounts import Account, ImportFile, Party
from field_api.records.agency import Creditor
from field_api.records.people import Address, Person, VerificationAnswer
from field_api.usecases.apply_account_rows import BatchContext, Counts, apply_account_rows, body_mark

BATCH_ROWS = 1_000
MOST_ERRORS_TOLD = 1_000
Rows = Iterator[tuple[int, Sequence[Cell]]]
Progress = Callable[[int, float], None]
"""Told after every batch: rows done, and how much of the file (0 to 1)."""


@dataclass
class ImportReport:
    """What became of a file. `errors` holds the first thousand; rows are counted as a person sees them."""

    file_name: str
    sha256: str
    dry_run: bool = False
    already_imported: bool = False  # the same bytes under the same column map: nothing was done
    read_as: Mapping[str, str] = field(default_factory=dict)
    ignored_columns: tuple[str, ...] = ()
    rows_total: int = 0
    rows_rejected: int = 0
    counts: Counts = field(default_factory=Counts)
    errors: list[RowError] = field(default_factory=list)
    _last_refused: int = 0

    @property
    def rows_imported(self) -> int:
        return self.counts.created + self.counts.updated

    def refuse(self, errors: Sequence[RowError]) -> None:
        """One row's errors; they may come in several calls, one after the other."""
        self.rows_rejected += errors[0].row != self._last_refused
        self._last_refused = errors[0].row
        self.errors += errors[: MOST_ERRORS_TOLD - len(self.errors)]

    def as_json(self) -> dict[str, Any]:
        return {
            "file_name": self.file_name, "sha256": self.sha256, "dry_run": self.dry_run,
            "already_imported": self.already_imported, "read_as": dict(self.read_as),
            "ignored_columns": list(self.ignored_columns), "rows_total": self.rows_total,
            "rows_imported": self.rows_imported, "rows_rejected": self.rows_rejected, **asdict(self.counts),
            "errors": [error.as_json() for error in self.errors],
        }  # fmt: skip


def import_accounts(
    session: Session,
    creditor: Creditor,
    path: Path,
    *,
    file_name: str,
    now: datetime,
    imported_by: UUID | None,
    dry_run: bool = False,
    progress: Progress | None = None,
    open_file: OpenTable = open_table,
) -> ImportReport:
    """Import a CSV or XLSX file under the creditor's column map (docs/import.md).

    A bad row is reported and left out. A bad file raises Problem `invalid-file` (its `reason` says why) and changes
    nothing. The same bytes again do nothing. A dry run does all of it and takes it back. Accounts that a file does not
    name stay as they are. Two imports of one creditor wait for each other.
    """
    using = _map_of(creditor)
    digest = _digest(path, creditor)
    report = ImportReport(file_name=file_name, sha256=digest.hex(), dry_run=dry_run)
    session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(f"import:{creditor.id}", 0))))
    if _known(session, creditor, digest):
        report.already_imported = True
        return report
    savepoint = session.begin_nested()
    try:
        with audience(Audience.OFFICE_JOB), open_file(path, using) as table, closing(table.rows()) as rows:
            work = _Import(session, creditor, using, report, now, imported_by)
            work.run(rows, table.description, lambda: progress and progress(report.rows_total, table.fraction()))
        _remember(session, creditor, digest, report, now, imported_by)
        if report.counts.created >= BATCH_ROWS // 10:
            refresh_statistics(session, Account, Party, Person, Address, VerificationAnswer)
        session.flush()
    except BaseException as error:
        savepoint.rollback()
        if isinstance(error, TableRefused | MapRefused):
            raise _bad_file(error) from error
        raise
    savepoint.rollback() if dry_run else savepoint.commit()
    return report


class _Import:
    def __init__(
        self,
        session: Session,
        creditor: Creditor,
        using: ColumnMap,
        report: ImportReport,
        now: datetime,
        imported_by: UUID | None,
    ) -> None:
        self.session, self.using, self.report = session, using, report
        self.defaults = Defaults(creditor.currency, creditor.jurisdiction.partition("-")[0])
        self.seen = _SeenReferences(session)
        self.context = BatchContext(creditor.id, creditor.language, now, imported_by, self.refuse_field)
        self.columns: BoundColumns | None = None

    def run(self, rows: Rows, description: Mapping[str, str], after_batch: Callable[[], object]) -> None:
        self.columns = bind(self._headers(rows), self.using)
        self.report.read_as, self.report.ignored_columns = description, self.columns.ignored
        reader = RowReader(self.columns, self.using, self.defaults)
        with closing(ahead(_read_batches(reader, rows))) as batches:
            for batch in batches:
                self._batch(batch)
                after_batch()
        order = {column.header: column.index or 0 for column in self.columns.columns.values()}
        self.report.errors.sort(key=lambda error: (error.row, order.get(error.column, -1)))

    def refuse_field(self, row: AccountRow, name: str, code: RowCode, message: str) -> None:
        column = self.columns.header_of(name) if self.columns else name
        self.report.refuse([RowError(row.row, column, code, message)])

    def _headers(self, rows: Rows) -> list[str]:
        """The header's cells. Lines above it, and empty ones, are passed over."""
        for number, cells in rows:
            if number < self.using.header_row or all(is_blank(cell) for cell in cells):
                continue
            try:
                return [read_text(cell) for cell in cells]
            except CellRefused as refusal:
                raise TableRefused("broken-header", refusal.message, number) from refusal
        raise TableRefused("empty", "the file has no header")

    def _batch(self, batch: Sequence[AccountRow | RowRefused]) -> None:
        self.report.rows_total += len(batch)
        read: list[tuple[AccountRow, bytes]] = []
        for row in batch:
            if isinstance(row, RowRefused):
                self.report.refuse(row.errors)
            else:
                read.append((row, body_mark(row)))
        apply_account_rows(self.session, self.context, list(self._first_of_each(read)), self.report.counts)

    def _first_of_each(self, read: Sequence[tuple[AccountRow, bytes]]) -> Iterator[tuple[AccountRow, bytes, bool]]:
        """Rows with whether only their payment counts; a reference that comes again with other words is refused."""
        said = [(row, mark) for row, mark in read if not row.only_a_payment]
        earlier = self.seen.add(said)
        for row, mark in read:
            if row.only_a_payment:
                yield row, mark, True
                continue
            first_row, first_mark = earlier[row.reference]
            if first_row == row.row:
                yield row, mark, False
            elif first_mark == mark:
                yield row, mark, True
            else:
                self.refuse_field(
                    row, "reference", RowCode.DUPLICATE_REFERENCE, f"row {first_row} says something else of it"
                )


def _read_batches(reader: RowReader, rows: Rows) -> Iterator[list[AccountRow | RowRefused]]:
    """Rows, read or refused, a batch at a time; empty ones are passed over."""
    while batch := list(islice(rows, BATCH_ROWS)):
        yield [_read(reader, number, cells) for number, cells in batch if not all(is_blank(cell) for cell in cells)]


def _read(reader: RowReader, number: int, cells: Sequence[Cell]) -> AccountRow | RowRefused:
    try:
        return reader.read(number, cells)
    except RowRefused as refusal:
        return refusal


class _SeenReferences:
    """References of the file so far, kept by the database so that memory stays constant."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.key = new_id()
        session.execute(
            text(
                "CREATE TEMP TABLE IF NOT EXISTS import_seen"
                " (import uuid, reference text, row int, mark bytea, PRIMARY KEY (import, reference)) ON COMMIT DROP"
            )
        )

    def add(self, rows: Sequence[tuple[AccountRow, bytes]]) -> dict[str, tuple[int, bytes]]:
        """Reference -> row and mark of where the file first said something of it."""
        values = {
            "key": self.key,
            "references": [row.reference for row, _ in rows],
            "rows": [row.row for row, _ in rows],
            "marks": [mark for _, mark in rows],
        }
        self.session.execute(
            text(
                "INSERT INTO import_seen SELECT DISTINCT ON (n.reference) :key, n.* FROM"
                " unnest(CAST(:references AS text[]), CAST(:rows AS int[]), CAST(:marks AS bytea[]))"
                " AS n (reference, row, mark) ORDER BY n.reference, n.row ON CONFLICT DO NOTHING"
            ),
            values,
        )
        found = self.session.execute(
            text(
                "SELECT reference, row, mark FROM import_seen"
                " WHERE import = :key AND reference = ANY(CAST(:references AS text[]))"
            ),
            {"key": self.key, "references": values["references"]},
        )
        return {reference: (row, bytes(mark)) for reference, row, mark in found}


def _map_of(creditor: Creditor) -> ColumnMap:
    try:
        return column_map_from(creditor.column_map, creditor.jurisdiction)
    except MapRefused as refusal:
        raise _bad_file(refusal) from refusal


def _digest(path: Path, creditor: Creditor) -> bytes:
    """Of the file and of the map it is read with: a mended map makes it another file."""
    return hashlib.sha256(sha256_of(path) + canonical(creditor.column_map)).digest()


def _known(session: Session, creditor: Creditor, digest: bytes) -> bool:
    found = select(ImportFile.id).where(
        ImportFile.agency_id == current_agency(), ImportFile.creditor_id == creditor.id, ImportFile.sha256 == digest
    )
    return session.scalar(found) is not None


def _remember(
    session: Session, creditor: Creditor, digest: bytes, report: ImportReport, now: datetime, imported_by: UUID | None
) -> None:
    session.add(
        ImportFile(
            creditor_id=creditor.id,
            sha256=digest,
            file_name=report.file_name,
            rows_total=report.rows_total,
            rows_imported=report.rows_imported,
            rows_unchanged=report.counts.unchanged,
            rows_rejected=report.rows_rejected,
            errors=[error.as_json() for error in report.errors],
            imported_at=now,
            imported_by=imported_by,
        )
    )


def _bad_file(error: TableRefused | MapRefused) -> Problem:
    at = error.at if isinstance(error, MapRefused) else f"row {error.row}" if error.row else None
    return Problem("invalid-file", error.message, at=at, extra={"reason": error.code})
