"""Until when a refused photograph waits for a manager, hints about developed ones, and what finds a near-same picture.

Adds columns under an ACCESS EXCLUSIVE lock on photo. The four parts of the difference hash are stored ones, so the
table is written anew, once (some seconds for a hundred thousand photographs), and indexed. An index on upload is built
under a SHARE lock. The release before it runs on unchanged: what it refuses gets its date from the next worker.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

BANDS = {"band_1": 1, "band_2": 5, "band_3": 9, "band_4": 13}
COLUMNS = (
    "hints jsonb DEFAULT '[]'::jsonb NOT NULL",
    "from_address_m double precision",
    "from_visit_m double precision",
    "decide_by timestamptz",
    "allowed_at timestamptz",
    "allowed_by uuid",
    *(f"{name} text GENERATED ALWAYS AS (substr(dhash, {at}, 4)) STORED" for name, at in BANDS.items()),
)
NOT_TAKEN = "taken_at IS NULL AND state IN ('complete', 'quarantined', 'stray')"


def upgrade() -> None:
    op.execute("ALTER TABLE office.photo " + ", ".join(f"ADD COLUMN {column}" for column in COLUMNS))
    for name in BANDS:
        op.create_index(f"ix_photo_{name}", "photo", ["agency_id", name], schema="office")
    op.create_index(
        "ix_photo_undecided",
        "photo",
        ["agency_id", "decide_by"],
        schema="office",
        postgresql_where=sa.text("state = 'refused'"),
    )
    op.create_index(
        "ix_upload_untaken",
        "upload",
        ["agency_id", "expires_at"],
        schema="mailbox",
        postgresql_where=sa.text(NOT_TAKEN),
    )


def downgrade() -> None:
    op.drop_index("ix_upload_untaken", "upload", schema="mailbox")
    op.drop_index("ix_photo_undecided", "photo", schema="office")
    for name in (*BANDS, "allowed_by", "allowed_at", "decide_by", "from_visit_m", "from_address_m", "hints"):
        op.drop_column("photo", name, schema="office")
