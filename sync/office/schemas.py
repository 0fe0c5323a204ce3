"""What crosses the office's wire about phones. INTERNAL data alone: ids, states, reasons."""

from __future__ import annotations

import marshmallow as ma

from sync.office.devices import REVOCATION_REASONS


class DeviceSchema(ma.Schema):
    id = ma.fields.UUID(required=True)
    agent_id = ma.fields.UUID(required=True)
    agent = ma.fields.String(required=True, metadata={"description": "the agent's code"})
    state = ma.fields.String(required=True, validate=ma.validate.OneOf(["active", "revoked"]))
    enrolled_at = ma.fields.AwareDateTime(required=True)
    revoked_at = ma.fields.AwareDateTime(required=True, allow_none=True)


class NewEnrolmentSchema(ma.Schema):
    agent_id = ma.fields.UUID(required=True)


class EnrolmentCodeSchema(ma.Schema):
    enrolment_id = ma.fields.UUID(required=True)
    line = ma.fields.String(
        required=True, metadata={"description": "DOOR-ADDRESS#SECRET: good once, shown this once, for 72 hours"}
    )
    expires_at = ma.fields.AwareDateTime(required=True)


class RevocationSchema(ma.Schema):
    reason = ma.fields.String(required=True, validate=ma.validate.OneOf(REVOCATION_REASONS))


class QuarantineSchema(ma.Schema):
    id = ma.fields.UUID(required=True)
    device_id = ma.fields.UUID(required=True)
    seq = ma.fields.Integer(required=True)
    state = ma.fields.String(required=True, validate=ma.validate.OneOf(["quarantined", "held"]))
    reason = ma.fields.String(required=True, allow_none=True)
    incident = ma.fields.String(required=True, allow_none=True)
    received_at = ma.fields.AwareDateTime(required=True)


class OddBytesSchema(ma.Schema):
    id = ma.fields.UUID(required=True)
    device_id = ma.fields.UUID(required=True)
    state = ma.fields.String(required=True, validate=ma.validate.OneOf(["quarantined", "fork"]))
    reason = ma.fields.String(required=True)
    op_id = ma.fields.UUID(required=True, allow_none=True)
    seq = ma.fields.Integer(required=True, allow_none=True)
    received_at = ma.fields.AwareDateTime(required=True)
    bytes = ma.fields.Integer(required=True)
