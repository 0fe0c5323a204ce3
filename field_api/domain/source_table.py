"""Ports: a creditor's file as rows of cells, whatever its format."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol

from field_api.domain.cells import Cell
from field_api.domain.column_map import ColumnMap

MAX_COLUMNS = 512
MAX_ROWS = 1_048_576  # what a spreadsheet holds


class TableRefused(Exception):
    """The file as a whole cannot be read; nothing of it counts. `code` is stable; `message` quotes nothing."""

    def __init__(self, code: str, message: str, row: int | None = None) -> None:
        super().__init__(code)
        self.code = code
        self.message = message
        self.row = row


class SourceTable(Protocol):
    description: Mapping[str, str]
    """How the file was read: encoding and delimiter, or the sheet."""

    def rows(self) -> Generator[tuple[int, Sequence[Cell]]]:
        """Every row with its number as a person sees it (the first is 1), in constant memory. Raises TableRefused.
        Close it before the table."""
        ...

    def fraction(self) -> float:
        """How much of the file has been read, 0 to 1."""
        ...


OpenTable = Callable[[Path, ColumnMap], AbstractContextManager[SourceTable]]
"""Opens a file as a table. Raises TableRefused."""
