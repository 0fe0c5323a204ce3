"""How a creditor's letters look, the pictures on them, the day of a contract, and letters that another one took over.

Adds columns that are empty or have constant defaults: an ACCESS EXCLUSIVE lock on account, creditor and letter for a
moment, no table is written anew. The unique key of letters becomes an index over those that stand, which reads the
table once while nothing is written to it. The release before it runs on unchanged: it knows no letter that was taken
over, and where one is it keeps the older of the two.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0019"
branch_labels = None
depends_on = None

KEY = "uq_letter_agency_id_visit_id_account_id_person_id_kind"
KEY_COLUMNS = ["agency_id", "visit_id", "account_id", "person_id", "kind"]


def upgrade() -> None:
    op.execute("ALTER TABLE office.account ADD COLUMN contract_on date")
    op.execute("ALTER TABLE office.creditor ADD COLUMN brand jsonb DEFAULT '{}'::jsonb NOT NULL")
    op.execute("ALTER TABLE office.letter ADD COLUMN superseded_at timestamptz")
    op.drop_constraint(KEY, "letter", schema="office")
    op.create_index(
        "uq_letter_standing",
        "letter",
        KEY_COLUMNS,
        unique=True,
        schema="office",
        postgresql_where=sa.text("superseded_at IS NULL"),
    )
    op.create_table(
        "brand_image",
        sa.Column("agency_id", sa.Uuid, nullable=False),
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("creditor_id", sa.Uuid, nullable=False),
        sa.Column("sha256", sa.LargeBinary, nullable=False),
        sa.Column("form", sa.Text, nullable=False),
        sa.Column("object_key", sa.Text, nullable=False),
        sa.Column("length_bytes", sa.Integer, nullable=False),
        sa.Column("added_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("agency_id", "id", name="pk_brand_image"),
        sa.UniqueConstraint(
            "agency_id", "creditor_id", "sha256", name="uq_brand_image_agency_id_creditor_id_sha256"
        ),
        sa.ForeignKeyConstraint(
            ["agency_id", "creditor_id"],
            ["office.creditor.agency_id", "office.creditor.id"],
            name="fk_brand_image_agency_id_creditor_id",
        ),
        schema="office",
    )
    op.execute("CALL public.protect('office.brand_image')")


def downgrade() -> None:
    """Letters that were taken over go: the key of the release before has room for one of each kind alone."""
    op.drop_table("brand_image", schema="office")
    _force("NO FORCE", "letter", "letter_custody")
    superseded = "SELECT id FROM office.letter WHERE superseded_at IS NOT NULL"
    op.execute(f"DELETE FROM office.letter_custody WHERE letter_id IN ({superseded})")
    op.execute("DELETE FROM office.letter WHERE superseded_at IS NOT NULL")
    _force("FORCE", "letter", "letter_custody")
    op.drop_index("uq_letter_standing", "letter", schema="office")
    op.create_unique_constraint(KEY, "letter", KEY_COLUMNS, schema="office")
    op.drop_column("letter", "superseded_at", schema="office")
    op.drop_column("creditor", "brand", schema="office")
    op.drop_column("account", "contract_on", schema="office")


def _force(how: str, *tables: str) -> None:
    """`NO FORCE` for a moment: row security binds an owner that is no superuser, and no row would be changed."""
    for table in tables:
        op.execute(f"ALTER TABLE office.{table} {how} ROW LEVEL SECURITY")
