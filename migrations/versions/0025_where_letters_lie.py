"""Whose stack a letter's paper lies in, and indexes that find what the office must look after.

Adds columns that may be null and a foreign key that is checked apart: an ACCESS EXCLUSIVE lock on letter, visit, stop,
route and plan for a moment. The indexes read the table while nothing is written to it. Printed letters get the place
that their visits have. The release before it runs on unchanged: what it prints lies in no stack, as what was printed
long ago.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0023"
branch_labels = None
depends_on = None

STATE = "ix_letter_state"
TO_POST = (
    "state IN ('wanted', 'issued', 'printed') AND stack_on IS NULL"
    " AND kind IN ('dispute_acknowledgement', 'payment_plan', 'promise_confirmation')"
)
AGENT = "fk_letter_agency_id_stack_agent_id"
READ = ("letter", "visit", "stop", "route", "plan")


def upgrade() -> None:
    op.execute(
        "ALTER TABLE office.letter ADD COLUMN stack_agent_id uuid, ADD COLUMN stack_on date, ADD COLUMN stack_stop int"
    )
    op.execute(
        f"ALTER TABLE office.letter ADD CONSTRAINT {AGENT} FOREIGN KEY (agency_id, stack_agent_id)"
        " REFERENCES office.agent (agency_id, id) NOT VALID"
    )
    op.execute(f"ALTER TABLE office.letter VALIDATE CONSTRAINT {AGENT}")
    _force("NO FORCE", *READ)
    op.execute("""
        UPDATE office.letter AS l SET stack_agent_id = v.agent_id, stack_on = p.for_day, stack_stop = s.position
        FROM office.visit v, office.stop s, office.route r, office.plan p
        WHERE l.state = 'printed' AND v.agency_id = l.agency_id AND v.id = l.visit_id
          AND s.agency_id = v.agency_id AND s.id = v.stop_id AND r.agency_id = s.agency_id AND r.id = s.route_id
          AND p.agency_id = r.agency_id AND p.id = r.plan_id
    """)
    _force("FORCE", *READ)
    op.drop_index(STATE, "letter", schema="office")
    op.create_index(STATE, "letter", ["agency_id", "state", "id"], schema="office")
    op.create_index(
        "ix_letter_stack",
        "letter",
        ["agency_id", "stack_on", "stack_agent_id", "stack_stop", "id"],
        schema="office",
        postgresql_where=sa.text("stack_on IS NOT NULL"),
    )
    op.create_index(
        "ix_letter_in_office",
        "letter",
        ["agency_id", "id"],
        schema="office",
        postgresql_where=sa.text("state IN ('returned', 'pulled') AND stack_on IS NULL"),
    )
    op.create_index(
        "ix_letter_to_post",
        "letter",
        ["agency_id", "id"],
        schema="office",
        postgresql_where=sa.text(TO_POST),
    )


def downgrade() -> None:
    """States that the release before does not know become those that it does."""
    op.drop_index("ix_letter_to_post", "letter", schema="office")
    op.drop_index("ix_letter_in_office", "letter", schema="office")
    op.drop_index("ix_letter_stack", "letter", schema="office")
    op.drop_index(STATE, "letter", schema="office")
    op.create_index(STATE, "letter", ["agency_id", "state"], schema="office")
    _force("NO FORCE", "letter")
    op.execute("UPDATE office.letter SET state = 'returned' WHERE state IN ('pulled', 'posted', 'lost')")
    _force("FORCE", "letter")
    for column in ("stack_stop", "stack_on", "stack_agent_id"):
        op.drop_column("letter", column, schema="office")


def _force(how: str, *tables: str) -> None:
    """`NO FORCE` for a moment: row security binds an owner that is no superuser, and no row would be changed."""
    for table in tables:
        op.execute(f"ALTER TABLE office.{table} {how} ROW LEVEL SECURITY")
