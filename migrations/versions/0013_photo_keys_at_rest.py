"""Which sealing key a photograph's wrapped key stands under, and an index by which photographs grow old.

Adds a column with a constant default under a short ACCESS EXCLUSIVE lock on photo: no row is written. Two indexes are
built under a SHARE lock (some seconds for a hundred thousand photographs). The release before it runs on unchanged:
what it takes has the default, and the next worker finds out.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

KEPT = "state <> 'destroyed'"


def upgrade() -> None:
    op.execute("ALTER TABLE office.photo ADD COLUMN wrap_key_id text DEFAULT '' NOT NULL")
    for name, column in (("ix_photo_wrap", "wrap_key_id"), ("ix_photo_kept", "received_at")):
        op.create_index(name, "photo", ["agency_id", column], schema="office", postgresql_where=sa.text(KEPT))


def downgrade() -> None:
    for name in ("ix_photo_kept", "ix_photo_wrap"):
        op.drop_index(name, "photo", schema="office")
    op.drop_column("photo", "wrap_key_id", schema="office")
