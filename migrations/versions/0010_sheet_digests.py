"""What lies on each phone's sheet, and the signed digest of it that the door tells.

Adds two empty tables. The release before it runs on unchanged; a phone whose feed began before finds with its next
items that its sheet is another one, and takes a snapshot once.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def _of_device(table: str) -> tuple[sa.Column[object] | sa.ForeignKeyConstraint, ...]:
    return (
        sa.Column("agency_id", sa.Uuid(), nullable=False),
        sa.Column("device_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["agency_id", "device_id"],
            ["mailbox.device.agency_id", "mailbox.device.id"],
            name=f"fk_{table}_agency_id_device_id",
            ondelete="CASCADE",
        ),
    )


def upgrade() -> None:
    op.create_table(
        "on_sheet",
        *_of_device("on_sheet"),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("ref", sa.Uuid(), nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("agency_id", "device_id", "kind", "ref", name="pk_on_sheet"),
        schema="office",
    )
    op.create_table(
        "sheet_digest",
        *_of_device("sheet_digest"),
        sa.Column("statement", sa.LargeBinary(), nullable=False),
        sa.Column("sig", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("agency_id", "device_id", name="pk_sheet_digest"),
        schema="mailbox",
    )
    op.execute("CALL public.protect('office.on_sheet')")
    op.execute("CALL public.protect('mailbox.sheet_digest')")
    op.execute("GRANT SELECT ON mailbox.sheet_digest TO doorstep_door")


def downgrade() -> None:
    op.drop_table("sheet_digest", schema="mailbox")
    op.drop_table("on_sheet", schema="office")
