"""A creditor's strategy and whom it excludes; of an account, how it is paid and who is to be sought first.

Adds columns with constant defaults: an ACCESS EXCLUSIVE lock on creditor and account for a moment, no table is
written anew. The release before it runs on unchanged, and plans as if nothing of it were said.
"""

from __future__ import annotations

from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

COLUMNS = {
    "creditor": ("strategy jsonb DEFAULT '{}'::jsonb NOT NULL", "exclusions text[] DEFAULT '{}' NOT NULL"),
    "account": (
        "auto_pay boolean DEFAULT false NOT NULL",
        "auto_pay_failed_on date",
        "guarantor_first boolean DEFAULT false NOT NULL",
    ),
}


def upgrade() -> None:
    for table, columns in COLUMNS.items():
        op.execute(f"ALTER TABLE office.{table} " + ", ".join(f"ADD COLUMN {column}" for column in columns))


def downgrade() -> None:
    for table, columns in COLUMNS.items():
        for column in columns:
            op.drop_column(table, column.partition(" ")[0], schema="office")
