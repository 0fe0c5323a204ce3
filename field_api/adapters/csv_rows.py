"""CSV files of any usual delimiter and encoding, row by row in constant memory.

The encoding is a byte order mark's, or UTF-8 where the whole file is valid UTF-8, or what a bounded sample of the bytes
beyond ASCII looks like; then every byte must decode: nothing is replaced. The delimiter is the one under which most
headers make sense.
"""

from __future__ import annotations

import codecs
import csv
import re
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from io import TextIOWrapper
from pathlib import Path
from typing import BinaryIO

from charset_normalizer import from_bytes

from field_api.domain.cells import Cell
from field_api.domain.column_map import ColumnMap, recognised
from field_api.domain.source_table import MAX_COLUMNS, MAX_ROWS, TableRefused

MAX_RECORD_CHARACTERS = 256 * 1024
"""One row with all its quoted line breaks: a quote that never closes must not swallow the file into memory."""
SAMPLE_BYTES = 64 * 1024
_DELIMITERS = (";", ",", "\t", "|", "^", "~")
_GUESSED = ["cp1252", "latin_1", "cp850", "mac_roman"]
"""What can be told by its looks. Central European cp1250 cannot: Spanish reads as well in it. The map names it."""
_NAMED = {
    "utf-8": "utf-8-sig", "utf-8-sig": "utf-8-sig", "utf-16": "utf-16", "utf-16-le": "utf-16-le",
    "utf-16-be": "utf-16-be", "cp1252": "cp1252", "windows-1252": "cp1252", "latin-1": "latin-1",
    "iso-8859-1": "latin-1", "iso-8859-15": "iso8859-15", "cp1250": "cp1250", "cp1251": "cp1251", "cp1254": "cp1254",
    "cp437": "cp437", "cp850": "cp850", "mac-roman": "mac-roman",
}  # fmt: skip
_MARKS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
_HIGH = re.compile(rb"[\x80-\xff]+")
_WORDS = bytes(b if b > 127 or chr(b).isalnum() else 32 for b in range(256))
"""Delimiters and quotes in front of letters look like mess to the guesser: it gets words alone."""
_SEP_LINE = re.compile(r'"?sep=(.)"?\r?\n?', re.IGNORECASE)


class CsvTable:
    """A SourceTable over an open file."""

    def __init__(self, file: BinaryIO, size: int, encoding: str, delimiter: str, skip: int) -> None:
        self.description: Mapping[str, str] = {"encoding": encoding, "delimiter": delimiter}
        self._file = file
        self._size = size
        self._delimiter = delimiter
        self._skip = skip

    def rows(self) -> Generator[tuple[int, Sequence[Cell]]]:
        self._file.seek(0)
        text = TextIOWrapper(self._file, self.description["encoding"], errors="strict", newline="")
        lines = _Lines(text)
        number = 0
        try:
            for number, cells in enumerate(csv.reader(lines, delimiter=self._delimiter, strict=True), 1):
                lines.used = 0
                if len(cells) > MAX_COLUMNS:
                    raise TableRefused("too-many-columns", f"more than {MAX_COLUMNS} columns", number)
                if number > MAX_ROWS:
                    raise TableRefused("too-many-rows", f"more than {MAX_ROWS} rows", number)
                if number > self._skip:
                    yield number, cells
        except UnicodeDecodeError as error:
            raise TableRefused(
                "not-this-encoding",
                f"bytes that are not {self.description['encoding']}: the column map can name the encoding",
                number + 1,
            ) from error
        except csv.Error as error:
            raise TableRefused(
                "broken-quotes", "quotes that do not pair, or a cell beyond bounds", number + 1
            ) from error
        finally:
            text.detach()

    def fraction(self) -> float:
        return min(1.0, self._file.tell() / self._size) if self._size else 1.0


class _Lines:
    """Lines for csv.reader, counted so that one record stays bounded."""

    def __init__(self, text: TextIOWrapper) -> None:
        self._text = text
        self.used = 0

    def __iter__(self) -> _Lines:
        return self

    def __next__(self) -> str:
        line = self._text.readline(MAX_RECORD_CHARACTERS + 1)
        if not line:
            raise StopIteration
        self.used += len(line)
        if self.used > MAX_RECORD_CHARACTERS:
            raise csv.Error("record too long")
        return line


@contextmanager
def open_csv(path: Path, using: ColumnMap) -> Iterator[CsvTable]:
    """The file as a SourceTable. Raises TableRefused where it is no text, or its encoding cannot be told."""
    with path.open("rb") as file:
        head = file.read(SAMPLE_BYTES)
        if not head.strip(b"\0 \t\r\n"):
            raise TableRefused("empty", "the file is empty")
        encoding = _named(using.encoding) if using.encoding else _encoding(file, head)
        text = codecs.getincrementaldecoder(encoding)(errors="replace").decode(head)
        said = _SEP_LINE.match(text)
        skip = 1 if said else 0
        delimiter = using.delimiter or (said.group(1) if said else _delimiter(text, using))
        yield CsvTable(file, path.stat().st_size, encoding, delimiter, skip)


def _named(encoding: str) -> str:
    known = _NAMED.get(encoding.strip().lower().replace("_", "-"))
    if known is None:
        raise TableRefused("unknown-encoding", "the column map names an encoding that is not in docs/import.md")
    return known


def _encoding(file: BinaryIO, head: bytes) -> str:
    for mark, encoding in _MARKS:
        if head.startswith(mark):
            return encoding
    if b"\0" in head:
        return _utf16(head)
    beyond_ascii = _sample(file)
    if beyond_ascii is None:
        return "utf-8"
    best = from_bytes(beyond_ascii, cp_isolation=_GUESSED).best()
    if best is None:
        raise TableRefused("unknown-encoding", "the encoding cannot be told: the column map can name it")
    # What Windows writes and calls Latin-1; only bytes that it does not define speak for the real one.
    return "cp1252" if best.encoding == "latin_1" and _decodes(beyond_ascii, "cp1252") else best.encoding


def _utf16(head: bytes) -> str:
    even, odd = head[0::2].count(0) / max(1, len(head[0::2])), head[1::2].count(0) / max(1, len(head[1::2]))
    if odd > 0.3 and even < 0.05:
        return "utf-16-le"
    if even > 0.3 and odd < 0.05:
        return "utf-16-be"
    raise TableRefused("not-a-table", "neither CSV text nor an XLSX workbook")


def _sample(file: BinaryIO) -> bytes | None:
    """Some bytes beyond ASCII with what stands around them, from the whole file; None where it all is UTF-8."""
    file.seek(0)
    decoder = codecs.getincrementaldecoder("utf-8")()
    utf8, sample = True, bytearray()
    while chunk := file.read(SAMPLE_BYTES):
        utf8 = utf8 and _continues(decoder, chunk)
        for found in _HIGH.finditer(chunk):
            if len(sample) > SAMPLE_BYTES:
                break
            sample += chunk[max(0, found.start() - 20) : found.end() + 20].translate(_WORDS) + b"\n"
        if not utf8 and len(sample) > SAMPLE_BYTES:
            break
    utf8 = utf8 and _continues(decoder, b"", final=True)
    return None if utf8 else bytes(sample)


def _continues(decoder: codecs.IncrementalDecoder, chunk: bytes, final: bool = False) -> bool:
    try:
        decoder.decode(chunk, final)
    except UnicodeDecodeError:
        return False
    return True


def _decodes(sample: bytes, encoding: str) -> bool:
    try:
        sample.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True


def _delimiter(text: str, using: ColumnMap) -> str:
    """The delimiter under which the header makes most sense."""
    lines = text.splitlines(keepends=True)
    scores = {delimiter: _score(lines, delimiter, using) for delimiter in _DELIMITERS}
    return max(_DELIMITERS, key=lambda delimiter: scores[delimiter])


def _score(lines: Sequence[str], delimiter: str, using: ColumnMap) -> tuple[int, int]:
    try:
        for number, cells in enumerate(csv.reader(lines, delimiter=delimiter), 1):
            if number == using.header_row:
                return recognised(cells, using), len(cells)
    except csv.Error:
        return 0, 0
    return 0, 0
