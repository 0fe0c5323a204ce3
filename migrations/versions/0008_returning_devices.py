"""Certificates that unknown phones show: a server restored from a backup lacks those enrolled since.

Adds an empty table; no lock on what is there. The release before it runs on unchanged.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

SEEN = "agency_id, sha256"


def upgrade() -> None:
    op.create_table(
        "returning_device",
        sa.Column("agency_id", sa.Uuid(), nullable=False),
        sa.Column("sha256", sa.LargeBinary(), nullable=False),
        sa.Column("certificate", sa.LargeBinary(), nullable=False),
        sa.Column("sig", sa.LargeBinary(), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("agency_id", "sha256", name="pk_returning_device"),
        schema="mailbox",
    )
    op.execute("CALL public.protect('mailbox.returning_device')")
    op.execute(
        f"GRANT SELECT ({SEEN}), INSERT ({SEEN}, certificate, sig, received_at)"
        " ON mailbox.returning_device TO doorstep_door"
    )


def downgrade() -> None:
    op.drop_table("returning_device", schema="mailbox")
