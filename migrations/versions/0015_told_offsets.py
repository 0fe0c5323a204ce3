"""When a phone was last told an upload's offset: what was signed before that moves it no more.

Adds an empty column. The release before it runs on unchanged.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("upload", sa.Column("told_at", sa.DateTime(timezone=True), nullable=True), schema="mailbox")
    op.execute("GRANT UPDATE (told_at) ON mailbox.upload TO doorstep_door")


def downgrade() -> None:
    op.drop_column("upload", "told_at", schema="mailbox")
