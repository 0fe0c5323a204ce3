"""The phone's disk: one SQLite file whose every value is sealed under the store key.

In the clear stand only row keys: fixed names, visit ids, sequence numbers and keyed hashes. Values are padded, so
that lengths tell as little as the feed's own sizes do. `transaction()` is the unit that survives kill -9: either all
of it is on the disk when it returns, or none of it ever was.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sync.phone import crypto, wire
from sync.phone.crypto import BadSeal
from sync.phone.errors import StoreTrouble
from sync.phone.vault import sync_directory

FILE = "phone.db"
TABLES = {
    "state": "TEXT",  # fixed names: identity, cursor, anchor, durable, chain, tally ...
    "sheet_key": "TEXT",  # keyed hash of the sheet key's id
    "sheet": "TEXT",  # keyed hash of (kind, ref)
    "part": "INTEGER",  # pieces of a snapshot that is being downloaded
    "work": "TEXT",  # visit id: what was done there, without any contents
    "draft": "TEXT",  # visit id
    "op": "INTEGER",  # seq: the signed bytes that wait to be sent or kept
    "receipt": "INTEGER",  # seq
    "sent": "INTEGER",  # seq: how often it was sent
    "verdict": "INTEGER",  # seq
    "photo": "TEXT",  # keyed hash of the photo's id
}
GRAIN_BYTES = 1024  # values are padded to multiples of this
ASSOCIATED = b"doorstep-phone-store-v1\0"
Key = str | int


class Store:
    """Open one phone's database, alone: a second process gets StoreTrouble `in-use` at once."""

    def __init__(self, directory: Path, key: bytes) -> None:
        self._key = crypto.derive(key, ASSOCIATED + b"values")
        self._names = crypto.derive(key, ASSOCIATED + b"names")
        self._depth = 0
        self._scrub_wanted = False
        fresh = not (directory / FILE).exists()
        # Made by hand for its mode, which SQLite gives its log too.
        os.close(os.open(directory / FILE, os.O_RDWR | os.O_CREAT, 0o600))
        self._db = sqlite3.connect(directory / FILE, isolation_level=None, timeout=0.2)
        try:
            self._prepare()
        except sqlite3.OperationalError as error:
            self._db.close()
            if "locked" in str(error):
                raise StoreTrouble("in-use", "another process has this phone open") from error
            raise
        if fresh:
            sync_directory(directory)

    def _prepare(self) -> None:
        # EXCLUSIVE before WAL: the lock stays for as long as the process lives, and dies with it.
        self._db.execute("PRAGMA locking_mode=EXCLUSIVE")
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=FULL")
        self._db.execute("PRAGMA secure_delete=ON")
        self._db.execute("PRAGMA temp_store=MEMORY")
        with self.transaction():
            for table, kind in TABLES.items():
                self._run(
                    f"CREATE TABLE IF NOT EXISTS TABLE_NAME (key {kind} PRIMARY KEY, sealed BLOB NOT NULL)", table
                )

    def close(self) -> None:
        self._db.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing, and durable once left. Nested ones join the outermost."""
        if self._depth:
            yield
            return
        self._db.execute("BEGIN IMMEDIATE")
        self._depth = 1
        try:
            yield
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        else:
            self._db.execute("COMMIT")
        finally:
            self._depth = 0
        if self._scrub_wanted:
            self.scrub()

    def name(self, *parts: str) -> str:
        """A row key that tells nothing: keyed hash of the parts."""
        return crypto.mac(self._names, "\0".join(parts).encode()).hex()[:32]

    def put(self, table: str, key: Key, value: Any) -> None:
        """Seal and store JSON data."""
        data = wire.write_json(value)
        self.put_bytes(table, key, wire.pad(data, -(-(len(data) + 4) // GRAIN_BYTES) * GRAIN_BYTES))

    def put_bytes(self, table: str, key: Key, data: bytes) -> None:
        sealed = crypto.seal(self._key, data, self._context(table, key))
        with self.transaction():
            self._run("INSERT OR REPLACE INTO TABLE_NAME (key, sealed) VALUES (?, ?)", table, key, sealed)

    def get(self, table: str, key: Key) -> Any:
        """The JSON data, or None. Raises StoreTrouble `store-broken`."""
        data = self.get_bytes(table, key)
        return None if data is None else wire.read_json(wire.unpad(data), 2**26)

    def get_bytes(self, table: str, key: Key) -> bytes | None:
        row = self._run("SELECT sealed FROM TABLE_NAME WHERE key = ?", table, key).fetchone()
        return None if row is None else self._open(table, key, row[0])

    def all(self, table: str) -> Iterator[tuple[Key, Any]]:
        """(key, JSON data) in key order."""
        for key, data in self.all_bytes(table):
            yield key, wire.read_json(wire.unpad(data), 2**26)

    def all_bytes(self, table: str) -> Iterator[tuple[Key, bytes]]:
        """(key, bytes) in key order; rows written meanwhile are not seen."""
        for key in self.keys(table):
            data = self.get_bytes(table, key)
            if data is not None:
                yield key, data

    def keys(self, table: str) -> list[Any]:
        return [row[0] for row in self._run("SELECT key FROM TABLE_NAME ORDER BY key", table)]

    def delete(self, table: str, key: Key) -> None:
        with self.transaction():
            self._run("DELETE FROM TABLE_NAME WHERE key = ?", table, key)

    def clear(self, *tables: str) -> None:
        with self.transaction():
            for table in tables:
                self._run("DELETE FROM TABLE_NAME", table)

    def scrub(self) -> None:
        """Fold the log back into the file, so that deleted rows are overwritten on the disk too: after the running
        transaction, if there is one."""
        self._scrub_wanted = bool(self._depth)
        if self._scrub_wanted:
            return
        self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def _run(self, sql: str, table: str, *values: Key | bytes) -> sqlite3.Cursor:
        if table not in TABLES:
            raise KeyError(table)
        return self._db.execute(sql.replace("TABLE_NAME", table), values)

    def _open(self, table: str, key: Key, sealed: bytes) -> bytes:
        try:
            return crypto.unseal(self._key, sealed, self._context(table, key))
        except BadSeal as error:
            raise StoreTrouble("store-broken", f"a row of {table} does not open") from error

    @staticmethod
    def _context(table: str, key: Key) -> bytes:
        return ASSOCIATED + table.encode() + b"\0" + str(key).encode()
