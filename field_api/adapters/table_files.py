"""Opens a creditor's file as what it is, by its first bytes: a workbook, or text."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from field_api.adapters.csv_rows import open_csv
from field_api.adapters.xlsx_rows import open_xlsx
from field_api.domain.column_map import ColumnMap
from field_api.domain.source_table import SourceTable, TableRefused

_ZIP = b"PK\x03\x04"
_OLD_OFFICE = b"\xd0\xcf\x11\xe0"


@contextmanager
def open_table(path: Path, using: ColumnMap) -> Iterator[SourceTable]:
    """CSV or XLSX as rows. Raises TableRefused."""
    with path.open("rb") as file:
        start = file.read(4)
    if start == _OLD_OFFICE:
        raise TableRefused("old-workbook", "an XLS or protected workbook: save it as XLSX without a password")
    with open_xlsx(path, using) if start == _ZIP else open_csv(path, using) as table:
        yield table


def sha256_of(path: Path) -> bytes:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").digest()
