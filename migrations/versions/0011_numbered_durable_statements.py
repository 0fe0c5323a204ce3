"""Durable statements are numbered: a phone passes over one that is older than what it holds.

Adds a column with a constant default under a short ACCESS EXCLUSIVE lock on durable. The release before it runs on
unchanged; its statements have no number, which counts as 0: phones that saw a numbered one keep that until the next.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    number = sa.Column("number", sa.BigInteger(), server_default=sa.text("0"), nullable=False)
    op.add_column("durable", number, schema="mailbox")


def downgrade() -> None:
    op.drop_column("durable", "number", schema="mailbox")
