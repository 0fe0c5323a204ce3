"""The embedded server's own log holds no value of any statement, whatever goes wrong with it."""

from __future__ import annotations

from pathlib import Path

import psycopg
import pytest

from doorstep.server import Server

CANARY = "saldo-7751204"


def test_no_statement_parameter_row_or_error_text_reaches_the_servers_log(database: Server) -> None:
    with psycopg.connect(database.conninfo("owner"), autocommit=True) as connection:
        found = connection.execute("SELECT current_setting('data_directory')").fetchone()
        log = Path(found[0]) / "server.log"
        before = log.stat().st_size
        connection.execute("CREATE TABLE canary (told text PRIMARY KEY CHECK (told <> 'saldo-7751204!'))")
        connection.execute("INSERT INTO canary VALUES (%s)", [CANARY])
        for statement, values in (
            (f"SELECT '{CANARY}'::integer", None),  # the message itself quotes it
            ("SELECT %s::integer", [CANARY]),
            (f"INSERT INTO canary VALUES ('{CANARY}')", None),  # DETAIL: Key (told)=(…) already exists
            ("INSERT INTO canary VALUES (%s)", [CANARY]),
            (f"INSERT INTO canary VALUES ('{CANARY}!')", None),  # DETAIL: Failing row contains (…)
            (f"SELECT {CANARY.replace('-', '_')}()", None),
            (f"DO $$ BEGIN RAISE EXCEPTION '{CANARY}'; END $$", None),
            (f"SELECT '{CANARY}", None),  # a syntax error quotes what stands near it
        ):
            with pytest.raises(psycopg.Error):
                connection.execute(statement, values)
        connection.execute(f"DO $$ BEGIN RAISE WARNING '{CANARY}'; END $$")
        connection.execute("SELECT pg_sleep(0.01), %s::text", [CANARY])
    written = log.read_bytes()
    assert len(written) >= before > 0, "the log is where we look"
    assert CANARY.encode() not in written and CANARY.replace("-", "_").encode() not in written


def test_the_log_still_tells_of_the_server_itself(database: Server) -> None:
    with psycopg.connect(database.conninfo("owner")) as connection:
        found = connection.execute("SELECT current_setting('data_directory')").fetchone()
    assert b"database system is ready to accept connections" in (Path(found[0]) / "server.log").read_bytes()
