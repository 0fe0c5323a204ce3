"""The search that shows the promise: no balance, creditor or reason in what the door, the sheets or the phones hold.

A search that finds nothing proves nothing by itself, so canaries are planted in a piece of each place and looked for.
"""

from __future__ import annotations

import io
import json
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg
from psycopg import sql
from pypdf import PdfReader

AMOUNT = re.compile(rb"\d{1,3}(?:[.,\s'\xe2\x80\x99]*\d{3})*[.,]\d{2}(?!\d)")
REFERENCE = re.compile(rb"(?<![A-Z])[A-Z]{2}-\d{9}(?!\d)")
WORDS = tuple(
    word.encode()
    for word in (
        "balance_minor", "principal_minor", "days_past_due", "client_located", "payment_claimed",
        "reason_for_non_payment",
    )
)  # fmt: skip
"""Keys and codes that only stand in briefs and outcomes: finding one means that something travelled in the clear."""


@dataclass(frozen=True)
class Secrets:
    """What must not be found: amounts as digits, references, and names of creditors and products as bytes."""

    amounts: frozenset[bytes]
    references: frozenset[bytes]
    names: tuple[bytes, ...]

    def found_in(self, data: bytes) -> set[str]:
        """What kinds of secrets `data` holds, with the place of the first; never the secret itself."""
        found: set[str] = set()
        for match in AMOUNT.finditer(data):
            if re.sub(rb"\D", b"", match.group()) in self.amounts:
                found.add(f"amount at byte {match.start()}")
                break
        for match in REFERENCE.finditer(data):
            if match.group() in self.references:
                found.add(f"reference at byte {match.start()}")
                break
        for name in (*self.names, *WORDS):
            place = data.find(name)
            if place >= 0:
                found.add(f"name or word at byte {place}")
                break
        return found


def secrets_of(amounts_minor: Iterable[int], references: Iterable[str], names: Iterable[str]) -> Secrets:
    """Amounts below 1,000.00 are left out: two digits and a comma are found by chance in any file."""
    return Secrets(
        frozenset(str(a).encode() for a in amounts_minor if a >= 100_000),
        frozenset(r.encode() for r in references),
        tuple(encoded for n in names for encoded in {n.encode(), json.dumps(n)[1:-1].encode()}),
    )


@dataclass(frozen=True)
class Searched:
    """What the search of one place gave. `found` says kinds and places, never the secret."""

    size_bytes: int
    found: tuple[str, ...]
    canaries_missed: int


Place = tuple[str, Callable[[], Iterator[bytes]]]


def search(places: Iterable[Place], secrets: Secrets, canaries: Iterable[bytes]) -> dict[str, Searched]:
    """Search every place, and every place again with each canary planted. Returns findings by place's name."""
    report: dict[str, Searched] = {}
    for name, pieces in places:
        found: set[str] = set()
        size = 0
        sample = b""
        for piece in pieces():
            size += len(piece)
            sample = sample or piece
            found |= secrets.found_in(piece)
        missed = [n for n, canary in enumerate(canaries) if not secrets.found_in(_plant(sample, canary))]
        report[name] = Searched(size, tuple(sorted(found)), len(missed))
    return report


def _plant(sample: bytes, canary: bytes) -> bytes:
    middle = len(sample) // 2
    return sample[:middle] + b" " + canary + b" " + sample[middle:]


def files_below(*directories: Path) -> Iterator[bytes]:
    for directory in directories:
        for path in sorted(directory.rglob("*")):
            if path.is_file():
                yield path.name.encode() + b"\n" + path.read_bytes()


def rows_of_door(conninfo: str) -> Iterator[bytes]:
    """Every row of every table of the door's schema, also what its own role may write and not read."""
    with psycopg.connect(conninfo) as connection:
        tables = connection.execute(
            "SELECT c.table_name, array_agg(c.column_name::text ORDER BY c.ordinal_position)"
            " FROM information_schema.columns c WHERE c.table_schema = 'mailbox' GROUP BY 1 ORDER BY 1"
        ).fetchall()
        for table, columns in tables:
            query = sql.SQL("SELECT {} FROM mailbox.{}").format(
                sql.SQL(", ").join(map(sql.Identifier, columns)), sql.Identifier(table)
            )
            for row in connection.execute(query):
                line = io.BytesIO()
                for value in row:
                    line.write(bytes(value) if isinstance(value, bytes | memoryview) else str(value).encode())
                    line.write(b"\n")
                yield line.getvalue()


def texts_of_pdfs(documents: Iterable[bytes]) -> Iterator[bytes]:
    """The text of each page and the metadata, and the bytes as they are."""
    for document in documents:
        reader = PdfReader(io.BytesIO(document))
        pages = [page.extract_text() for page in reader.pages]
        yield "\n".join([*pages, str(dict(reader.metadata or {}))]).encode()
        yield document
