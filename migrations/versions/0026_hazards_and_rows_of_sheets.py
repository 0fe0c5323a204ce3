"""What agents said of places, for whoever comes next; which boxes of a printed sheet belong to which visit.

Adds a table, and a column that may be null: an ACCESS EXCLUSIVE lock on sheet for a moment. The release before it runs on
unchanged: what it prints has no rows of its own, and is typed in by the route as it is then.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0026"
down_revision = "0024"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "place_hazard",
        sa.Column("agency_id", sa.Uuid, nullable=False),
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("fingerprint", sa.LargeBinary, nullable=False),
        sa.Column("hazard", sa.Text, nullable=False),
        sa.Column("present", sa.Boolean, nullable=False),
        sa.Column("told_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("agent_id", sa.Uuid, nullable=False),
        sa.Column("op_id", sa.Uuid, nullable=False),
        sa.PrimaryKeyConstraint("agency_id", "id", name="pk_place_hazard"),
        sa.UniqueConstraint(
            "agency_id", "fingerprint", "hazard", name="uq_place_hazard_agency_id_fingerprint_hazard"
        ),
        schema="office",
    )
    op.execute("CALL public.protect('office.place_hazard')")
    op.add_column("sheet", sa.Column("rows", JSONB), schema="office")


def downgrade() -> None:
    op.drop_column("sheet", "rows", schema="office")
    op.drop_table("place_hazard", schema="office")
