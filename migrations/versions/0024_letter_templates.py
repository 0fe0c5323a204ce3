"""Creditors' own letter templates in immutable versions, the house's as they were, and what laid out each letter.

Adds two tables and three columns that may be null: an ACCESS EXCLUSIVE lock on letter for a moment, no table is written
anew. The release before it runs on unchanged: what it issues names no template, and cannot be made again by the new one.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0024"
down_revision = "0025"
branch_labels = None
depends_on = None

STAYS = """
CREATE FUNCTION office.letter_template_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (NEW.creditor_id, NEW.version, NEW.kinds, NEW.languages, NEW.sha256, NEW.source, NEW.created_at, NEW.created_by)
        IS DISTINCT FROM
       (OLD.creditor_id, OLD.version, OLD.kinds, OLD.languages, OLD.sha256, OLD.source, OLD.created_at, OLD.created_by)
    THEN
        RAISE EXCEPTION 'a version of a letter template is never changed' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$
"""


def upgrade() -> None:
    op.create_table(
        "letter_template",
        sa.Column("agency_id", sa.Uuid, nullable=False),
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("creditor_id", sa.Uuid, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("kinds", postgresql.ARRAY(sa.Text), nullable=False),
        sa.Column("languages", postgresql.ARRAY(sa.Text), nullable=False),
        sa.Column("sha256", sa.LargeBinary, nullable=False),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.Text, nullable=False),
        sa.Column("state_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("state_by", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("agency_id", "id", name="pk_letter_template"),
        sa.UniqueConstraint(
            "agency_id", "creditor_id", "version", name="uq_letter_template_agency_id_creditor_id_version"
        ),
        sa.ForeignKeyConstraint(
            ["agency_id", "creditor_id"],
            ["office.creditor.agency_id", "office.creditor.id"],
            name="fk_letter_template_agency_id_creditor_id",
        ),
        schema="office",
    )
    op.create_table(
        "letter_house",
        sa.Column("agency_id", sa.Uuid, nullable=False),
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("sha256", sa.LargeBinary, nullable=False),
        sa.Column("typst_version", sa.Text, nullable=False),
        sa.Column("object_key", sa.Text, nullable=False),
        sa.Column("first_used_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("agency_id", "id", name="pk_letter_house"),
        sa.UniqueConstraint("agency_id", "sha256", name="uq_letter_house_agency_id_sha256"),
        schema="office",
    )
    op.execute(
        "ALTER TABLE office.letter ADD COLUMN template_sha256 bytea, ADD COLUMN house_sha256 bytea,"
        " ADD COLUMN pdf_sha256 bytea"
    )
    op.execute(STAYS)
    op.execute(
        "CREATE TRIGGER stays BEFORE UPDATE ON office.letter_template FOR EACH ROW"
        " EXECUTE FUNCTION office.letter_template_stays()"
    )
    op.execute("CALL public.protect('office.letter_template')")
    op.execute("CALL public.protect('office.letter_house')")


def downgrade() -> None:
    """Letters stay as they are laid out; by what is forgotten."""
    op.drop_table("letter_template", schema="office")
    op.drop_table("letter_house", schema="office")
    op.execute("DROP FUNCTION office.letter_template_stays()")
    for column in ("template_sha256", "house_sha256", "pdf_sha256"):
        op.drop_column("letter", column, schema="office")
