"""How well an address's place is known and who says so; answers of geocoders; houses that somebody found.

Adds columns without defaults: an ACCESS EXCLUSIVE lock on address for a moment. The release before it runs on unchanged
and leaves both empty, as it does with what the creditor gave.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE office.address ADD COLUMN place_quality text, ADD COLUMN place_source text")
    op.create_table(
        "geocoder_answer",
        *_key(),
        sa.Column("asked", sa.LargeBinary, nullable=False),
        sa.Column("services", sa.Text, nullable=False),
        *_point(nullable=True),
        sa.Column("quality", sa.Text),
        sa.Column("source", sa.Text),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True)),
        sa.PrimaryKeyConstraint("agency_id", "id", name="pk_geocoder_answer"),
        sa.UniqueConstraint("agency_id", "asked", name="uq_geocoder_answer_agency_id_asked"),
        schema="office",
    )
    op.create_table(
        "house_finding",
        *_key(),
        sa.Column("address_id", sa.Uuid, nullable=False),
        sa.Column("op_id", sa.Uuid),
        sa.Column("agent_id", sa.Uuid),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("doubt", sa.Text),
        *_point(nullable=False),
        sa.Column("accuracy_m", sa.Float),
        sa.Column("moved_m", sa.Float),
        sa.Column("before_latitude", sa.Float),
        sa.Column("before_longitude", sa.Float),
        sa.Column("before_quality", sa.Text),
        sa.Column("before_source", sa.Text),
        sa.Column("found_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True)),
        sa.PrimaryKeyConstraint("agency_id", "id", name="pk_house_finding"),
        sa.UniqueConstraint("agency_id", "op_id", name="uq_house_finding_agency_id_op_id"),
        sa.ForeignKeyConstraint(
            ["agency_id", "address_id"],
            ["office.address.agency_id", "office.address.id"],
            name="fk_house_finding_agency_id_address_id",
            ondelete="CASCADE",
        ),
        schema="office",
    )
    op.create_index(
        "ix_house_finding_address", "house_finding", ["agency_id", "address_id", "found_at"], schema="office"
    )
    op.create_index(
        "ix_house_finding_open",
        "house_finding",
        ["agency_id", "found_at", "id"],
        schema="office",
        postgresql_where=sa.text("state = 'candidate'"),
    )
    op.execute("CALL public.protect('office.geocoder_answer')")
    op.execute("CALL public.protect('office.house_finding')")


def downgrade() -> None:
    op.drop_table("house_finding", schema="office")
    op.drop_table("geocoder_answer", schema="office")
    op.execute("ALTER TABLE office.address DROP COLUMN place_quality, DROP COLUMN place_source")


def _key() -> tuple[sa.Column[object], ...]:
    return sa.Column("agency_id", sa.Uuid, nullable=False), sa.Column("id", sa.Uuid, nullable=False)


def _point(*, nullable: bool) -> tuple[sa.Column[object], ...]:
    return sa.Column("latitude", sa.Float, nullable=nullable), sa.Column("longitude", sa.Float, nullable=nullable)
