"""Travel times that are kept: what a road engine answered, and by how much estimates are off in an area.

Two new tables: no lock on any other. The release before it runs on unchanged and knows of neither.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "known_legs",
        *_key(),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("origin", sa.BigInteger, nullable=False),
        sa.Column("legs", sa.LargeBinary, nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("agency_id", "id", name="pk_known_legs"),
        sa.UniqueConstraint("agency_id", "source", "origin", name="uq_known_legs_agency_id_source_origin"),
        schema="office",
    )
    op.create_index("ix_known_legs_asked", "known_legs", ["agency_id", "asked_at"], schema="office")
    op.create_table(
        "travel_area",
        *_key(),
        sa.Column("area", sa.Text, nullable=False),
        sa.Column("factor", sa.Float, nullable=False),
        sa.Column("legs", sa.Integer, nullable=False),
        sa.Column("learnt_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("agency_id", "id", name="pk_travel_area"),
        sa.UniqueConstraint("agency_id", "area", name="uq_travel_area_agency_id_area"),
        schema="office",
    )
    op.execute("CALL public.protect('office.known_legs')")
    op.execute("CALL public.protect('office.travel_area')")


def downgrade() -> None:
    op.drop_table("travel_area", schema="office")
    op.drop_table("known_legs", schema="office")


def _key() -> tuple[sa.Column[object], ...]:
    return sa.Column("agency_id", sa.Uuid, nullable=False), sa.Column("id", sa.Uuid, nullable=False)
