"""Unlocks that a manager has to look at, and an index for the list of all unlocks.

Creates only. The index on visit_event is made under a SHARE lock: nobody writes the story while it is built (some
seconds for a million events); the release before it runs on unchanged.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "unlock_review",
        sa.Column("agency_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("visit_id", sa.Uuid(), nullable=False),
        sa.Column("op_id", sa.Uuid(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), server_default="open", nullable=False),
        sa.Column("put_up_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decided_by", sa.Uuid(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("note", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(
            ["agency_id", "visit_id"],
            ["office.visit.agency_id", "office.visit.id"],
            name="fk_unlock_review_agency_id_visit_id",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("agency_id", "id", name="pk_unlock_review"),
        sa.UniqueConstraint("agency_id", "op_id", name="uq_unlock_review_agency_id_op_id"),
        schema="office",
    )
    op.create_index(
        "ix_unlock_review_open",
        "unlock_review",
        ["agency_id", "put_up_at", "id"],
        schema="office",
        postgresql_where=sa.text("state = 'open'"),
    )
    op.create_index(
        "ix_visit_event_unlock",
        "visit_event",
        ["agency_id", "at", "id"],
        schema="office",
        postgresql_where=sa.text("kind IN ('identity_check', 'opened')"),
    )
    op.execute("CALL public.protect('office.unlock_review')")


def downgrade() -> None:
    op.drop_index("ix_visit_event_unlock", "visit_event", schema="office")
    op.drop_table("unlock_review", schema="office")
