"""Every row belongs to an agency, and the database itself keeps agencies apart."""

from __future__ import annotations

from uuid import UUID

import psycopg
import pytest
from flask import Flask
from psycopg import sql
from sqlalchemy import select

from doorstep.server import Server
from field_api.platform.database import transaction
from field_api.platform.ids import new_id
from field_api.records.agency import Agency, Creditor


def test_every_table_forces_row_security_and_names_its_agency(database: Server) -> None:
    with psycopg.connect(database.conninfo("owner")) as connection:
        rows = connection.execute(
            """
            SELECT n.nspname || '.' || c.relname, c.relrowsecurity AND c.relforcerowsecurity,
                   EXISTS (SELECT 1 FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attname = 'agency_id'),
                   EXISTS (SELECT 1 FROM pg_policy p WHERE p.polrelid = c.oid)
            FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
            WHERE c.relkind IN ('r', 'p') AND n.nspname IN ('office', 'mailbox')
            """
        ).fetchall()
    assert rows
    assert [name for name, forced, has_agency, policy in rows if not (forced and has_agency and policy)] == []


OTHER_POLICIES = {("mailbox", "enrolment", "enrolling", "SELECT"), ("office", "staff", "sign_in", "SELECT")}
"""For the two reads that come before an agency is known: one row each, by a hash, an id or an e-mail."""


def test_every_policy_is_that_of_the_running_agency(database: Server) -> None:
    """Policies are alternatives: one that says more than its neighbours opens the table."""
    with psycopg.connect(database.conninfo("owner")) as connection:
        rows = connection.execute(
            "SELECT schemaname, tablename, policyname, cmd, qual, with_check, roles::text FROM pg_policies"
        ).fetchall()
    agency = "(agency_id = (NULLIF(current_setting('doorstep.agency'::text, true), ''::text))::uuid)"
    others = {row[:4] for row in rows if row[2:] != ("tenant", "ALL", agency, None, "{public}")}
    assert others == OTHER_POLICIES
    with psycopg.connect(database.conninfo("office")) as office:
        office.execute("SELECT set_config('doorstep.agency', '', true)")
        for schema, table, *_ in rows:
            found = office.execute(sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(schema, table))).fetchone()
            assert found == (0,), f"{schema}.{table} shows rows to nobody's agency"


def test_every_foreign_key_carries_the_agency(database: Server) -> None:
    """A plain foreign key would be checked without row-level security and could point at another agency's row."""
    with psycopg.connect(database.conninfo("owner")) as connection:
        rows = connection.execute(
            """
            SELECT c.conname FROM pg_constraint c JOIN pg_namespace n ON n.oid = c.connamespace
            WHERE c.contype = 'f' AND n.nspname IN ('office', 'mailbox') AND NOT EXISTS (
                SELECT 1 FROM unnest(c.conkey) k JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = k
                WHERE a.attname = 'agency_id')
            """
        ).fetchall()
    assert rows == []


def test_the_door_has_no_grant_outside_the_mailbox(database: Server) -> None:
    with psycopg.connect(database.conninfo("owner")) as connection:
        rows = connection.execute(
            "SELECT table_schema || '.' || table_name FROM information_schema.role_table_grants"
            " WHERE grantee IN ('doorstep_door', 'PUBLIC') AND table_schema NOT IN"
            " ('mailbox', 'pg_catalog', 'information_schema') AND table_name <> 'alembic_version'"
        ).fetchall()
    assert rows == []
    with psycopg.connect(database.conninfo("door")) as door, pytest.raises(psycopg.errors.InsufficientPrivilege):
        door.execute("SELECT * FROM office.account")


def test_one_agency_never_sees_another(app: Flask, agency: UUID) -> None:
    other = new_id()
    with transaction(other) as session:
        session.add(Agency(agency_id=other, name="Other"))
        session.flush()
        session.add(Creditor(name="C", jurisdiction="MX", currency="MXN", language="es"))
    with transaction(agency) as session:
        assert session.scalars(select(Creditor)).all() == []
        assert [row.agency_id for row in session.scalars(select(Agency))] == [agency]
