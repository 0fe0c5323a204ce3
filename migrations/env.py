"""Run migrations as the owner role, on the connection that the caller hands over."""

from __future__ import annotations

from alembic import context

connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=context.config.attributes.get("metadata"),
    version_table="alembic_version",
    version_table_schema="public",
    include_schemas=True,
    include_name=lambda name, kind, _parents: kind != "schema" or name in {"office", "mailbox"},
    transaction_per_migration=True,
)
with context.begin_transaction():
    context.run_migrations()
