"""When each phone was last heard, and what it said of itself; and late operations found by device.

Adds an empty table, and a partial index on inbox (SHARE lock, one scan: it waits for writers and stops them meanwhile).
The release before it runs on unchanged.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

TOLD = "heard_at, newest_seq, newest_told_at, clock_ahead_s"


def upgrade() -> None:
    op.create_table(
        "device_contact",
        sa.Column("agency_id", sa.Uuid(), nullable=False),
        sa.Column("device_id", sa.Uuid(), nullable=False),
        sa.Column("heard_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("newest_seq", sa.BigInteger(), nullable=True),
        sa.Column("newest_told_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("clock_ahead_s", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["agency_id", "device_id"],
            ["mailbox.device.agency_id", "mailbox.device.id"],
            name="fk_device_contact_agency_id_device_id",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("agency_id", "device_id", name="pk_device_contact"),
        schema="mailbox",
    )
    op.execute("CALL public.protect('mailbox.device_contact')")
    op.execute(
        f"GRANT SELECT (agency_id, device_id, {TOLD}),"
        f" INSERT (agency_id, device_id, {TOLD}), UPDATE ({TOLD}) ON mailbox.device_contact TO doorstep_door"
    )
    op.create_index(
        "ix_inbox_late",
        "inbox",
        ["agency_id", "device_id", "received_at"],
        schema="mailbox",
        postgresql_where=sa.text("state = 'late'"),
    )


def downgrade() -> None:
    op.drop_index("ix_inbox_late", "inbox", schema="mailbox")
    op.drop_table("device_contact", schema="mailbox")
