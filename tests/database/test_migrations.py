"""Migrations run up, down and up again, and the records agree with what they leave."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Engine, create_engine, text

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


def test_rows_of_the_first_revision_live_through_the_later_ones(database: Server) -> None:
    """Up and down over rows: what stood in the first tables stands there still, and comes under the later triggers."""
    owner = database.url("owner")
    migrate(owner, "base")
    migrate(owner, "0001")
    engine = create_engine(owner)
    agency, creditor, person, account, hold = (str(uuid4()) for _ in range(5))
    rows = {"agency": agency, "creditor": creditor, "person": person, "account": account, "hold": hold}
    with engine.begin() as connection:
        for statement in FIRST_ROWS:
            connection.execute(text(statement), rows)
    before = _contents(engine)
    migrate(owner)
    assert _as_first(_contents(engine), before) == before
    with engine.begin() as connection:
        connection.execute(text("UPDATE office.hold SET lifted_at = now(), lifted_by = :person"), rows)
        logged = connection.scalar(text("SELECT count(*) FROM office.log_entry"))
        waits = connection.execute(text("SELECT tries, retry_at, trouble FROM office.change")).all()
    assert logged == 1  # the later revision's trigger sees the earlier revision's row
    assert waits == [(0, None, None)], "what waited is due"
    with engine.begin() as connection:
        connection.execute(text("UPDATE office.hold SET lifted_at = NULL, lifted_by = NULL"))
    migrate(owner, "0002")
    assert _as_first(_contents(engine), before) == before
    engine.dispose()


FIRST_ROWS = (
    "INSERT INTO office.agency (agency_id, name, address, phone, email, policy) VALUES (:agency, 'A', '', '', '', '{}')",
    "INSERT INTO office.creditor (agency_id, id, name, jurisdiction, sector, currency, threshold_minor, language, address,"
    " phone, complaints_unit, payment_ways, column_map)"
    " VALUES (:agency, :creditor, 'C', 'MX', 'commercial', 'MXN', 1, 'es', '', '', '{}', '[]', '{}')",
    "INSERT INTO office.person (agency_id, id, creditor_id, external_ref, name, kind, language, is_minor, version)"
    " VALUES (:agency, :person, :creditor, 'P1', 'N', 'person', 'es', false, 1)",
    "INSERT INTO office.hold (agency_id, id, person_id, kind, reason, placed_at, op_id)"
    " VALUES (:agency, :hold, :person, 'deceased', '\\x00', now(), :hold)",
    "INSERT INTO office.change (agency_id, agent_id, kind, ref, urgent) VALUES (:agency, :person, 'visit', :hold, false)",
)


Contents = dict[str, list[dict[str, Any]]]


def _contents(engine: Engine) -> Contents:
    """The row of each of the first revision's filled tables."""
    with engine.connect() as connection:
        return {
            table: list(connection.scalars(text(f"SELECT to_jsonb(t) FROM office.{table} t")))
            for table in ("agency", "creditor", "person", "hold")
        }


def _as_first(now: Contents, before: Contents) -> Contents:
    """Without the columns that came later."""
    return {table: [{name: row[name] for name in before[table][0]} for row in rows] for table, rows in now.items()}
