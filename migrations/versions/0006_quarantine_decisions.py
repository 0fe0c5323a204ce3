"""Who has a device's operations in hand, what a person decided about quarantined ones, and what is held of odd bytes.

Adds columns with constant defaults under a short ACCESS EXCLUSIVE lock on inbox, quarantine and durable, and a partial
index on inbox that is empty when it is built (SHARE lock; one scan of the table). The release before it runs on
unchanged.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

OF_KEPT = ("inbox", "quarantine")


def upgrade() -> None:
    for table in OF_KEPT:
        released = sa.Column("released", sa.Boolean(), server_default=sa.text("false"), nullable=False)
        op.add_column(table, released, schema="mailbox")
        op.add_column(table, sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True), schema="mailbox")
    none = sa.text("'{}'::bigint[]")
    excepted = sa.Column("excepted", sa.ARRAY(sa.BigInteger()), server_default=none, nullable=False)
    op.add_column("durable", excepted, schema="mailbox")
    op.create_index(
        "ix_inbox_without",
        "inbox",
        ["agency_id", "device_id"],
        schema="mailbox",
        postgresql_where=sa.text("state IN ('applied', 'late') AND waits_for <> '{}'"),
    )
    op.execute("GRANT SELECT (seq, reason) ON mailbox.quarantine TO doorstep_door")
    op.create_table(
        "apply_turn",
        sa.Column("agency_id", sa.Uuid(), nullable=False),
        sa.Column("device_id", sa.Uuid(), nullable=False),
        sa.Column("op_id", sa.Uuid(), nullable=True),
        sa.Column("tries", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("trouble", sa.Text(), nullable=True),
        sa.Column("server_started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("retry_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["agency_id", "device_id"],
            ["mailbox.device.agency_id", "mailbox.device.id"],
            name="fk_apply_turn_agency_id_device_id",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("agency_id", "device_id", name="pk_apply_turn"),
        schema="office",
    )
    op.create_table(
        "quarantine_decision",
        sa.Column("agency_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("device_id", sa.Uuid(), nullable=False),
        sa.Column("op_id", sa.Uuid(), nullable=True),
        sa.Column("bytes_id", sa.Uuid(), nullable=True),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("reason", sa.LargeBinary(), nullable=False),
        sa.Column("decided_by", sa.Uuid(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("mended_as", sa.Uuid(), nullable=True),
        sa.CheckConstraint("(op_id IS NULL) <> (bytes_id IS NULL)", name="ck_quarantine_decision_of_one"),
        sa.PrimaryKeyConstraint("agency_id", "id", name="pk_quarantine_decision"),
        schema="office",
    )
    keys = ["agency_id", "device_id", "op_id"]
    op.create_index("ix_quarantine_decision", "quarantine_decision", keys, schema="office")
    op.create_index("ix_quarantine_decision_bytes", "quarantine_decision", ["agency_id", "bytes_id"], schema="office")
    for table in ("office.apply_turn", "office.quarantine_decision"):
        op.execute(f"CALL public.protect('{table}')")


def downgrade() -> None:
    op.drop_table("quarantine_decision", schema="office")
    op.drop_table("apply_turn", schema="office")
    op.execute("REVOKE SELECT (seq, reason) ON mailbox.quarantine FROM doorstep_door")
    op.drop_index("ix_inbox_without", "inbox", schema="mailbox")
    op.drop_column("durable", "excepted", schema="mailbox")
    for table in OF_KEPT:
        op.drop_column(table, "closed_at", schema="mailbox")
        op.drop_column(table, "released", schema="mailbox")
