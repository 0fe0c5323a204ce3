"""The child that opens a workbook: `python -m field_api.adapters.xlsx_reader`, told by a line on standard input which.

That line is {"path": ..., "sheet": name or null}: a creditor names files and sheets, and every user of the machine can
read a command line.

It runs under limits of memory and CPU time and writes JSON lines: first {"sheet": name, "rows": n}, then one list of
cells per row: text, number, true/false, {"d": day}. A refusal is one line {"refused": code, "message": text}.
The workbook's own text never reaches the exit status or stderr.
"""

from __future__ import annotations

import json
import resource
import sys
import zipfile
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from typing import Any

MEMORY_BYTES = 512 * 1024 * 1024
CPU_SECONDS = 120
MAX_PARTS = 2_000
MAX_UNPACKED_BYTES = 512 * 1024 * 1024
ALWAYS_FINE_BYTES = 32 * 1024 * 1024
MOST_TIMES_PACKED = 100
"""Real workbooks unpack to some 5 to 30 times their size; a bomb to a thousand times."""
MAX_COLUMNS = 512


class Refused(Exception):
    def __init__(self, code: str, message: str) -> None:
        super().__init__(code)
        self.code = code
        self.message = message


def limit() -> None:
    """From here on: 512 MiB of address space, two minutes of CPU, no file written, no core dumped."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def check_directory(path: str) -> None:
    """Refuse by the zip directory, before anything is unpacked. What the directory hides, the limits catch."""
    try:
        with zipfile.ZipFile(path) as archive:
            parts = archive.infolist()
    except (zipfile.BadZipFile, OSError, ValueError) as error:
        raise Refused("broken-workbook", "the workbook cannot be opened") from error
    unpacked, packed = sum(p.file_size for p in parts), sum(p.compress_size for p in parts)
    if len(parts) > MAX_PARTS or unpacked > MAX_UNPACKED_BYTES:
        raise Refused("too-large-unpacked", "the workbook unpacks to more than a workbook needs")
    if unpacked > ALWAYS_FINE_BYTES and unpacked > MOST_TIMES_PACKED * packed:
        raise Refused("too-large-unpacked", "the workbook unpacks to a hundred times its size")
    if any(p.flag_bits & 1 for p in parts):
        raise Refused("protected-workbook", "the workbook has a password")


def lines(path: str, sheet_name: str | None) -> Iterator[Any]:
    """The JSON lines. Raises Refused."""
    from python_calamine import CalamineError, CalamineWorkbook  # after the limits are set

    check_directory(path)
    try:
        workbook = CalamineWorkbook.from_path(path)
        names = workbook.sheet_names
        if not names or (sheet_name and sheet_name not in names):
            raise Refused("sheet-missing", "the workbook has no such sheet")
        sheet = workbook.get_sheet_by_name(sheet_name or names[0])
    except CalamineError as error:
        raise Refused("broken-workbook", "the workbook cannot be read") from error
    if sheet.total_width > MAX_COLUMNS:
        raise Refused("too-many-columns", f"more than {MAX_COLUMNS} columns")
    lead = [None] * (sheet.start[1] if sheet.start else 0)
    yield {"sheet": sheet.name, "rows": sheet.total_height}
    for row in sheet.iter_rows():
        yield lead + [cell(value) for value in row]


def cell(value: Any) -> Any:
    """A cell as JSON. Times of day other than midnight stay text, which no date field takes."""
    if value == "" or value is None:
        return None
    if isinstance(value, datetime):
        return {"d": value.date().isoformat()} if value.time() == time() else value.isoformat()
    if isinstance(value, date):
        return {"d": value.isoformat()}
    if isinstance(value, (time, timedelta)):
        return str(value)
    return value


def main() -> int:
    limit()
    write = sys.stdout.write
    wanted = json.loads(sys.stdin.readline())
    try:
        for line in lines(wanted["path"], wanted["sheet"]):
            write(json.dumps(line) + "\n")
    except Refused as refusal:
        write(json.dumps({"refused": refusal.code, "message": refusal.message}) + "\n")
    except MemoryError:
        return 3
    sys.stdout.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main())
