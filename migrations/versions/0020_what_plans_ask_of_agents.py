"""What agents can do, where they work and how much, their lunch; when somebody is at a place and what is needed there.

Adds columns that may be null or have constant defaults: an ACCESS EXCLUSIVE lock on agent, shift, route and address for
a moment each, no table is written anew. The release before it runs on unchanged, and plans as if nothing of it were
said.
"""

from __future__ import annotations

from alembic import op

revision = "0020"
down_revision = "0022"
branch_labels = None
depends_on = None

COLUMNS = {
    "agent": (
        "skills text[] DEFAULT '{}' NOT NULL",
        "territories text[] DEFAULT '{}' NOT NULL",
        "most_stops integer",
    ),
    "shift": (
        "lunch_minutes integer",
        "lunch_from time without time zone",
        "lunch_until time without time zone",
    ),
    "route": ("lunch_at timestamp with time zone",),
    "address": (
        "known_times text[] DEFAULT '{}' NOT NULL",
        "needed_skills text[] DEFAULT '{}' NOT NULL",
    ),
}


def upgrade() -> None:
    for table, columns in COLUMNS.items():
        op.execute(f"ALTER TABLE office.{table} " + ", ".join(f"ADD COLUMN {column}" for column in columns))


def downgrade() -> None:
    for table, columns in COLUMNS.items():
        for column in columns:
            op.drop_column(table, column.partition(" ")[0], schema="office")
