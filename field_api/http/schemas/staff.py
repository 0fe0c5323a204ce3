"""What crosses the wire about staff and tokens."""

from __future__ import annotations

import marshmallow as ma

from field_api.domain.disclosure import Audience
from field_api.domain.roles import PEOPLE
from field_api.http.schemas.audiences import SIGNED_IN, SYSTEM
from field_api.http.schemas.labelled import Schema, internal, open_
from field_api.platform.passwords import MAX_LETTERS, MIN_LETTERS

_PASSWORD = ma.validate.Length(MIN_LETTERS, MAX_LETTERS)


class ActorSchema(Schema):
    audiences = SIGNED_IN
    id = internal(ma.fields.UUID(required=True))
    agency_id = internal(ma.fields.UUID(required=True))
    kind = internal(ma.fields.String(required=True, validate=ma.validate.OneOf(["staff", "token"])))
    role = internal(ma.fields.String(required=True))
    creditor_id = internal(ma.fields.UUID(required=True, allow_none=True))
    permissions = internal(ma.fields.List(ma.fields.String(), required=True))


class NewPasswordSchema(Schema):
    audiences = SIGNED_IN - {Audience.INTEGRATOR}
    old_password = internal(
        ma.fields.String(required=True, load_only=True, validate=ma.validate.Length(1, MAX_LETTERS))
    )
    new_password = internal(ma.fields.String(required=True, load_only=True, validate=_PASSWORD))


class ResetPasswordSchema(Schema):
    audiences = SYSTEM
    new_password = internal(ma.fields.String(required=True, load_only=True, validate=_PASSWORD))


class StaffSchema(Schema):
    audiences = SYSTEM
    id = internal(ma.fields.UUID(dump_only=True))
    email = internal(ma.fields.String(required=True, validate=ma.validate.Length(3, 254)))
    name = open_(ma.fields.String(required=True, validate=ma.validate.Length(1, 200)))
    role = internal(ma.fields.String(required=True, validate=ma.validate.OneOf(sorted(role.value for role in PEOPLE))))
    creditor_id = internal(ma.fields.UUID(load_default=None, allow_none=True))
    active = internal(ma.fields.Boolean(dump_only=True))
    created_at = internal(ma.fields.AwareDateTime(dump_only=True))


class NewStaffSchema(StaffSchema):
    password = internal(ma.fields.String(required=True, load_only=True, validate=_PASSWORD))


class TokenSchema(Schema):
    audiences = SYSTEM
    id = internal(ma.fields.UUID(dump_only=True))
    name = internal(ma.fields.String(required=True, validate=ma.validate.Length(1, 200)))
    permissions = internal(ma.fields.List(ma.fields.String(), required=True, validate=ma.validate.Length(1, 100)))
    created_at = internal(ma.fields.AwareDateTime(dump_only=True))
    last_used_at = internal(ma.fields.AwareDateTime(dump_only=True))
    revoked_at = internal(ma.fields.AwareDateTime(dump_only=True))


class IssuedTokenSchema(Schema):
    audiences = SYSTEM
    id = internal(ma.fields.UUID(required=True))
    token = internal(ma.fields.String(required=True, metadata={"description": "shown this once"}))
