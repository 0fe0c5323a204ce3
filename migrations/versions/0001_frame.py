"""The first tables: agency, accounts, people, planning, visits, results, staff, changes, devices; roles and row security.

Creates only; takes no lock on anything that exists.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

PROTECT = """
CREATE PROCEDURE public.protect(target regclass) LANGUAGE plpgsql AS $$
BEGIN
    -- Forced: the owner of a table is bound as well. An unset or empty agency matches no row (settings read back as '').
    EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', target);
    EXECUTE format('ALTER TABLE %s FORCE ROW LEVEL SECURITY', target);
    EXECUTE format('CREATE POLICY tenant ON %s USING (agency_id = NULLIF(current_setting(%L, true), %L)::uuid)', target, 'doorstep.agency', '');
    EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE, MAINTAIN ON %s TO doorstep_office', target);
END $$
"""


def upgrade() -> None:
    op.execute("CREATE SCHEMA office")
    op.execute("CREATE SCHEMA mailbox")
    op.execute("GRANT USAGE ON SCHEMA office TO doorstep_office")
    op.execute("GRANT USAGE ON SCHEMA mailbox TO doorstep_office, doorstep_door")
    op.execute("GRANT SELECT ON public.alembic_version TO doorstep_office, doorstep_door")
    op.execute(PROTECT)
    op.create_table('device',
    sa.Column('agency_id', sa.Uuid(), nullable=False),
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('agent_id', sa.Uuid(), nullable=False),
    sa.Column('state', sa.Text(), nullable=False),
    sa.Column('epoch', sa.Integer(), nullable=False),
    sa.Column('signing_public', sa.LargeBinary(), nullable=False),
    sa.Column('sealing_public', sa.LargeBinary(), nullable=False),
    sa.Column('enrolled_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('revoked_at', sa.DateTime(timezone=True), nullable=True),
    sa.PrimaryKeyConstraint('agency_id', 'id', name=op.f('pk_device')),
    schema='mailbox'
    )
    op.create_index('ix_device_agent', 'device', ['agency_id', 'agent_id'], unique=False, schema='mailbox')
    op.create_table('agency',
    sa.Column('agency_id', sa.Uuid(), nullable=False),
    sa.Column('name', sa.Text(), nullable=False),
    sa.Column('address', sa.Text(), nullable=False),
    sa.Column('phone', sa.Text(), nullable=False),
    sa.Column('email', sa.Text(), nullable=False),
    sa.Column('policy', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.PrimaryKeyConstraint('agency_id', name=op.f('pk_agency')),
    schema='office'
    )
    op.create_table('agent',
    sa.Column('code', sa.Text(), nullable=False),
    sa.Column('name', sa.Text(), nullable=False),
    sa.Column('territory', sa.Text(), nullable=False),
    sa.Column('languages', postgresql.ARRAY(sa.Text()), nullable=False),
    sa.Column('timezone', sa.Text(), nullable=False),
    sa.Column('active', sa.Boolean(), nullable=False),
    sa.Column('staff_id', sa.Uuid(), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('agency_id', sa.Uuid(), nullable=False),
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.PrimaryKeyConstraint('agency_id', 'id', name=op.f('pk_agent')),
    sa.UniqueConstraint('agency_id', 'code', name=op.f('uq_agent_agency_id_code')),
    schema='office'
    )
    op.create_table('api_token',
    sa.Column('name', sa.Text(), nullable=False),
    sa.Column('token_sha256', sa.LargeBinary(), nullable=False),
    sa.Column('permissions', postgresql.ARRAY(sa.Text()), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('last_used_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('revoked_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('agency_id', sa.Uuid(), nullable=False),
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.PrimaryKeyConstraint('agency_id', 'id', name=op.f('pk_api_token')),
    schema='office'
    )
    op.create_table('attempt_head',
    sa.Column('agency_id', sa.Uuid(), nullable=False),
    sa.Column('last_number', sa.Integer(), nullable=False),
    sa.PrimaryKeyConstraint('agency_id', name=op.f('pk_attempt_head')),
    schema='office'
    )
    op.create_table('change',
    sa.Column('agency_id', sa.Uuid(), nullable=False),
    sa.Column('id', sa.BigInteger(), sa.Identity(always=True), nullable=False),
    sa.Column('agent_id', sa.Uuid(), nullable=False),
    sa.Column('kind', sa.Text(), nullable=False),
    sa.Column('ref', sa.Uuid(), nullable=False),
    sa.Column('urgent', sa.Boolean(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.PrimaryKeyConstraint('agency_id', 'id', name=op.f('pk_change')),
    schema='office'
    )
    op.create_index('ix_change_agent', 'change', ['agency_id', 'agent_id', 'id'], unique=False, schema='office')
    op.create_table('creditor',
    sa.Column('name', sa.Text(), nullable=False),
    sa.Column('jurisdiction', sa.Text(), nullable=False),
    sa.Column('sector', sa.Text(), nullable=False),
    sa.Column('currency', sa.Text(), nullable=False),
    sa.Column('threshold_minor', sa.Integer(), nullable=False),
    sa.Column('language', sa.Text(), nullable=False),
    sa.Column('address', sa.Text(), nullable=False),
    sa.Column('phone', sa.Text(), nullable=False),
    sa.Column('complaints_unit', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('payment_ways', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('column_map', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('agency_id', sa.Uuid(), nullable=False),
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.PrimaryKeyConstraint('agency_id', 'id', name=op.f('pk_creditor')),
    sa.UniqueConstraint('agency_id', 'name', name=op.f('uq_creditor_agency_id_name')),
    schema='office'
    )
    op.create_table('idempotency_key',
    sa.Column('actor_id', sa.Uuid(), nullable=False),
    sa.Column('route', sa.Text(), nullable=False),
    sa.Column('key', sa.Text(), nullable=False),
    sa.Column('request_sha256', sa.LargeBinary(), nullable=False),
    sa.Column('status', sa.Integer(), nullable=False),
    sa.Column('body', sa.LargeBinary(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('agency_id', sa.Uuid(), nullable=False),
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.PrimaryKeyConstraint('agency_id', 'id', name=op.f('pk_idempotency_key')),
    sa.UniqueConstraint('agency_id', 'actor_id', 'route', 'key', name=op.f('uq_idempotency_key_agency_id_actor_id_route_key')),
    schema='office'
    )
    op.create_table('plan',
    sa.Column('for_day', sa.Date(), nullable=False),
    sa.Column('state', sa.Text(), nullable=False),
    sa.Column('solver', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('created_by', sa.Uuid(), nullable=True),
    sa.Column('published_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('published_by', sa.Uuid(), nullable=True),
    sa.Column('agency_id', sa.Uuid(), nullable=False),
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.PrimaryKeyConstraint('agency_id', 'id', name=op.f('pk_plan')),
    schema='office'
    )
    op.create_index('ix_plan_day', 'plan', ['agency_id', 'for_day'], unique=False, schema='office')
    op.create_table('absence',
    sa.Column('agent_id', sa.Uuid(), nullable=False),
    sa.Column('first_day', sa.Date(), nullable=False),
    sa.Column('last_day', sa.Date(), nullable=False),
    sa.Column('reason', sa.Text(), nullable=False),
    sa.Column('agency_id', sa.Uuid(), nullable=False),
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.ForeignKeyConstraint(['agency_id', 'agent_id'], ['office.agent.agency_id', 'office.agent.id'], name=op.f('fk_absence_agency_id_agent_id')),
    sa.PrimaryKeyConstraint('agency_id', 'id', name=op.f('pk_absence')),
    schema='office'
    )
    op.create_table('account',
    sa.Column('creditor_id', sa.Uuid(), nullable=False),
    sa.Column('reference', sa.Text(), nullable=False),
    sa.Column('product', sa.Text(), nullable=False),
    sa.Column('original_creditor', sa.Text(), nullable=True),
    sa.Column('currency', sa.Text(), nullable=False),
    sa.Column('principal_minor', sa.BigInteger(), nullable=False),
    sa.Column('interest_minor', sa.BigInteger(), nullable=False),
    sa.Column('fees_minor', sa.BigInteger(), nullable=False),
    sa.Column('balance_minor', sa.BigInteger(), nullable=False),
    sa.Column('balance_calculated_on', sa.Date(), nullable=False),
    sa.Column('due_on', sa.Date(), nullable=False),
    sa.Column('last_payment_on', sa.Date(), nullable=True),
    sa.Column('last_payment_minor', sa.BigInteger(), nullable=True),
    sa.Column('options', sa.LargeBinary(), nullable=True),
    sa.Column('state', sa.Text(), nullable=False),
    sa.Column('closed_reason', sa.Text(), nullable=True),
    sa.Column('placed_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('closed_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.Column('row_fingerprint', sa.LargeBinary(), nullable=True),
    sa.Column('agency_id', sa.Uuid(), nullable=False),
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.ForeignKeyConstraint(['agency_id', 'creditor_id'], ['office.creditor.agency_id', 'office.creditor.id'], name=op.f('fk_account_agency_id_creditor_id')),
    sa.PrimaryKeyConstraint('agency_id', 'id', name=op.f('pk_account')),
    sa.UniqueConstraint('agency_id', 'creditor_id', 'reference', name=op.f('uq_account_agency_id_creditor_id_reference')),
    schema='office'
    )
    op.create_index('ix_account_eligible', 'account', ['agency_id', 'creditor_id', 'balance_minor'], unique=False, schema='office', postgresql_where=sa.text("state = 'placed'"))
    op.create_table('import_file',
    sa.Column('creditor_id', sa.Uuid(), nullable=False),
    sa.Column('sha256', sa.LargeBinary(), nullable=False),
    sa.Column('file_name', sa.Text(), nullable=False),
    sa.Column('rows_total', sa.Integer(), nullable=False),
    sa.Column('rows_imported', sa.Integer(), nullable=False),
    sa.Column('rows_unchanged', sa.Integer(), nullable=False),
    sa.Column('rows_rejected', sa.Integer(), nullable=False),
    sa.Column('errors', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('imported_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('imported_by', sa.Uuid(), nullable=True),
    sa.Column('agency_id', sa.Uuid(), nullable=False),
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.ForeignKeyConstraint(['agency_id', 'creditor_id'], ['office.creditor.agency_id', 'office.creditor.id'], name=op.f('fk_import_file_agency_id_creditor_id')),
    sa.PrimaryKeyConstraint('agency_id', 'id', name=op.f('pk_import_file')),
    sa.UniqueConstraint('agency_id', 'creditor_id', 'sha256', name=op.f('uq_import_file_agency_id_creditor_id_sha256')),
    schema='office'
    )
    op.create_table('person',
    sa.Column('creditor_id', sa.Uuid(), nullable=False),
    sa.Column('external_ref', sa.Text(), nullable=False),
    sa.Column('name', sa.Text(), nullable=False),
    sa.Column('alias', sa.Text(), nullable=True),
    sa.Column('kind', sa.Text(), nullable=False),
    sa.Column('language', sa.Text(), nullable=False),
    sa.Column('is_minor', sa.Boolean(), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('agency_id', sa.Uuid(), nullable=False),
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.ForeignKeyConstraint(['agency_id', 'creditor_id'], ['office.creditor.agency_id', 'office.creditor.id'], name=op.f('fk_person_agency_id_creditor_id')),
    sa.PrimaryKeyConstraint('agency_id', 'id', name=op.f('pk_person')),
    sa.UniqueConstraint('agency_id', 'creditor_id', 'external_ref', name=op.f('uq_person_agency_id_creditor_id_external_ref')),
    schema='office'
    )
    op.create_index('ix_person_name', 'person', ['agency_id', 'name'], unique=False, schema='office')
    op.create_table('route',
    sa.Column('plan_id', sa.Uuid(), nullable=False),
    sa.Column('agent_id', sa.Uuid(), nullable=False),
    sa.Column('starts_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('ends_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('start_latitude', sa.Double(), nullable=False),
    sa.Column('start_longitude', sa.Double(), nullable=False),
    sa.Column('end_latitude', sa.Double(), nullable=False),
    sa.Column('end_longitude', sa.Double(), nullable=False),
    sa.Column('distance_m', sa.Integer(), nullable=False),
    sa.Column('travel_s', sa.Integer(), nullable=False),
    sa.Column('agency_id', sa.Uuid(), nullable=False),
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.ForeignKeyConstraint(['agency_id', 'agent_id'], ['office.agent.agency_id', 'office.agent.id'], name=op.f('fk_route_agency_id_agent_id')),
    sa.ForeignKeyConstraint(['agency_id', 'plan_id'], ['office.plan.agency_id', 'office.plan.id'], name=op.f('fk_route_agency_id_plan_id')),
    sa.PrimaryKeyConstraint('agency_id', 'id', name=op.f('pk_route')),
    sa.UniqueConstraint('agency_id', 'plan_id', 'agent_id', name=op.f('uq_route_agency_id_plan_id_agent_id')),
    schema='office'
    )
    op.create_index('ix_route_agent', 'route', ['agency_id', 'agent_id'], unique=False, schema='office')
    op.create_table('shift',
    sa.Column('agent_id', sa.Uuid(), nullable=False),
    sa.Column('weekday', sa.Integer(), nullable=False),
    sa.Column('starts_at', sa.Time(), nullable=False),
    sa.Column('ends_at', sa.Time(), nullable=False),
    sa.Column('start_latitude', sa.Double(), nullable=False),
    sa.Column('start_longitude', sa.Double(), nullable=False),
    sa.Column('start_label', sa.Text(), nullable=False),
    sa.Column('end_latitude', sa.Double(), nullable=False),
    sa.Column('end_longitude', sa.Double(), nullable=False),
    sa.Column('end_label', sa.Text(), nullable=False),
    sa.Column('agency_id', sa.Uuid(), nullable=False),
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.ForeignKeyConstraint(['agency_id', 'agent_id'], ['office.agent.agency_id', 'office.agent.id'], name=op.f('fk_shift_agency_id_agent_id')),
    sa.PrimaryKeyConstraint('agency_id', 'id', name=op.f('pk_shift')),
    sa.UniqueConstraint('agency_id', 'agent_id', 'weekday', name=op.f('uq_shift_agency_id_agent_id_weekday')),
    schema='office'
    )
    op.create_table('staff',
    sa.Column('email', sa.Text(), nullable=False),
    sa.Column('name', sa.Text(), nullable=False),
    sa.Column('password', sa.Text(), nullable=True),
    sa.Column('active', sa.Boolean(), nullable=False),
    sa.Column('role', sa.Text(), nullable=False),
    sa.Column('creditor_id', sa.Uuid(), nullable=True),
    sa.Column('fs_uniquifier', sa.Text(), nullable=False),
    sa.Column('tf_primary_method', sa.Text(), nullable=True),
    sa.Column('tf_totp_secret', sa.Text(), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('agency_id', sa.Uuid(), nullable=False),
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.ForeignKeyConstraint(['agency_id', 'creditor_id'], ['office.creditor.agency_id', 'office.creditor.id'], name=op.f('fk_staff_agency_id_creditor_id')),
    sa.PrimaryKeyConstraint('agency_id', 'id', name=op.f('pk_staff')),
    sa.UniqueConstraint('email', name=op.f('uq_staff_email')),
    sa.UniqueConstraint('fs_uniquifier', name=op.f('uq_staff_fs_uniquifier')),
    schema='office'
    )
    op.create_table('address',
    sa.Column('person_id', sa.Uuid(), nullable=False),
    sa.Column('kind', sa.Text(), nullable=False),
    sa.Column('street', sa.Text(), nullable=False),
    sa.Column('number', sa.Text(), nullable=True),
    sa.Column('interior', sa.Text(), nullable=True),
    sa.Column('between_1', sa.Text(), nullable=True),
    sa.Column('between_2', sa.Text(), nullable=True),
    sa.Column('neighbourhood', sa.Text(), nullable=True),
    sa.Column('city', sa.Text(), nullable=True),
    sa.Column('municipality', sa.Text(), nullable=True),
    sa.Column('postcode', sa.Text(), nullable=True),
    sa.Column('state', sa.Text(), nullable=True),
    sa.Column('country', sa.Text(), nullable=False),
    sa.Column('hint', sa.Text(), nullable=True),
    sa.Column('latitude', sa.Double(), nullable=True),
    sa.Column('longitude', sa.Double(), nullable=True),
    sa.Column('geocode_state', sa.Text(), nullable=False),
    sa.Column('timezone', sa.Text(), nullable=True),
    sa.Column('jurisdiction', sa.Text(), nullable=False),
    sa.Column('visits_opted_out', sa.Boolean(), nullable=False),
    sa.Column('fingerprint', sa.LargeBinary(), nullable=False),
    sa.Column('source', sa.Text(), nullable=False),
    sa.Column('retired_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('agency_id', sa.Uuid(), nullable=False),
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.ForeignKeyConstraint(['agency_id', 'person_id'], ['office.person.agency_id', 'office.person.id'], name=op.f('fk_address_agency_id_person_id')),
    sa.PrimaryKeyConstraint('agency_id', 'id', name=op.f('pk_address')),
    sa.UniqueConstraint('agency_id', 'person_id', 'fingerprint', name=op.f('uq_address_agency_id_person_id_fingerprint')),
    schema='office'
    )
    op.create_index('ix_address_geocode', 'address', ['agency_id', 'geocode_state'], unique=False, schema='office')
    op.create_table('attempt',
    sa.Column('number', sa.Integer(), nullable=False),
    sa.Column('account_id', sa.Uuid(), nullable=False),
    sa.Column('person_id', sa.Uuid(), nullable=False),
    sa.Column('visit_id', sa.Uuid(), nullable=True),
    sa.Column('op_id', sa.Uuid(), nullable=False),
    sa.Column('agent_id', sa.Uuid(), nullable=True),
    sa.Column('channel', sa.Text(), nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('received_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('outcome', sa.Text(), nullable=False),
    sa.Column('right_party', sa.Boolean(), nullable=False),
    sa.Column('late', sa.Boolean(), nullable=False),
    sa.Column('flags', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('detail', sa.LargeBinary(), nullable=False),
    sa.Column('latitude', sa.Double(), nullable=True),
    sa.Column('longitude', sa.Double(), nullable=True),
    sa.Column('accuracy_m', sa.Double(), nullable=True),
    sa.Column('distance_m', sa.Double(), nullable=True),
    sa.Column('from_paper', sa.Boolean(), nullable=False),
    sa.Column('agency_id', sa.Uuid(), nullable=False),
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.ForeignKeyConstraint(['agency_id', 'account_id'], ['office.account.agency_id', 'office.account.id'], name=op.f('fk_attempt_agency_id_account_id')),
    sa.ForeignKeyConstraint(['agency_id', 'person_id'], ['office.person.agency_id', 'office.person.id'], name=op.f('fk_attempt_agency_id_person_id')),
    sa.PrimaryKeyConstraint('agency_id', 'id', name=op.f('pk_attempt')),
    sa.UniqueConstraint('agency_id', 'number', name=op.f('uq_attempt_agency_id_number')),
    sa.UniqueConstraint('agency_id', 'op_id', 'account_id', name=op.f('uq_attempt_agency_id_op_id_account_id')),
    schema='office'
    )
    op.create_index('ix_attempt_account', 'attempt', ['agency_id', 'account_id', 'at'], unique=False, schema='office')
    op.create_index('ix_attempt_visit', 'attempt', ['agency_id', 'visit_id'], unique=False, schema='office')
    op.create_table('contact_candidate',
    sa.Column('person_id', sa.Uuid(), nullable=False),
    sa.Column('visit_id', sa.Uuid(), nullable=True),
    sa.Column('op_id', sa.Uuid(), nullable=False),
    sa.Column('position', sa.Integer(), nullable=False),
    sa.Column('kind', sa.Text(), nullable=False),
    sa.Column('value', sa.LargeBinary(), nullable=False),
    sa.Column('source', sa.Text(), nullable=False),
    sa.Column('usable', sa.Boolean(), nullable=False),
    sa.Column('flags', sa.Text(), nullable=False),
    sa.Column('state', sa.Text(), nullable=False),
    sa.Column('recorded_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('decided_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('decided_by', sa.Uuid(), nullable=True),
    sa.Column('agency_id', sa.Uuid(), nullable=False),
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.ForeignKeyConstraint(['agency_id', 'person_id'], ['office.person.agency_id', 'office.person.id'], name=op.f('fk_contact_candidate_agency_id_person_id')),
    sa.PrimaryKeyConstraint('agency_id', 'id', name=op.f('pk_contact_candidate')),
    sa.UniqueConstraint('agency_id', 'op_id', 'position', name=op.f('uq_contact_candidate_agency_id_op_id_position')),
    schema='office'
    )
    op.create_index('ix_contact_candidate_state', 'contact_candidate', ['agency_id', 'state', 'recorded_at'], unique=False, schema='office')
    op.create_table('contact_point',
    sa.Column('person_id', sa.Uuid(), nullable=False),
    sa.Column('kind', sa.Text(), nullable=False),
    sa.Column('value', sa.LargeBinary(), nullable=False),
    sa.Column('fingerprint', sa.LargeBinary(), nullable=False),
    sa.Column('source', sa.Text(), nullable=False),
    sa.Column('usable', sa.Boolean(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('agency_id', sa.Uuid(), nullable=False),
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.ForeignKeyConstraint(['agency_id', 'person_id'], ['office.person.agency_id', 'office.person.id'], name=op.f('fk_contact_point_agency_id_person_id')),
    sa.PrimaryKeyConstraint('agency_id', 'id', name=op.f('pk_contact_point')),
    sa.UniqueConstraint('agency_id', 'person_id', 'kind', 'fingerprint', name=op.f('uq_contact_point_agency_id_person_id_kind_fingerprint')),
    schema='office'
    )
    op.create_table('dispute',
    sa.Column('account_id', sa.Uuid(), nullable=False),
    sa.Column('person_id', sa.Uuid(), nullable=False),
    sa.Column('visit_id', sa.Uuid(), nullable=True),
    sa.Column('op_id', sa.Uuid(), nullable=False),
    sa.Column('reason', sa.Text(), nullable=False),
    sa.Column('words', sa.LargeBinary(), nullable=True),
    sa.Column('state', sa.Text(), nullable=False),
    sa.Column('opened_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('agency_id', sa.Uuid(), nullable=False),
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.ForeignKeyConstraint(['agency_id', 'account_id'], ['office.account.agency_id', 'office.account.id'], name=op.f('fk_dispute_agency_id_account_id')),
    sa.ForeignKeyConstraint(['agency_id', 'person_id'], ['office.person.agency_id', 'office.person.id'], name=op.f('fk_dispute_agency_id_person_id')),
    sa.PrimaryKeyConstraint('agency_id', 'id', name=op.f('pk_dispute')),
    sa.UniqueConstraint('agency_id', 'op_id', 'account_id', name=op.f('uq_dispute_agency_id_op_id_account_id')),
    schema='office'
    )
    op.create_table('hold',
    sa.Column('account_id', sa.Uuid(), nullable=True),
    sa.Column('person_id', sa.Uuid(), nullable=True),
    sa.Column('kind', sa.Text(), nullable=False),
    sa.Column('reason', sa.LargeBinary(), nullable=False),
    sa.Column('placed_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('placed_by', sa.Uuid(), nullable=True),
    sa.Column('op_id', sa.Uuid(), nullable=False),
    sa.Column('lifted_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('lifted_by', sa.Uuid(), nullable=True),
    sa.Column('lift_reason', sa.LargeBinary(), nullable=True),
    sa.Column('agency_id', sa.Uuid(), nullable=False),
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.ForeignKeyConstraint(['agency_id', 'account_id'], ['office.account.agency_id', 'office.account.id'], name=op.f('fk_hold_agency_id_account_id')),
    sa.ForeignKeyConstraint(['agency_id', 'person_id'], ['office.person.agency_id', 'office.person.id'], name=op.f('fk_hold_agency_id_person_id')),
    sa.PrimaryKeyConstraint('agency_id', 'id', name=op.f('pk_hold')),
    sa.UniqueConstraint('agency_id', 'op_id', 'kind', 'account_id', name=op.f('uq_hold_agency_id_op_id_kind_account_id'), postgresql_nulls_not_distinct=True),
    schema='office'
    )
    op.create_index('ix_hold_account', 'hold', ['agency_id', 'account_id'], unique=False, schema='office', postgresql_where=sa.text('lifted_at IS NULL'))
    op.create_index('ix_hold_person', 'hold', ['agency_id', 'person_id'], unique=False, schema='office', postgresql_where=sa.text('lifted_at IS NULL'))
    op.create_table('not_planned',
    sa.Column('plan_id', sa.Uuid(), nullable=False),
    sa.Column('account_id', sa.Uuid(), nullable=False),
    sa.Column('reason', sa.Text(), nullable=False),
    sa.Column('rule', sa.Text(), nullable=True),
    sa.Column('agency_id', sa.Uuid(), nullable=False),
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.ForeignKeyConstraint(['agency_id', 'account_id'], ['office.account.agency_id', 'office.account.id'], name=op.f('fk_not_planned_agency_id_account_id')),
    sa.ForeignKeyConstraint(['agency_id', 'plan_id'], ['office.plan.agency_id', 'office.plan.id'], name=op.f('fk_not_planned_agency_id_plan_id')),
    sa.PrimaryKeyConstraint('agency_id', 'id', name=op.f('pk_not_planned')),
    schema='office'
    )
    op.create_index('ix_not_planned', 'not_planned', ['agency_id', 'plan_id', 'reason'], unique=False, schema='office')
    op.create_table('party',
    sa.Column('account_id', sa.Uuid(), nullable=False),
    sa.Column('person_id', sa.Uuid(), nullable=False),
    sa.Column('role', sa.Text(), nullable=False),
    sa.Column('agency_id', sa.Uuid(), nullable=False),
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.ForeignKeyConstraint(['agency_id', 'account_id'], ['office.account.agency_id', 'office.account.id'], name=op.f('fk_party_agency_id_account_id')),
    sa.ForeignKeyConstraint(['agency_id', 'person_id'], ['office.person.agency_id', 'office.person.id'], name=op.f('fk_party_agency_id_person_id')),
    sa.PrimaryKeyConstraint('agency_id', 'id', name=op.f('pk_party')),
    sa.UniqueConstraint('agency_id', 'account_id', 'person_id', 'role', name=op.f('uq_party_agency_id_account_id_person_id_role')),
    schema='office'
    )
    op.create_index('ix_party_person', 'party', ['agency_id', 'person_id'], unique=False, schema='office')
    op.create_table('payment',
    sa.Column('account_id', sa.Uuid(), nullable=False),
    sa.Column('external_ref', sa.Text(), nullable=False),
    sa.Column('paid_on', sa.Date(), nullable=False),
    sa.Column('amount_minor', sa.BigInteger(), nullable=False),
    sa.Column('recorded_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('agency_id', sa.Uuid(), nullable=False),
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.ForeignKeyConstraint(['agency_id', 'account_id'], ['office.account.agency_id', 'office.account.id'], name=op.f('fk_payment_agency_id_account_id')),
    sa.PrimaryKeyConstraint('agency_id', 'id', name=op.f('pk_payment')),
    sa.UniqueConstraint('agency_id', 'account_id', 'external_ref', name=op.f('uq_payment_agency_id_account_id_external_ref')),
    schema='office'
    )
    op.create_table('promise',
    sa.Column('account_id', sa.Uuid(), nullable=False),
    sa.Column('person_id', sa.Uuid(), nullable=False),
    sa.Column('visit_id', sa.Uuid(), nullable=True),
    sa.Column('op_id', sa.Uuid(), nullable=False),
    sa.Column('position', sa.Integer(), nullable=False),
    sa.Column('kind', sa.Text(), nullable=False),
    sa.Column('amount_minor', sa.BigInteger(), nullable=False),
    sa.Column('currency', sa.Text(), nullable=False),
    sa.Column('due_on', sa.Date(), nullable=False),
    sa.Column('state', sa.Text(), nullable=False),
    sa.Column('flags', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('made_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('agency_id', sa.Uuid(), nullable=False),
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.ForeignKeyConstraint(['agency_id', 'account_id'], ['office.account.agency_id', 'office.account.id'], name=op.f('fk_promise_agency_id_account_id')),
    sa.ForeignKeyConstraint(['agency_id', 'person_id'], ['office.person.agency_id', 'office.person.id'], name=op.f('fk_promise_agency_id_person_id')),
    sa.PrimaryKeyConstraint('agency_id', 'id', name=op.f('pk_promise')),
    sa.UniqueConstraint('agency_id', 'op_id', 'account_id', 'position', name=op.f('uq_promise_agency_id_op_id_account_id_position')),
    schema='office'
    )
    op.create_index('ix_promise_account', 'promise', ['agency_id', 'account_id'], unique=False, schema='office')
    op.create_table('sheet',
    sa.Column('route_id', sa.Uuid(), nullable=False),
    sa.Column('object_key', sa.Text(), nullable=False),
    sa.Column('sha256', sa.LargeBinary(), nullable=False),
    sa.Column('pages', sa.Integer(), nullable=False),
    sa.Column('issued_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('agency_id', sa.Uuid(), nullable=False),
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.ForeignKeyConstraint(['agency_id', 'route_id'], ['office.route.agency_id', 'office.route.id'], name=op.f('fk_sheet_agency_id_route_id')),
    sa.PrimaryKeyConstraint('agency_id', 'id', name=op.f('pk_sheet')),
    schema='office'
    )
    op.create_table('verification_answer',
    sa.Column('person_id', sa.Uuid(), nullable=False),
    sa.Column('kind', sa.Text(), nullable=False),
    sa.Column('independent_group', sa.Text(), nullable=False),
    sa.Column('answer', sa.LargeBinary(), nullable=False),
    sa.Column('stretched', sa.LargeBinary(), nullable=True),
    sa.Column('agency_id', sa.Uuid(), nullable=False),
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.ForeignKeyConstraint(['agency_id', 'person_id'], ['office.person.agency_id', 'office.person.id'], name=op.f('fk_verification_answer_agency_id_person_id')),
    sa.PrimaryKeyConstraint('agency_id', 'id', name=op.f('pk_verification_answer')),
    sa.UniqueConstraint('agency_id', 'person_id', 'kind', name=op.f('uq_verification_answer_agency_id_person_id_kind')),
    schema='office'
    )
    op.create_table('stop',
    sa.Column('route_id', sa.Uuid(), nullable=False),
    sa.Column('address_id', sa.Uuid(), nullable=False),
    sa.Column('position', sa.Integer(), nullable=False),
    sa.Column('arrival_from', sa.DateTime(timezone=True), nullable=False),
    sa.Column('arrival_to', sa.DateTime(timezone=True), nullable=False),
    sa.Column('visit_until', sa.DateTime(timezone=True), nullable=False),
    sa.Column('service_s', sa.Integer(), nullable=False),
    sa.Column('agency_id', sa.Uuid(), nullable=False),
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.ForeignKeyConstraint(['agency_id', 'address_id'], ['office.address.agency_id', 'office.address.id'], name=op.f('fk_stop_agency_id_address_id')),
    sa.ForeignKeyConstraint(['agency_id', 'route_id'], ['office.route.agency_id', 'office.route.id'], name=op.f('fk_stop_agency_id_route_id')),
    sa.PrimaryKeyConstraint('agency_id', 'id', name=op.f('pk_stop')),
    sa.UniqueConstraint('agency_id', 'route_id', 'position', deferrable=True, initially='DEFERRED', name=op.f('uq_stop_agency_id_route_id_position')),
    schema='office'
    )
    op.create_table('visit',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('stop_id', sa.Uuid(), nullable=True),
    sa.Column('agent_id', sa.Uuid(), nullable=False),
    sa.Column('person_id', sa.Uuid(), nullable=False),
    sa.Column('address_id', sa.Uuid(), nullable=False),
    sa.Column('state', sa.Text(), nullable=False),
    sa.Column('assignment_version', sa.Integer(), nullable=False),
    sa.Column('planned_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('published_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('withdrawn_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('done_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('agency_id', sa.Uuid(), nullable=False),
    sa.ForeignKeyConstraint(['agency_id', 'address_id'], ['office.address.agency_id', 'office.address.id'], name=op.f('fk_visit_agency_id_address_id')),
    sa.ForeignKeyConstraint(['agency_id', 'agent_id'], ['office.agent.agency_id', 'office.agent.id'], name=op.f('fk_visit_agency_id_agent_id')),
    sa.ForeignKeyConstraint(['agency_id', 'person_id'], ['office.person.agency_id', 'office.person.id'], name=op.f('fk_visit_agency_id_person_id')),
    sa.ForeignKeyConstraint(['agency_id', 'stop_id'], ['office.stop.agency_id', 'office.stop.id'], name=op.f('fk_visit_agency_id_stop_id')),
    sa.PrimaryKeyConstraint('id', 'agency_id', name=op.f('pk_visit')),
    schema='office'
    )
    op.create_index('ix_visit_agent', 'visit', ['agency_id', 'agent_id', 'state'], unique=False, schema='office')
    op.create_index('ix_visit_person', 'visit', ['agency_id', 'person_id'], unique=False, schema='office')
    op.create_index('ix_visit_stop', 'visit', ['agency_id', 'stop_id'], unique=False, schema='office')
    op.create_table('letter',
    sa.Column('visit_id', sa.Uuid(), nullable=False),
    sa.Column('account_id', sa.Uuid(), nullable=False),
    sa.Column('person_id', sa.Uuid(), nullable=False),
    sa.Column('kind', sa.Text(), nullable=False),
    sa.Column('language', sa.Text(), nullable=False),
    sa.Column('jurisdiction', sa.Text(), nullable=False),
    sa.Column('serial', sa.Text(), nullable=False),
    sa.Column('state', sa.Text(), nullable=False),
    sa.Column('refusal', sa.Text(), nullable=True),
    sa.Column('content', sa.LargeBinary(), nullable=False),
    sa.Column('object_key', sa.Text(), nullable=True),
    sa.Column('content_sha256', sa.LargeBinary(), nullable=True),
    sa.Column('pages', sa.Integer(), nullable=True),
    sa.Column('issued_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('agency_id', sa.Uuid(), nullable=False),
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.ForeignKeyConstraint(['agency_id', 'account_id'], ['office.account.agency_id', 'office.account.id'], name=op.f('fk_letter_agency_id_account_id')),
    sa.ForeignKeyConstraint(['agency_id', 'person_id'], ['office.person.agency_id', 'office.person.id'], name=op.f('fk_letter_agency_id_person_id')),
    sa.ForeignKeyConstraint(['agency_id', 'visit_id'], ['office.visit.agency_id', 'office.visit.id'], name=op.f('fk_letter_agency_id_visit_id')),
    sa.PrimaryKeyConstraint('agency_id', 'id', name=op.f('pk_letter')),
    sa.UniqueConstraint('agency_id', 'serial', name=op.f('uq_letter_agency_id_serial')),
    sa.UniqueConstraint('agency_id', 'visit_id', 'account_id', 'person_id', 'kind', name=op.f('uq_letter_agency_id_visit_id_account_id_person_id_kind')),
    schema='office'
    )
    op.create_index('ix_letter_state', 'letter', ['agency_id', 'state'], unique=False, schema='office')
    op.create_table('visit_account',
    sa.Column('visit_id', sa.Uuid(), nullable=False),
    sa.Column('account_id', sa.Uuid(), nullable=False),
    sa.Column('role', sa.Text(), nullable=False),
    sa.Column('agency_id', sa.Uuid(), nullable=False),
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.ForeignKeyConstraint(['agency_id', 'account_id'], ['office.account.agency_id', 'office.account.id'], name=op.f('fk_visit_account_agency_id_account_id')),
    sa.ForeignKeyConstraint(['agency_id', 'visit_id'], ['office.visit.agency_id', 'office.visit.id'], name=op.f('fk_visit_account_agency_id_visit_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('agency_id', 'id', name=op.f('pk_visit_account')),
    sa.UniqueConstraint('agency_id', 'visit_id', 'account_id', name=op.f('uq_visit_account_agency_id_visit_id_account_id')),
    schema='office'
    )
    op.create_index('ix_visit_account_account', 'visit_account', ['agency_id', 'account_id'], unique=False, schema='office')
    op.create_table('visit_event',
    sa.Column('visit_id', sa.Uuid(), nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('kind', sa.Text(), nullable=False),
    sa.Column('actor', sa.Text(), nullable=False),
    sa.Column('op_id', sa.Uuid(), nullable=True),
    sa.Column('body', sa.LargeBinary(), nullable=False),
    sa.Column('flags', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('agency_id', sa.Uuid(), nullable=False),
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.ForeignKeyConstraint(['agency_id', 'visit_id'], ['office.visit.agency_id', 'office.visit.id'], name=op.f('fk_visit_event_agency_id_visit_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('agency_id', 'id', name=op.f('pk_visit_event')),
    schema='office'
    )
    op.create_index('ix_visit_event', 'visit_event', ['agency_id', 'visit_id', 'at', 'id'], unique=False, schema='office')
    op.create_table('visit_key',
    sa.Column('visit_id', sa.Uuid(), nullable=False),
    sa.Column('person_id', sa.Uuid(), nullable=False),
    sa.Column('sealed_key', sa.LargeBinary(), nullable=False),
    sa.Column('unlock_code', sa.LargeBinary(), nullable=False),
    sa.Column('code_disclosed_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('code_disclosed_by', sa.Uuid(), nullable=True),
    sa.Column('code_reason', sa.Text(), nullable=True),
    sa.Column('agency_id', sa.Uuid(), nullable=False),
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.ForeignKeyConstraint(['agency_id', 'person_id'], ['office.person.agency_id', 'office.person.id'], name=op.f('fk_visit_key_agency_id_person_id')),
    sa.ForeignKeyConstraint(['agency_id', 'visit_id'], ['office.visit.agency_id', 'office.visit.id'], name=op.f('fk_visit_key_agency_id_visit_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('agency_id', 'id', name=op.f('pk_visit_key')),
    sa.UniqueConstraint('agency_id', 'visit_id', 'person_id', name=op.f('uq_visit_key_agency_id_visit_id_person_id')),
    schema='office'
    )
    op.create_table('letter_custody',
    sa.Column('letter_id', sa.Uuid(), nullable=False),
    sa.Column('state', sa.Text(), nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('actor', sa.Text(), nullable=False),
    sa.Column('op_id', sa.Uuid(), nullable=True),
    sa.Column('recipient', sa.Text(), nullable=True),
    sa.Column('extra', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('agency_id', sa.Uuid(), nullable=False),
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.ForeignKeyConstraint(['agency_id', 'letter_id'], ['office.letter.agency_id', 'office.letter.id'], name=op.f('fk_letter_custody_agency_id_letter_id')),
    sa.PrimaryKeyConstraint('agency_id', 'id', name=op.f('pk_letter_custody')),
    schema='office'
    )
    op.create_index('ix_letter_custody', 'letter_custody', ['agency_id', 'letter_id', 'at'], unique=False, schema='office')
    for table in TABLES:
        op.execute(f"CALL public.protect('{table}')")
    # Sign-in knows an e-mail before it knows an agency: it may see that one row, and only to read it.
    op.execute(
        "CREATE POLICY sign_in ON office.staff FOR SELECT"
        " USING (email = NULLIF(current_setting('doorstep.sign_in', true), ''))"
    )
    # The door finds devices; it neither makes nor changes active ones (enrolment adds pending ones, see 0002).
    op.execute("GRANT SELECT ON mailbox.device TO doorstep_door")


def downgrade() -> None:
    op.execute("DROP SCHEMA mailbox CASCADE")
    op.execute("DROP SCHEMA office CASCADE")
    op.execute("DROP PROCEDURE public.protect(regclass)")


TABLES = (
    "mailbox.device",
    "office.agency",
    "office.agent",
    "office.api_token",
    "office.attempt_head",
    "office.change",
    "office.creditor",
    "office.idempotency_key",
    "office.plan",
    "office.absence",
    "office.account",
    "office.import_file",
    "office.person",
    "office.route",
    "office.shift",
    "office.staff",
    "office.address",
    "office.attempt",
    "office.contact_candidate",
    "office.contact_point",
    "office.dispute",
    "office.hold",
    "office.not_planned",
    "office.party",
    "office.payment",
    "office.promise",
    "office.sheet",
    "office.verification_answer",
    "office.stop",
    "office.visit",
    "office.letter",
    "office.visit_account",
    "office.visit_event",
    "office.visit_key",
    "office.letter_custody",
)
