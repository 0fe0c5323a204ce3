"""What a database holds, told so that a copy can be compared with it; and which files its rows refer to."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
from psycopg import sql
from sqlalchemy import create_engine
from sqlalchemy.orm import Session

from doorstep.backup.places import BackupTrouble
from doorstep.server import Server
from field_api.platform.keyring import OfficeKeys
from field_api.platform.sealing import Unsealable, sha256
from field_api.platform.tenancy import acting_for
from sync.office.durable import Held
from sync.office.excepted import excepted_numbers

Owner = psycopg.Connection[Any]
Rows = dict[str, str]
"""Table -> number of rows and a sum of hashes over each row's text, whatever the rows' order."""

_TABLES = """
    SELECT n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p') AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')
    ORDER BY 1, 2
"""
_BROKEN_LINKS = """
    SELECT count(*) FROM mailbox.inbox
    WHERE link <> sha256('doorstep-chain-v1'::bytea || sha256(protected) || sha256(ct)) AND state <> 'erased'
"""
_CONTIGUOUS = """
    SELECT agency_id, device_id, max(seq) FROM (
        SELECT agency_id, device_id, seq,
               seq - dense_rank() OVER (PARTITION BY agency_id, device_id ORDER BY seq) AS run
        FROM (
            SELECT agency_id, device_id, seq FROM mailbox.inbox
            UNION ALL
            SELECT agency_id, device_id, seq FROM mailbox.quarantine WHERE seq IS NOT NULL AND reason <> 'wrong-device'
        ) held
    ) numbered WHERE run = 0 GROUP BY agency_id, device_id
"""
_OFFICE_OBJECTS = """
    SELECT agency_id, object_key, sha256 FROM office.sheet
    UNION ALL SELECT agency_id, object_key, NULL FROM office.letter WHERE object_key IS NOT NULL
    UNION ALL SELECT agency_id, object_key, sha256 FROM office.brand_image
    UNION ALL SELECT agency_id, object_key, sha256 FROM office.letter_house
    UNION ALL SELECT agency_id, large_key, NULL FROM office.photo WHERE large_key IS NOT NULL
    UNION ALL SELECT agency_id, small_key, NULL FROM office.photo WHERE small_key IS NOT NULL
"""
_UPLOADS = """
    SELECT agency_id, id, state, sha256, received_bytes FROM mailbox.upload u
    WHERE state NOT IN ('destroyed', 'forgotten') AND NOT EXISTS (
        SELECT FROM office.photo p WHERE p.agency_id = u.agency_id AND p.upload_id = u.id
        AND (
            p.reason IN ('bytes-missing', 'bytes-differ', 'key-missing')
            OR p.reason LIKE 'rendition-%' AND p.state = 'developed'
        )
    )
"""
"""But for those that are known to be lost: people were told, and no backup brings them back."""


def connect(conninfo: str) -> Owner:
    """As the owner, in UTC. Raises BackupTrouble where row security would hide rows from this role."""
    connection = psycopg.connect(conninfo, options="-c timezone=UTC")
    row = connection.execute("SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = current_user").fetchone()
    if not row or not row[0]:
        connection.close()
        raise BackupTrouble("the owner role of DATABASE_URL must be a superuser or have BYPASSRLS to save every row")
    connection.rollback()  # what follows may want a transaction of its own kind
    return connection


def rows_of(owner: Owner) -> Rows:
    found: Rows = {}
    for schema, table in owner.execute(_TABLES).fetchall():
        statement = sql.SQL("SELECT count(*), coalesce(sum(hashtextextended(t::text, 0)::numeric), 0) FROM {} t")
        row = owner.execute(statement.format(sql.Identifier(schema, table))).fetchone()
        found[f"{schema}.{table}"] = f"{row[0]} {row[1]}" if row else ""
    return found


def check_rows(owner: Owner, expected: Rows) -> None:
    """Raises BackupTrouble naming the tables whose rows are not the same."""
    found = rows_of(owner)
    other = sorted(name for name in found.keys() | expected.keys() if found.get(name) != expected.get(name))
    if other:
        raise BackupTrouble("the restored copy differs in " + ", ".join(other))


def check_operations(owner: Owner) -> None:
    """Every operation's bytes against its link. Raises BackupTrouble."""
    row = owner.execute(_BROKEN_LINKS).fetchone()
    if row is None or row[0]:
        raise BackupTrouble(f"{row[0] if row else '?'} operations of the inbox are not the bytes that were receipted")


def contiguous(owner: Owner, copy: Server) -> dict[UUID, dict[UUID, Held]]:
    """Agency -> device -> how far every operation is in this copy, and which numbers are not the phone's own bytes."""
    found: dict[UUID, dict[UUID, Held]] = {}
    for agency_id, device_id, seq in owner.execute(_CONTIGUOUS).fetchall():
        found.setdefault(agency_id, {})[device_id] = Held(seq, ())
    engine = create_engine(copy.url("owner"))
    try:
        for agency_id, devices in found.items():
            with acting_for(agency_id), Session(engine) as session:
                for device_id, numbers in excepted_numbers(session).items():
                    if device_id in devices:
                        devices[device_id] = Held(devices[device_id].seq, tuple(numbers))
    finally:
        engine.dispose()
    return found


@dataclass(frozen=True)
class Wanted:
    """A file that a row refers to, below the home directory; `how` it is checked, and against what."""

    agency_id: UUID
    path: str
    how: str  # opens | hashes | at-least
    key: str = ""
    sha256: bytes | None = None
    bytes: int = 0


def wanted_files(owner: Owner, *, photo_keys: bool) -> Iterator[Wanted]:
    """What the database refers to: the office's objects, the uploads as they came and, if asked for, their keys."""
    for agency_id, key, digest in owner.execute(_OFFICE_OBJECTS):
        yield Wanted(agency_id, f"objects/office/{agency_id}/{key[:2]}/{key}", "opens", key, digest)
    for agency_id, upload_id, state, digest, size in owner.execute(_UPLOADS).fetchall():
        place = f"{upload_id.hex[:2]}/{upload_id.hex}"
        if size:
            how = "hashes" if state == "complete" else "at-least"
            yield Wanted(agency_id, f"objects/door/{agency_id}/photos/{place}", how, sha256=digest, bytes=size)
        if photo_keys:
            yield Wanted(agency_id, f"photo-keys/{agency_id}/{place}", "at-least")


def is_good(directory: Path, wanted: Wanted, keys: dict[UUID, OfficeKeys]) -> bool:
    """Whether the file below `directory` is there and is what the row says."""
    path = directory / wanted.path
    if not path.is_file():
        return False
    if wanted.how == "at-least":
        return path.stat().st_size >= wanted.bytes
    if wanted.how == "hashes":
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").digest() == wanted.sha256
    try:
        opened = keys[wanted.agency_id].open_at_rest(f"object:{wanted.key}", path.read_bytes())
    except (Unsealable, KeyError):
        return False
    return wanted.sha256 is None or sha256(opened) == wanted.sha256
