"""Every row belongs to an agency, and the database itself keeps agencies apart."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import UUID

import psycopg
import pytest
from flask import Flask
from psycopg import sql
from sqlalchemy import select, text

from doorstep.server import Server
from field_api.platform.database import db, transaction
from field_api.platform.ids import new_id
from field_api.records.agency import Agency, Creditor
from tests import catalogue


@pytest.fixture
def owner(database: Server) -> Iterator[psycopg.Connection]:
    with psycopg.connect(database.conninfo("owner")) as connection:
        yield connection


def test_every_table_forces_row_security_and_names_its_agency(owner: psycopg.Connection) -> None:
    assert catalogue.tables()
    assert catalogue.unprotected_tables(owner) == []


def test_every_policy_is_that_of_the_running_agency(database: Server, owner: psycopg.Connection) -> None:
    """Its words; and what they do: nobody's agency sees no row of any table."""
    assert catalogue.wrong_policies(owner) == []
    with psycopg.connect(database.conninfo("office")) as office:
        office.execute("SELECT set_config('doorstep.agency', '', true)")
        for table in catalogue.tables():
            name = sql.Identifier(*table.split("."))
            assert office.execute(sql.SQL("SELECT count(*) FROM {}").format(name)).fetchone() == (0,), table


def test_every_foreign_key_carries_the_agency(owner: psycopg.Connection) -> None:
    assert catalogue.wrong_keys(owner) == []


def test_the_door_has_no_grant_beyond_its_list(database: Server, owner: psycopg.Connection) -> None:
    assert catalogue.wrong_grants(owner) + catalogue.wrong_schemas(owner) == []
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


def test_the_agency_ends_with_its_transaction(app: Flask, agency: UUID) -> None:
    """A pooled connection goes to somebody else next: it must not still speak for an agency."""
    with transaction(agency) as session:
        session.scalars(select(Agency)).one()
    with db.engine.connect() as connection:
        assert connection.scalar(text("SELECT current_setting('doorstep.agency', true)")) in (None, "")
        assert connection.scalar(text("SELECT count(*) FROM office.agency")) == 0
