"""Connected as the door, no table of the office answers: not one row, not one column, not by a detour."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest
from psycopg import sql

from doorstep.server import Server
from field_api.platform.database import db
from tests import catalogue

REFUSED = psycopg.errors.InsufficientPrivilege


@pytest.fixture
def door(database: Server) -> Iterator[psycopg.Connection]:
    with psycopg.connect(database.conninfo("door"), autocommit=True) as connection:
        yield connection


@pytest.fixture
def owner(database: Server) -> Iterator[psycopg.Connection]:
    with psycopg.connect(database.conninfo("owner"), autocommit=True) as connection:
        yield connection


def office_tables(owner: psycopg.Connection) -> list[tuple[str, list[str]]]:
    rows = owner.execute(
        "SELECT c.relname, array_agg(a.attname::text ORDER BY a.attnum) FROM pg_class c"
        " JOIN pg_namespace n ON n.oid = c.relnamespace"
        " JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped"
        " WHERE n.nspname = 'office' AND c.relkind IN ('r', 'p', 'v', 'm', 'f') GROUP BY c.relname ORDER BY c.relname"
    ).fetchall()
    return [(name, columns) for name, columns in rows]


def test_reading_and_writing_every_office_table_fails(door: psycopg.Connection, owner: psycopg.Connection) -> None:
    tables = office_tables(owner)
    assert {name for name, _ in tables} >= {t.name for t in db.metadata.sorted_tables if t.schema == "office"}
    for name, columns in tables:
        table, first = sql.Identifier("office", name), sql.Identifier(columns[0])
        attempts = [
            sql.SQL("SELECT * FROM {}").format(table),
            sql.SQL("SELECT count(*) FROM {}").format(table),
            sql.SQL("INSERT INTO {} DEFAULT VALUES").format(table),
            sql.SQL("UPDATE {} SET {} = {}").format(table, first, first),
            sql.SQL("DELETE FROM {}").format(table),
            sql.SQL("TRUNCATE {}").format(table),
            sql.SQL("LOCK TABLE {}").format(table),
            sql.SQL("COPY {} TO STDOUT").format(table),
            sql.SQL("ALTER TABLE {} NO FORCE ROW LEVEL SECURITY").format(table),
            *(sql.SQL("SELECT {} FROM {}").format(sql.Identifier(column), table) for column in columns),
        ]
        for attempt in attempts:
            with pytest.raises(REFUSED), door.transaction():
                door.execute(attempt)


@pytest.mark.parametrize(
    "detour",
    [
        "SET ROLE doorstep_office",
        "SET SESSION AUTHORIZATION doorstep_office",
        "CREATE TABLE office.mine (x int)",
        "CREATE TABLE mailbox.mine (x int)",
        "CREATE TABLE public.mine (x int)",
        "CREATE SCHEMA mine",
        "CREATE FUNCTION public.mine() RETURNS int LANGUAGE sql AS 'SELECT 1'",
        "ALTER ROLE doorstep_door SUPERUSER",
        "CREATE ROLE mine",
        "SELECT pg_read_file('/etc/hostname')",
        "COPY (SELECT 1) TO PROGRAM 'true'",
        "SELECT lo_import('/etc/hostname')",
        "SELECT query FROM pg_stat_activity, pg_read_file(query) LIMIT 1",
        "UPDATE public.alembic_version SET version_num = version_num",
        "CALL public.protect('mailbox.device')",
    ],
)
def test_no_detour_leads_there(door: psycopg.Connection, detour: str) -> None:
    with pytest.raises(REFUSED):
        door.execute(detour)


def test_statistics_show_no_value_of_the_office(door: psycopg.Connection, owner: psycopg.Connection) -> None:
    """pg_stats holds the most common values of every analysed column: only for who may read the table."""
    owner.execute("ANALYZE")
    assert door.execute("SELECT count(*) FROM pg_stats WHERE schemaname = 'office'").fetchone() == (0,)


def test_the_roles_are_no_more_than_they_must_be(owner: psycopg.Connection) -> None:
    assert catalogue.strong_roles(owner) == []


def test_no_function_runs_with_its_owners_rights(owner: psycopg.Connection) -> None:
    assert catalogue.functions_with_owners_rights(owner) == []


def test_the_office_role_cannot_take_row_security_off(database: Server) -> None:
    with psycopg.connect(database.conninfo("office"), autocommit=True) as office:
        for attempt in (
            "ALTER TABLE office.account DISABLE ROW LEVEL SECURITY",
            "DROP POLICY tenant ON office.account",
            "CREATE POLICY mine ON office.account USING (true)",
            "SET ROLE doorstep_owner",
        ):
            with pytest.raises(REFUSED):
                office.execute(attempt)
        office.execute("SET row_security = off")
        with pytest.raises(REFUSED):
            office.execute("SELECT * FROM office.account")
