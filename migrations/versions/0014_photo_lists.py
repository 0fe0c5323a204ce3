"""Indexes for lists of photographs by state and by hint.

Built under a SHARE lock on photo: nothing is developed meanwhile (a second or two for a hundred thousand). The release
before it runs on unchanged.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

HINTS = (
    "no-position", "far-from-address", "far-from-visit", "file-elsewhere", "outside-visit", "file-other-time",
    "same-picture", "near-picture", "other-agents-picture", "no-camera-data", "metadata-unreadable",
    "editing-software", "like-a-screenshot",
)  # fmt: skip


def upgrade() -> None:
    op.create_index("ix_photo_state", "photo", ["agency_id", "state", "id"], schema="office")
    for hint in HINTS:
        having = sa.text(f"""hints @> '["{hint}"]'""")
        op.create_index(_name(hint), "photo", ["agency_id", "id"], schema="office", postgresql_where=having)


def downgrade() -> None:
    for hint in HINTS:
        op.drop_index(_name(hint), "photo", schema="office")
    op.drop_index("ix_photo_state", "photo", schema="office")


def _name(hint: str) -> str:
    return "ix_photo_hint_" + hint.replace("-", "_")
