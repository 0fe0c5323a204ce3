"""From when a stop may be visited, and a debtor's written consent to be visited more often.

Adds columns that may be null: an ACCESS EXCLUSIVE lock on stop and account for a moment, no table is written anew. The
release before it runs on unchanged: stops that it writes have no beginning, which phones and sheets take as not known.
"""

from __future__ import annotations

from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE office.stop ADD COLUMN visit_from timestamptz")
    op.execute("ALTER TABLE office.account ADD COLUMN visits_consented_on date")


def downgrade() -> None:
    op.drop_column("stop", "visit_from", schema="office")
    op.drop_column("account", "visits_consented_on", schema="office")
