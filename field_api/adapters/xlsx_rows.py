"""XLSX workbooks, read by a child process under limits (`xlsx_reader`), so that a bomb kills the child alone."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import IO, Any

from field_api.domain.cells import Cell
from field_api.domain.column_map import ColumnMap
from field_api.domain.source_table import MAX_ROWS, TableRefused

MAX_LINE_BYTES = 8 * 1024 * 1024
"""One row of JSON: 512 cells of the 32,767 characters that a cell can hold would be refused anyway."""


class XlsxTable:
    """A SourceTable over the child's output."""

    def __init__(self, child: subprocess.Popen[bytes], output: IO[bytes]) -> None:
        self._child = child
        self._output = output
        first = self._next()
        if first is None:
            raise TableRefused("broken-workbook", "the workbook cannot be read")
        self._total = min(int(first["rows"]), MAX_ROWS)
        self._done = 0
        self.description: Mapping[str, str] = {"sheet": str(first["sheet"])}

    def rows(self) -> Generator[tuple[int, Sequence[Cell]]]:
        while (cells := self._next()) is not None:
            self._done += 1
            if self._done > MAX_ROWS:
                raise TableRefused("too-many-rows", f"more than {MAX_ROWS} rows", self._done)
            yield self._done, [_cell(value) for value in cells]

    def fraction(self) -> float:
        return self._done / self._total if self._total else 1.0

    def _next(self) -> Any:
        """The next line, or None at a good end. Raises TableRefused, also for a child that died of its limits."""
        line = self._output.readline(MAX_LINE_BYTES + 1)
        if len(line) > MAX_LINE_BYTES:
            raise TableRefused("row-too-long", "a row beyond bounds", self._done + 1)
        if not line.endswith(b"\n"):
            if self._child.wait() != 0 or line:
                raise TableRefused("too-large-unpacked", "the workbook needs more memory or time than it may have")
            return None
        value = json.loads(line, parse_float=Decimal, parse_int=Decimal)
        if isinstance(value, dict) and "refused" in value:
            raise TableRefused(value["refused"], value["message"])
        return value


def _cell(value: Any) -> Cell:
    if isinstance(value, dict):
        return date.fromisoformat(value["d"])
    cell: Cell = value
    return cell


@contextmanager
def open_xlsx(path: Path, using: ColumnMap) -> Iterator[XlsxTable]:
    """The workbook's sheet (the map's, or the first) as a SourceTable. Raises TableRefused."""
    child = subprocess.Popen(
        [sys.executable, "-I", "-m", "field_api.adapters.xlsx_reader"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,  # a panic message may quote the workbook
        env={"LANG": "C.UTF-8"},
    )
    if child.stdin is None or child.stdout is None:
        raise RuntimeError("pipes were asked for")
    try:
        with suppress(BrokenPipeError):  # a child that died at once: its silence is told as a broken workbook
            child.stdin.write(json.dumps({"path": str(path.absolute()), "sheet": using.sheet or None}).encode() + b"\n")
            child.stdin.close()
        yield XlsxTable(child, child.stdout)
    finally:
        child.kill()
        child.wait()
        child.stdout.close()
