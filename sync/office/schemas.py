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


class RevocationSchema(Schema):
    audiences = KEEPERS
    reason = internal(ma.fields.String(required=True, validate=ma.validate.OneOf(REVOCATION_REASONS)))
