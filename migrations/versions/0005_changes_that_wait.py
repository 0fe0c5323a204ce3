"""What cannot be made an item of waits by itself: how often it was tried, when again, and why not.

Adds columns that have constant defaults, under a short ACCESS EXCLUSIVE lock on change: no row is written anew. The
release before it runs on unchanged: it leaves them at their defaults, and tries what waits in every round.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("change", sa.Column("tries", sa.Integer(), server_default="0", nullable=False), schema="office")
    op.add_column("change", sa.Column("retry_at", sa.DateTime(timezone=True), nullable=True), schema="office")
    op.add_column("change", sa.Column("trouble", sa.Text(), nullable=True), schema="office")


def downgrade() -> None:
    for name in ("trouble", "retry_at", "tries"):
        op.drop_column("change", name, schema="office")
