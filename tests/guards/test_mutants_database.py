"""The database loses one protection at a time: the checks of tests/catalogue.py must say so, by name (docs/checks.md).

Each mutant is DDL of the owner in a transaction that is rolled back; rights and roles come back with it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import psycopg
import pytest
from psycopg import sql

from doorstep.server import Server
from field_api.platform.database import Base
from tests import catalogue
from tests.guards.mutant_counts import documented

TABLES = catalogue.tables()
OFFICE = [table for table in TABLES if table.startswith("office.")]
MAILBOX = [table for table in TABLES if table.startswith("mailbox.")]
WRITES = ("INSERT", "UPDATE", "DELETE")
READS_AND_WRITES = ("SELECT", *WRITES)


@dataclass(frozen=True)
class Mutant:
    ddl: str
    names: str
    """What the fault must name."""


def columns(table: str) -> list[str]:
    return [column.name for column in Base.metadata.tables[table].columns]


def policies() -> Iterator[Mutant]:
    for table in TABLES:
        yield Mutant(f"DROP POLICY tenant ON {table}", table)
        yield Mutant(f"ALTER POLICY tenant ON {table} USING (true)", table)
        yield Mutant(f"ALTER POLICY tenant ON {table} WITH CHECK (true)", table)
        yield Mutant(f"CREATE POLICY another ON {table} USING (true)", table)
        yield Mutant(f"CREATE POLICY another ON {table} FOR SELECT TO doorstep_office USING (true)", table)
        yield Mutant(f"CREATE POLICY another ON {table} FOR INSERT WITH CHECK (true)", table)
    for table, (name, _) in catalogue.EARLY_READS.items():
        yield Mutant(f"ALTER POLICY {name} ON {table} USING (true)", table)


def row_security() -> Iterator[Mutant]:
    for table in TABLES:
        yield Mutant(f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY", table)
        yield Mutant(f"ALTER TABLE {table} DISABLE ROW LEVEL SECURITY", table)
        yield Mutant(f"ALTER TABLE {table} RENAME agency_id TO agency", table)
    for schema in ("office", "mailbox"):
        yield Mutant(f"CREATE TABLE {schema}.another (agency_id uuid, id uuid)", f"{schema}.another")
        yield Mutant(f"CREATE VIEW {schema}.another AS SELECT * FROM office.account", f"{schema}.another")
        yield Mutant(f"CREATE MATERIALIZED VIEW {schema}.another AS SELECT * FROM office.account", f"{schema}.another")


def grants_on_the_office() -> Iterator[Mutant]:
    """Each right on each table; each column for the door alone; rights given in advance; what row security exempts."""
    for table in OFFICE:
        for right in READS_AND_WRITES:
            for role in ("doorstep_door", "PUBLIC"):
                yield Mutant(f"GRANT {right} ON {table} TO {role}", f"{role} has too much: {table}  {right}")
        for column in columns(table):
            ddl = f"GRANT SELECT ({column}) ON {table} TO doorstep_door"
            yield Mutant(ddl, f"doorstep_door has too much: {table} {column} SELECT")
    for table in TABLES:
        ddl = f"GRANT TRUNCATE ON {table} TO doorstep_office"
        yield Mutant(ddl, f"doorstep_office has too much: {table}  TRUNCATE")
    for sequence in ("office.change_id_seq", "office.log_entry_id_seq"):
        yield Mutant(f"GRANT SELECT ON SEQUENCE {sequence} TO doorstep_door", sequence)
    for schema in ("office", "mailbox"):
        given = f"ALTER DEFAULT PRIVILEGES IN SCHEMA {schema} GRANT SELECT ON TABLES TO doorstep_door"
        yield Mutant(given, f"{schema}: rights are given in advance")
        for role in ("doorstep_door", "doorstep_office", "PUBLIC"):
            yield Mutant(f"GRANT CREATE ON SCHEMA {schema} TO {role}", f"{role} has too much: {schema} CREATE")
    for role in ("doorstep_door", "PUBLIC"):
        yield Mutant(f"GRANT USAGE ON SCHEMA office TO {role}", f"{role} has too much: office USAGE")
        yield Mutant(f"GRANT CREATE ON SCHEMA public TO {role}", f"{role} has too much: public CREATE")


def grants_on_the_mailbox() -> Iterator[Mutant]:
    """Whatever right the door or everybody does not have: on the table, and on each column."""
    held = catalogue.expected_grants()
    for table in MAILBOX:
        for right in READS_AND_WRITES:
            yield Mutant(f"GRANT {right} ON {table} TO PUBLIC", f"PUBLIC has too much: {table}  {right}")
            if ("doorstep_door", table, "", right) in held:
                continue
            too_much = f"doorstep_door has too much: {table}"
            yield Mutant(f"GRANT {right} ON {table} TO doorstep_door", f"{too_much}  {right}")
            for column in columns(table):
                if right != "DELETE" and ("doorstep_door", table, column, right) not in held:
                    yield Mutant(
                        f"GRANT {right} ({column}) ON {table} TO doorstep_door", f"{too_much} {column} {right}"
                    )


def foreign_keys() -> Iterator[Mutant]:
    """Each without its agency column; a plain key needs a unique id to point at."""
    for name in TABLES:
        for key in Base.metadata.tables[name].foreign_key_constraints:
            here = [column for column in key.column_keys if column != "agency_id"]
            target = f"{key.referred_table.schema}.{key.referred_table.name}"
            there = [element.column.name for element in key.elements if element.column.name != "agency_id"]
            change = f"ALTER TABLE {name} DROP CONSTRAINT {key.name}"
            unique = f"ALTER TABLE {target} ADD UNIQUE ({', '.join(there)})"
            plain = (
                f"ADD CONSTRAINT {key.name} FOREIGN KEY ({', '.join(here)}) REFERENCES {target} ({', '.join(there)})"
            )
            yield Mutant(f"{change}; {unique}; ALTER TABLE {name} {plain}", f"{name}: {key.name}")


def roles() -> Iterator[Mutant]:
    for role in ("doorstep_office", "doorstep_door"):
        for strength in ("SUPERUSER", "BYPASSRLS", "CREATEROLE", "CREATEDB", "REPLICATION"):
            yield Mutant(f"ALTER ROLE {role} {strength}", role)
        for group in ("doorstep_owner", "pg_read_all_data", "pg_write_all_data", "pg_execute_server_program"):
            yield Mutant(f"GRANT {group} TO {role}", role)
        yield Mutant(f"ALTER ROLE {role} SET doorstep.agency = '00000000-0000-0000-0000-000000000001'", role)
        for schema in ("office", "mailbox"):
            yield Mutant(f"ALTER SCHEMA {schema} OWNER TO {role}", f"{role} owns {schema}")
        for table in TABLES:
            yield Mutant(f"ALTER TABLE {table} OWNER TO {role}", f"{role} owns {table}")
    yield Mutant("GRANT doorstep_office TO doorstep_door", "doorstep_door")


def functions() -> Iterator[Mutant]:
    for name in (
        "FUNCTION office.log_visit_event()",
        "FUNCTION office.log_hold()",
        "PROCEDURE public.protect(regclass)",
    ):
        yield Mutant(f"ALTER {name} SECURITY DEFINER", name.split()[1].partition("(")[0])
    for schema in ("office", "mailbox", "public"):
        ddl = f"CREATE FUNCTION {schema}.another() RETURNS int LANGUAGE sql SECURITY DEFINER AS 'SELECT 1'"
        yield Mutant(ddl, f"{schema}.another")


GROUPS: dict[str, Callable[[], Iterator[Mutant]]] = {
    "database: policies": policies,
    "database: row security": row_security,
    "database: rights on the office": grants_on_the_office,
    "database: rights on the mailbox": grants_on_the_mailbox,
    "database: foreign keys": foreign_keys,
    "database: roles": roles,
    "database: functions": functions,
}


@pytest.mark.parametrize("group", GROUPS)
def test_every_protection_that_goes_is_missed(database: Server, group: str) -> None:
    mutants = list(GROUPS[group]())
    with psycopg.connect(database.conninfo("owner")) as owner:
        assert list(catalogue.faults(owner)) == []
        survived = [mutant.ddl for mutant in mutants if not noticed(owner, mutant)]
        assert list(catalogue.faults(owner)) == [], "a mutant outlived its transaction"
    assert survived == []
    assert len({mutant.ddl for mutant in mutants}) == len(mutants)
    assert [len(mutants), 0, len(mutants)] == documented(group), "docs/checks.md says otherwise"


def noticed(owner: psycopg.Connection, mutant: Mutant) -> bool:
    with owner.transaction(force_rollback=True):
        owner.execute(sql.SQL(mutant.ddl))  # type: ignore[arg-type]  # statements of ours
        return any(mutant.names in fault for fault in catalogue.faults(owner))
