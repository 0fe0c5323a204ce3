"""One real PostgreSQL for the run, one migrated template, a fresh database per test that asks for one."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from uuid import UUID

import psycopg
import pytest
from flask import Flask

from doorstep.app import worker_app
from doorstep.migrate import migrate
from doorstep.postgres import EmbeddedPostgres
from doorstep.server import Server
from field_api.platform.clock import SetClock, SystemClock
from field_api.platform.create_keys import create_agency_keys
from field_api.platform.database import db, transaction
from field_api.platform.ids import new_id
from field_api.platform.settings import Settings

TEMPLATE = "doorstep_template"


def embedded_server(home: Path) -> Server:
    """A running server with a migrated template database."""
    server = EmbeddedPostgres(home, durable=False).start()
    with psycopg.connect(server.conninfo("owner", "postgres"), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {TEMPLATE}")
    migrate(server.url("owner", TEMPLATE))
    return server


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server of this run's own; or the one that DOORSTEP_TEST_SERVER has made ready for many runs."""
    ready = os.environ.get("DOORSTEP_TEST_SERVER")
    if ready:
        yield EmbeddedPostgres(Path(ready), durable=False).start()
        return
    home = tmp_path_factory.mktemp("pg") / "home"
    try:
        yield embedded_server(home)
    finally:
        EmbeddedPostgres(home, durable=False).destroy()


@pytest.fixture
def database(postgres: Server) -> Iterator[Server]:
    """A fresh, migrated database of its own."""
    name = "t" + new_id().hex
    admin = postgres.conninfo("owner", "postgres")
    with psycopg.connect(admin, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {TEMPLATE} STRATEGY FILE_COPY")
    yield replace(postgres, database=name)
    with psycopg.connect(admin, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def settings(database: Server, tmp_path: Path) -> Settings:
    """The office's settings on the fresh database; `dataclasses.replace` them for the door."""
    return Settings(
        home=tmp_path / "home",
        database_url=database.url("office"),
        door_url="http://door.test",
        office_url="http://office.test",
    )


@pytest.fixture
def app(settings: Settings) -> Iterator[Flask]:
    """The office without routes, in an application context: for use cases and queries."""
    application = worker_app(settings)
    with application.app_context():
        yield application
        db.session.remove()
        db.engine.dispose()


@pytest.fixture
def agency(app: Flask, settings: Settings) -> UUID:
    """An agency with keys and its row."""
    from field_api.records.agency import Agency

    agency_id = new_id()
    create_agency_keys(settings.home, agency_id, SystemClock().now())
    with transaction(agency_id) as session:
        session.add(Agency(agency_id=agency_id, name="Agencia Puerta Norte", address="Calle 1", phone="+525550000000"))
    return agency_id


@pytest.fixture
def clock() -> SetClock:
    """Wednesday, 2026-11-18, 15:00 UTC: a working day in every jurisdiction shipped."""
    from datetime import UTC, datetime

    return SetClock(datetime(2026, 11, 18, 15, 0, tzinfo=UTC))
