"""What dispatchers change on a draft by hand, and a plan's version.

Adds a column with a constant default under an ACCESS EXCLUSIVE lock on plan for a moment, and two tables; their foreign
keys take a SHARE ROW EXCLUSIVE lock on plan, account and agent for a moment. The release before it runs on unchanged.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE office.plan ADD COLUMN version integer DEFAULT 1 NOT NULL")
    op.create_table(
        "plan_change",
        sa.Column("agency_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("plan_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("by", sa.Uuid(), nullable=True),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("detail", postgresql.JSONB(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        _refers("plan_change", "plan_id", "plan", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("agency_id", "id", name="pk_plan_change"),
        sa.UniqueConstraint("agency_id", "plan_id", "version", name="uq_plan_change_agency_id_plan_id_version"),
        schema="office",
    )
    op.create_table(
        "manual_wish",
        sa.Column("agency_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("plan_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("agent_id", sa.Uuid(), nullable=True),
        sa.Column("position", sa.Integer(), nullable=True),
        sa.Column("added", sa.Boolean(), nullable=False),
        sa.Column("dropped", sa.Boolean(), nullable=False),
        _refers("manual_wish", "plan_id", "plan", ondelete="CASCADE"),
        _refers("manual_wish", "account_id", "account"),
        _refers("manual_wish", "agent_id", "agent"),
        sa.PrimaryKeyConstraint("agency_id", "id", name="pk_manual_wish"),
        sa.UniqueConstraint("agency_id", "plan_id", "account_id", name="uq_manual_wish_agency_id_plan_id_account_id"),
        schema="office",
    )
    for table in ("plan_change", "manual_wish"):
        op.execute(f"CALL public.protect('office.{table}')")


def _refers(table: str, column: str, other: str, **options: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["agency_id", column],
        [f"office.{other}.agency_id", f"office.{other}.id"],
        name=f"fk_{table}_agency_id_{column}",
        **options,
    )


def downgrade() -> None:
    op.drop_table("manual_wish", schema="office")
    op.drop_table("plan_change", schema="office")
    op.drop_column("plan", "version", schema="office")
