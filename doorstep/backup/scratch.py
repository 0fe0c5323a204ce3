"""A copy of the database to look at and throw away: a server of its own, or a database beside the real one."""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import psycopg
from psycopg import sql

from doorstep.backup.programs import restore
from doorstep.postgres import EmbeddedPostgres
from doorstep.server import Server

FOLDER = "scratch"


@contextmanager
def restored_copy(server: Server, home: Path, source: Path) -> Iterator[Server]:
    """The dump `source`, restored. A server of somebody else's gets a database of its own, for as long as it takes."""
    made = _database_beside(server) if server.is_foreign else _server_of_its_own(home / FOLDER)
    with made as copy:
        restore(copy, source)
        yield copy


@contextmanager
def _server_of_its_own(home: Path) -> Iterator[Server]:
    """Its data are as secret as the real ones and lie where those do, never at the backup's place."""
    embedded = EmbeddedPostgres(home, durable=False, in_memory=False)
    embedded.destroy()  # of one that was killed
    shutil.rmtree(home, ignore_errors=True)
    try:
        yield embedded.start()
    finally:
        embedded.destroy()
        shutil.rmtree(home, ignore_errors=True)


@contextmanager
def _database_beside(server: Server) -> Iterator[Server]:
    name = f"{server.database}_scratch_{secrets.token_hex(4)}"
    with psycopg.connect(server.conninfo("owner", "postgres"), autocommit=True) as admin:
        admin.execute(sql.SQL("CREATE DATABASE {} TEMPLATE template0").format(sql.Identifier(name)))
        try:
            yield replace(server, database=name)
        finally:
            admin.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))
