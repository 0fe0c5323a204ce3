"""Tables of sync: enrolment, inbox, feed, snapshots, the log; what the door may touch of them, column by column.

Creates only; takes no lock on anything that exists but the two tables that get a trigger.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

MAILBOX = (
    "enrolment", "enrolment_claim", "inbox", "quarantine", "feed_head", "feed_item", "sheet_key", "snapshot",
    "snapshot_request", "durable", "wipe_order", "log_node", "checkpoint",
)
OFFICE = ("enrolment_secret", "log_entry")

# What the door needs and no more: it inserts what came, reads what it serves, changes and deletes nothing, and reads
# back neither operations nor the office's copies of keys.
DOOR = {
    "enrolment": "SELECT (agency_id, id, hash, expires_at, answer, answer_mac)",
    "enrolment_claim": "SELECT (agency_id, enrolment_id, position, sha256),"
    " INSERT (agency_id, enrolment_id, position, sha256, request, mac, received_at)",
    "inbox": "SELECT (agency_id, device_id, op_id, seq, link, receipt, receipt_sig),"
    " INSERT (agency_id, device_id, op_id, seq, protected, ct, sig, link, receipt, receipt_sig, received_at)",
    "quarantine": "SELECT (agency_id, device_id, sha256, receipt, receipt_sig),"
    " INSERT (agency_id, device_id, sha256, id, raw, status, reason, op_id, seq, receipt, receipt_sig, received_at)",
    "feed_item": "SELECT",
    "sheet_key": "SELECT (agency_id, device_id, id, statement, sig)",
    "snapshot": "SELECT",
    "snapshot_request": "SELECT (agency_id, device_id), INSERT (agency_id, device_id)",
    "durable": "SELECT",
    "wipe_order": "SELECT",
    "log_node": "SELECT",
    "checkpoint": "SELECT",
}

# Staff decisions enter the log in their own transaction, whoever takes them: nothing has to remember it.
LOG_DECISIONS = """
CREATE FUNCTION office.log_visit_event() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO office.log_entry (agency_id, kind, at, ref) VALUES (NEW.agency_id, 'decision', NEW.at, 'visit_event/' || NEW.id);
    RETURN NULL;
END $$;
CREATE TRIGGER log_decision AFTER INSERT ON office.visit_event FOR EACH ROW
    WHEN (NEW.actor LIKE 'staff:%') EXECUTE FUNCTION office.log_visit_event();
CREATE FUNCTION office.log_hold() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO office.log_entry (agency_id, kind, at, ref)
    VALUES (NEW.agency_id, 'decision', coalesce(NEW.lifted_at, NEW.placed_at),
            CASE WHEN NEW.lifted_at IS NULL THEN 'hold/' ELSE 'hold_lifted/' END || NEW.id);
    RETURN NULL;
END $$;
CREATE TRIGGER log_placed AFTER INSERT ON office.hold FOR EACH ROW
    WHEN (NEW.placed_by IS NOT NULL) EXECUTE FUNCTION office.log_hold();
CREATE TRIGGER log_lifted AFTER UPDATE OF lifted_at ON office.hold FOR EACH ROW
    WHEN (OLD.lifted_at IS NULL AND NEW.lifted_at IS NOT NULL) EXECUTE FUNCTION office.log_hold();
"""


def upgrade() -> None:
    op.create_table('checkpoint',
    sa.Column('agency_id', sa.Uuid(), nullable=False),
    sa.Column('size', sa.BigInteger(), nullable=False),
    sa.Column('root', sa.LargeBinary(), nullable=False),
    sa.Column('statement', sa.LargeBinary(), nullable=False),
    sa.Column('sig', sa.LargeBinary(), nullable=False),
    sa.PrimaryKeyConstraint('agency_id', 'size', name=op.f('pk_checkpoint')),
    schema='mailbox'
    )
    op.create_table('enrolment',
    sa.Column('agency_id', sa.Uuid(), nullable=False),
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('hash', sa.LargeBinary(), nullable=False),
    sa.Column('expires_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('answer', sa.LargeBinary(), nullable=True),
    sa.Column('answer_mac', sa.LargeBinary(), nullable=True),
    sa.Column('device_id', sa.Uuid(), nullable=True),
    sa.PrimaryKeyConstraint('agency_id', 'id', name=op.f('pk_enrolment')),
    sa.UniqueConstraint('hash', name=op.f('uq_enrolment_hash')),
    schema='mailbox'
    )
    op.create_table('log_node',
    sa.Column('agency_id', sa.Uuid(), nullable=False),
    sa.Column('level', sa.Integer(), nullable=False),
    sa.Column('position', sa.BigInteger(), nullable=False),
    sa.Column('hash', sa.LargeBinary(), nullable=False),
    sa.PrimaryKeyConstraint('agency_id', 'level', 'position', name=op.f('pk_log_node')),
    schema='mailbox'
    )
    op.create_table('log_entry',
    sa.Column('agency_id', sa.Uuid(), nullable=False),
    sa.Column('id', sa.BigInteger(), sa.Identity(always=True), nullable=False),
    sa.Column('kind', sa.Text(), nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('ref', sa.Text(), nullable=False),
    sa.Column('payload_sha256', sa.LargeBinary(), nullable=True),
    sa.Column('detail', postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'::jsonb"), nullable=False),
    sa.Column('salt', sa.LargeBinary(), nullable=True),
    sa.Column('leaf', sa.LargeBinary(), nullable=True),
    sa.Column('number', sa.BigInteger(), nullable=True),
    sa.PrimaryKeyConstraint('agency_id', 'id', name=op.f('pk_log_entry')),
    sa.UniqueConstraint('agency_id', 'number', name=op.f('uq_log_entry_agency_id_number')),
    schema='office'
    )
    op.create_index('ix_log_entry_waiting', 'log_entry', ['agency_id', 'id'], unique=False, schema='office', postgresql_where=sa.text('number IS NULL'))
    op.create_table('durable',
    sa.Column('agency_id', sa.Uuid(), nullable=False),
    sa.Column('device_id', sa.Uuid(), nullable=False),
    sa.Column('durable_seq', sa.BigInteger(), nullable=False),
    sa.Column('statement', sa.LargeBinary(), nullable=False),
    sa.Column('sig', sa.LargeBinary(), nullable=False),
    sa.ForeignKeyConstraint(['agency_id', 'device_id'], ['mailbox.device.agency_id', 'mailbox.device.id'], name=op.f('fk_durable_agency_id_device_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('agency_id', 'device_id', name=op.f('pk_durable')),
    schema='mailbox'
    )
    op.create_table('enrolment_claim',
    sa.Column('agency_id', sa.Uuid(), nullable=False),
    sa.Column('enrolment_id', sa.Uuid(), nullable=False),
    sa.Column('position', sa.Integer(), nullable=False),
    sa.Column('sha256', sa.LargeBinary(), nullable=False),
    sa.Column('request', sa.LargeBinary(), nullable=False),
    sa.Column('mac', sa.LargeBinary(), nullable=False),
    sa.Column('received_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('checked_at', sa.DateTime(timezone=True), nullable=True),
    sa.CheckConstraint('position BETWEEN 1 AND 5', name=op.f('ck_enrolment_claim_few')),
    sa.ForeignKeyConstraint(['agency_id', 'enrolment_id'], ['mailbox.enrolment.agency_id', 'mailbox.enrolment.id'], name=op.f('fk_enrolment_claim_agency_id_enrolment_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('agency_id', 'enrolment_id', 'position', name=op.f('pk_enrolment_claim')),
    sa.UniqueConstraint('agency_id', 'enrolment_id', 'sha256', name=op.f('uq_enrolment_claim_agency_id_enrolment_id_sha256')),
    schema='mailbox'
    )
    op.create_table('feed_head',
    sa.Column('agency_id', sa.Uuid(), nullable=False),
    sa.Column('device_id', sa.Uuid(), nullable=False),
    sa.Column('epoch', sa.Integer(), nullable=False),
    sa.Column('seq', sa.BigInteger(), nullable=False),
    sa.Column('roll', sa.LargeBinary(), nullable=False),
    sa.ForeignKeyConstraint(['agency_id', 'device_id'], ['mailbox.device.agency_id', 'mailbox.device.id'], name=op.f('fk_feed_head_agency_id_device_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('agency_id', 'device_id', name=op.f('pk_feed_head')),
    schema='mailbox'
    )
    op.create_table('feed_item',
    sa.Column('agency_id', sa.Uuid(), nullable=False),
    sa.Column('device_id', sa.Uuid(), nullable=False),
    sa.Column('epoch', sa.Integer(), nullable=False),
    sa.Column('seq', sa.BigInteger(), nullable=False),
    sa.Column('head', sa.LargeBinary(), nullable=False),
    sa.Column('ct', sa.LargeBinary(), nullable=False),
    sa.Column('sig', sa.LargeBinary(), nullable=False),
    sa.Column('roll', sa.LargeBinary(), nullable=False),
    sa.Column('sheet_key', sa.Text(), nullable=False),
    sa.ForeignKeyConstraint(['agency_id', 'device_id'], ['mailbox.device.agency_id', 'mailbox.device.id'], name=op.f('fk_feed_item_agency_id_device_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('agency_id', 'device_id', 'epoch', 'seq', name=op.f('pk_feed_item')),
    schema='mailbox'
    )
    op.create_table('inbox',
    sa.Column('agency_id', sa.Uuid(), nullable=False),
    sa.Column('device_id', sa.Uuid(), nullable=False),
    sa.Column('op_id', sa.Uuid(), nullable=False),
    sa.Column('seq', sa.BigInteger(), nullable=False),
    sa.Column('protected', sa.LargeBinary(), nullable=False),
    sa.Column('ct', sa.LargeBinary(), nullable=False),
    sa.Column('sig', sa.LargeBinary(), nullable=False),
    sa.Column('link', sa.LargeBinary(), nullable=False),
    sa.Column('receipt', sa.LargeBinary(), nullable=False),
    sa.Column('receipt_sig', sa.LargeBinary(), nullable=False),
    sa.Column('received_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('state', sa.Text(), server_default='received', nullable=False),
    sa.Column('reason', sa.Text(), nullable=True),
    sa.Column('incident', sa.Text(), nullable=True),
    sa.Column('flags', postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'[]'::jsonb"), nullable=False),
    sa.Column('waits_for', postgresql.ARRAY(sa.Uuid()), server_default=sa.text("'{}'::uuid[]"), nullable=False),
    sa.Column('decided_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('logged', sa.Boolean(), server_default=sa.text('false'), nullable=False),
    sa.ForeignKeyConstraint(['agency_id', 'device_id'], ['mailbox.device.agency_id', 'mailbox.device.id'], name=op.f('fk_inbox_agency_id_device_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('agency_id', 'device_id', 'op_id', name=op.f('pk_inbox')),
    schema='mailbox'
    )
    op.create_index('ix_inbox_held', 'inbox', ['agency_id', 'device_id'], unique=False, schema='mailbox', postgresql_where=sa.text("state = 'held'"))
    op.create_index('ix_inbox_quarantined', 'inbox', ['agency_id', 'received_at'], unique=False, schema='mailbox', postgresql_where=sa.text("state = 'quarantined'"))
    op.create_index('ix_inbox_received', 'inbox', ['agency_id', 'device_id', 'seq'], unique=False, schema='mailbox', postgresql_where=sa.text("state = 'received'"))
    op.create_index('ix_inbox_seq', 'inbox', ['agency_id', 'device_id', 'seq'], unique=False, schema='mailbox')
    op.create_index('ix_inbox_unlogged', 'inbox', ['agency_id', 'received_at'], unique=False, schema='mailbox', postgresql_where=sa.text('NOT logged'))
    op.create_table('quarantine',
    sa.Column('agency_id', sa.Uuid(), nullable=False),
    sa.Column('device_id', sa.Uuid(), nullable=False),
    sa.Column('sha256', sa.LargeBinary(), nullable=False),
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('raw', sa.LargeBinary(), nullable=False),
    sa.Column('status', sa.Text(), nullable=False),
    sa.Column('reason', sa.Text(), nullable=False),
    sa.Column('op_id', sa.Uuid(), nullable=True),
    sa.Column('seq', sa.BigInteger(), nullable=True),
    sa.Column('receipt', sa.LargeBinary(), nullable=False),
    sa.Column('receipt_sig', sa.LargeBinary(), nullable=False),
    sa.Column('received_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('logged', sa.Boolean(), server_default=sa.text('false'), nullable=False),
    sa.ForeignKeyConstraint(['agency_id', 'device_id'], ['mailbox.device.agency_id', 'mailbox.device.id'], name=op.f('fk_quarantine_agency_id_device_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('agency_id', 'device_id', 'sha256', name=op.f('pk_quarantine')),
    schema='mailbox'
    )
    op.create_index('ix_quarantine_unlogged', 'quarantine', ['agency_id', 'received_at'], unique=False, schema='mailbox', postgresql_where=sa.text('NOT logged'))
    op.create_table('sheet_key',
    sa.Column('agency_id', sa.Uuid(), nullable=False),
    sa.Column('device_id', sa.Uuid(), nullable=False),
    sa.Column('id', sa.Text(), nullable=False),
    sa.Column('day', sa.Date(), nullable=False),
    sa.Column('statement', sa.LargeBinary(), nullable=False),
    sa.Column('sig', sa.LargeBinary(), nullable=False),
    sa.Column('sealed', sa.LargeBinary(), nullable=False),
    sa.ForeignKeyConstraint(['agency_id', 'device_id'], ['mailbox.device.agency_id', 'mailbox.device.id'], name=op.f('fk_sheet_key_agency_id_device_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('agency_id', 'device_id', 'id', name=op.f('pk_sheet_key')),
    sa.UniqueConstraint('agency_id', 'device_id', 'day', name=op.f('uq_sheet_key_agency_id_device_id_day')),
    schema='mailbox'
    )
    op.create_table('snapshot',
    sa.Column('agency_id', sa.Uuid(), nullable=False),
    sa.Column('device_id', sa.Uuid(), nullable=False),
    sa.Column('epoch', sa.Integer(), nullable=False),
    sa.Column('seq', sa.BigInteger(), nullable=False),
    sa.Column('body', sa.LargeBinary(), nullable=False),
    sa.Column('sha256', sa.LargeBinary(), nullable=False),
    sa.Column('built_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['agency_id', 'device_id'], ['mailbox.device.agency_id', 'mailbox.device.id'], name=op.f('fk_snapshot_agency_id_device_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('agency_id', 'device_id', 'epoch', 'seq', name=op.f('pk_snapshot')),
    schema='mailbox'
    )
    op.create_table('snapshot_request',
    sa.Column('agency_id', sa.Uuid(), nullable=False),
    sa.Column('device_id', sa.Uuid(), nullable=False),
    sa.Column('requested_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.ForeignKeyConstraint(['agency_id', 'device_id'], ['mailbox.device.agency_id', 'mailbox.device.id'], name=op.f('fk_snapshot_request_agency_id_device_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('agency_id', 'device_id', name=op.f('pk_snapshot_request')),
    schema='mailbox'
    )
    op.create_table('wipe_order',
    sa.Column('agency_id', sa.Uuid(), nullable=False),
    sa.Column('device_id', sa.Uuid(), nullable=False),
    sa.Column('statement', sa.LargeBinary(), nullable=False),
    sa.Column('sig', sa.LargeBinary(), nullable=False),
    sa.Column('ordered_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['agency_id', 'device_id'], ['mailbox.device.agency_id', 'mailbox.device.id'], name=op.f('fk_wipe_order_agency_id_device_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('agency_id', 'device_id', name=op.f('pk_wipe_order')),
    schema='mailbox'
    )
    op.create_table('enrolment_secret',
    sa.Column('agent_id', sa.Uuid(), nullable=False),
    sa.Column('sealed', sa.LargeBinary(), nullable=True),
    sa.Column('issued_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('issued_by', sa.Uuid(), nullable=True),
    sa.Column('expires_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('agency_id', sa.Uuid(), nullable=False),
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.ForeignKeyConstraint(['agency_id', 'agent_id'], ['office.agent.agency_id', 'office.agent.id'], name=op.f('fk_enrolment_secret_agency_id_agent_id')),
    sa.PrimaryKeyConstraint('agency_id', 'id', name=op.f('pk_enrolment_secret')),
    schema='office'
    )
    op.create_index('ix_enrolment_secret_open', 'enrolment_secret', ['agency_id', 'expires_at'], unique=False, schema='office', postgresql_where=sa.text('sealed IS NOT NULL'))
    for table in MAILBOX:
        op.execute(f"CALL public.protect('mailbox.{table}')")
    for table in OFFICE:
        op.execute(f"CALL public.protect('office.{table}')")
    for table, grant in DOOR.items():
        op.execute(f"GRANT {grant} ON mailbox.{table} TO doorstep_door")
    # A phone that enrols knows a hash, later an id, before anybody knows its agency: it may see that one row.
    op.execute(
        "CREATE POLICY enrolling ON mailbox.enrolment FOR SELECT USING ("
        "hash = decode(NULLIF(current_setting('doorstep.enrolment_hash', true), ''), 'hex')"
        " OR id = NULLIF(current_setting('doorstep.enrolment_id', true), '')::uuid)"
    )
    # Snapshots are read in ranges: stored without compression, a range touches only its own pages.
    op.execute("ALTER TABLE mailbox.snapshot ALTER COLUMN body SET STORAGE EXTERNAL")
    op.execute(LOG_DECISIONS)


def downgrade() -> None:
    op.execute("DROP TRIGGER log_decision ON office.visit_event")
    op.execute("DROP TRIGGER log_placed ON office.hold")
    op.execute("DROP TRIGGER log_lifted ON office.hold")
    op.execute("DROP FUNCTION office.log_visit_event()")
    op.execute("DROP FUNCTION office.log_hold()")
    for table in OFFICE:
        op.drop_table(table, schema="office")
    for table in ("enrolment_claim", *(name for name in MAILBOX if name != "enrolment_claim")):
        op.drop_table(table, schema="mailbox")
