"""Migrations run up, down and up again, and the records agree with what they leave."""

from __future__ import annotations

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine, text

import field_api.platform.devices
import field_api.records
import media.office.records
import media.records
import sync.records
from doorstep.migrate import migrate
from doorstep.server import Server
from field_api.platform.database import Base


def test_down_to_nothing_and_up_again(database: Server) -> None:
    migrate(database.url("owner"), "base")
    engine = create_engine(database.url("owner"))
    with engine.connect() as connection:
        left = connection.scalar(text("SELECT count(*) FROM pg_namespace WHERE nspname IN ('office', 'mailbox')"))
    assert left == 0
    migrate(database.url("owner"))
    engine.dispose()


def test_records_and_migrations_agree(database: Server) -> None:
    """No difference between the tables that migrations make and those that the code declares."""
    assert field_api.records and field_api.platform.devices and sync.records and media.records and media.office.records
    engine = create_engine(database.url("owner"))
    with engine.connect() as connection:
        context = MigrationContext.configure(
            connection,
            opts={
                "include_schemas": True,
                "include_name": lambda name, kind, _: kind != "schema" or name in ("office", "mailbox"),
            },
        )
        differences = compare_metadata(context, Base.metadata)
    engine.dispose()
    assert differences == []
