"""What crosses the office's wire about phones. INTERNAL data alone: ids and states."""

from __future__ import annotations

import marshmallow as ma

from field_api.http.schemas.audiences import KEEPERS
from field_api.http.schemas.labelled import Schema, internal
from sync.office.devices import REVOCATION_REASONS


class DeviceSchema(Schema):
    audiences = KEEPERS
    id = internal(ma.fields.UUID(required=True))
    agent_id = internal(ma.fields.UUID(required=True))
    agent = internal(ma.fields.String(required=True, metadata={"description": "the agent's code"}))
    state = internal(ma.fields.String(required=True, validate=ma.validate.OneOf(["active", "revoked"])))
    enrolled_at = internal(ma.fields.AwareDateTime(required=True))
    revoked_at = internal(ma.fields.AwareDateTime(required=True, allow_none=True))


class NewEnrolmentSchema(Schema):
    audiences = KEEPERS
    agent_id = internal(ma.fields.UUID(required=True))


class EnrolmentCodeSchema(Schema):
    audiences = KEEPERS
    enrolment_id = internal(ma.fields.UUID(required=True))
    line = internal(
        ma.fields.String(
            required=True, metadata={"description": "DOOR-ADDRESS#SECRET: good once, shown this once, for 72 hours"}
        )
    )
    expires_at = internal(ma.fields.AwareDateTime(required=True))


class SyncHealthSchema(Schema):
    """A phone's fields as `sync.office.sync_health.DeviceHealth` explains them."""

    audiences = KEEPERS
    device_id = internal(ma.fields.UUID(required=True))
    agent_id = internal(ma.fields.UUID(required=True))
    agent = internal(ma.fields.String(required=True, metadata={"description": "the agent's code"}))
    silent = internal(
        ma.fields.Boolean(
            required=True, metadata={"description": "for longer than the agency's policy, on working days"}
        )
    )
    last_contact_at = internal(ma.fields.AwareDateTime(required=True, allow_none=True))
    waiting_ops = internal(
        ma.fields.Integer(
            required=True,
            allow_none=True,
            metadata={"description": "on the phone, of those it told of; null where it tells nothing"},
        )
    )
    told_at = internal(ma.fields.AwareDateTime(required=True, allow_none=True))
    clock_ahead_s = internal(ma.fields.Integer(required=True, allow_none=True))
    clock_off = internal(ma.fields.Boolean(required=True))
    unapplied = internal(ma.fields.Integer(required=True))
    oldest_unapplied_at = internal(ma.fields.AwareDateTime(required=True, allow_none=True))
    held = internal(ma.fields.Integer(required=True))
    quarantined = internal(ma.fields.Integer(required=True))
    late = internal(ma.fields.Integer(required=True, metadata={"description": "of the last 30 days"}))
    unpublished = internal(ma.fields.Integer(required=True, metadata={"description": "changes for this agent"}))
    oldest_unpublished_at = internal(ma.fields.AwareDateTime(required=True, allow_none=True))


class RevocationSchema(Schema):
    audiences = KEEPERS
    reason = internal(ma.fields.String(required=True, validate=ma.validate.OneOf(REVOCATION_REASONS)))
