"""A wipe order carries the certificates it is verified with, and a change that phones must learn wakes the worker.

Adds a column with a constant default under a short ACCESS EXCLUSIVE lock on wipe_order, and a statement trigger on
change (SHARE ROW EXCLUSIVE lock). The release before it runs on unchanged: it leaves the column at its default, and is
woken without knowing why.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

WAKE = """
CREATE FUNCTION office.tell_of_changes() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('doorstep_change', '');
    RETURN NULL;
END $$;
CREATE TRIGGER tell_of_changes AFTER INSERT ON office.change
    FOR EACH STATEMENT EXECUTE FUNCTION office.tell_of_changes();
"""


def upgrade() -> None:
    keys = sa.Column("keys", JSONB(), server_default=sa.text("'{}'::jsonb"), nullable=False)
    op.add_column("wipe_order", keys, schema="mailbox")
    op.execute(WAKE)


def downgrade() -> None:
    op.execute("DROP TRIGGER tell_of_changes ON office.change")
    op.execute("DROP FUNCTION office.tell_of_changes()")
    op.drop_column("wipe_order", "keys", schema="mailbox")
