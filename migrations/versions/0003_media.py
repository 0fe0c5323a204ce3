"""Tables of media: uploads that the door takes in, photographs that the office keeps.

Creates only; takes no lock on anything that exists, except for two indexes on visit_event.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "upload",
        sa.Column("agency_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("device_id", sa.Uuid(), nullable=False),
        sa.Column("photo_id", sa.Uuid(), nullable=False),
        sa.Column("sha256", sa.LargeBinary(), nullable=False),
        sa.Column("sealing_key_id", sa.Text(), nullable=False),
        sa.Column("wrap_sha256", sa.LargeBinary(), nullable=False),
        sa.Column("length_bytes", sa.Integer(), nullable=False),
        sa.Column("received_bytes", sa.Integer(), nullable=False),
        sa.Column("fence", sa.Integer(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("completed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("taken_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["agency_id", "device_id"],
            ["mailbox.device.agency_id", "mailbox.device.id"],
            name="fk_upload_agency_id_device_id",
        ),
        sa.PrimaryKeyConstraint("agency_id", "id", name="pk_upload"),
        sa.UniqueConstraint("agency_id", "device_id", "sha256", name="uq_upload_agency_id_device_id_sha256"),
        schema="mailbox",
    )
    op.create_index(
        "ix_upload_whole",
        "upload",
        ["agency_id", "photo_id"],
        schema="mailbox",
        postgresql_where=sa.text("taken_at IS NULL AND state IN ('complete', 'quarantined')"),
    )
    op.create_index(
        "ix_upload_receiving",
        "upload",
        ["agency_id", "expires_at"],
        schema="mailbox",
        postgresql_where=sa.text("state = 'receiving'"),
    )
    op.create_table(
        "photo",
        sa.Column("agency_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("visit_id", sa.Uuid(), nullable=False),
        sa.Column("op_id", sa.Uuid(), nullable=False),
        sa.Column("permission_op_id", sa.Uuid(), nullable=True),
        sa.Column("device_id", sa.Uuid(), nullable=False),
        sa.Column("upload_id", sa.Uuid(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("sha256", sa.LargeBinary(), nullable=False),
        sa.Column("dhash", sa.Text(), nullable=True),
        sa.Column("width", sa.Integer(), nullable=True),
        sa.Column("height", sa.Integer(), nullable=True),
        sa.Column("captured_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("latitude", sa.Float(), nullable=True),
        sa.Column("longitude", sa.Float(), nullable=True),
        sa.Column("accuracy_m", sa.Float(), nullable=True),
        sa.Column("evidence", sa.LargeBinary(), nullable=True),
        sa.Column("large_key", sa.Text(), nullable=True),
        sa.Column("small_key", sa.Text(), nullable=True),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("developing_since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("developed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("destroyed_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["agency_id", "visit_id"],
            ["office.visit.agency_id", "office.visit.id"],
            name="fk_photo_agency_id_visit_id",
        ),
        sa.PrimaryKeyConstraint("agency_id", "id", name="pk_photo"),
        sa.UniqueConstraint("agency_id", "upload_id", name="uq_photo_agency_id_upload_id"),
        schema="office",
    )
    op.create_index("ix_photo_visit", "photo", ["agency_id", "visit_id", "id"], schema="office")
    op.create_index("ix_photo_dhash", "photo", ["agency_id", "dhash"], schema="office")
    op.create_index(
        "ix_photo_work",
        "photo",
        ["agency_id", "id"],
        schema="office",
        postgresql_where=sa.text("state IN ('awaiting', 'developing')"),
    )
    # Photographs find their declaring operation and their permission by the operation's id; withdrawals are few.
    op.create_index("ix_visit_event_op", "visit_event", ["agency_id", "op_id"], schema="office")
    op.create_index(
        "ix_visit_event_permission_withdrawn",
        "visit_event",
        ["agency_id", "visit_id"],
        schema="office",
        postgresql_where=sa.text("""flags @> '["permission-withdrawn"]'"""),
    )
    op.execute("CALL public.protect('mailbox.upload')")
    op.execute("CALL public.protect('office.photo')")
    # The door makes uploads and moves them on; it forgets by state, and deletes no row.
    op.execute("GRANT SELECT, INSERT ON mailbox.upload TO doorstep_door")
    op.execute(
        "GRANT UPDATE (photo_id, sealing_key_id, wrap_sha256, length_bytes, received_bytes, fence, state, created_at,"
        " expires_at, completed_at) ON mailbox.upload TO doorstep_door"
    )


def downgrade() -> None:
    op.drop_index("ix_visit_event_permission_withdrawn", "visit_event", schema="office")
    op.drop_index("ix_visit_event_op", "visit_event", schema="office")
    op.drop_table("photo", schema="office")
    op.drop_table("upload", schema="mailbox")
