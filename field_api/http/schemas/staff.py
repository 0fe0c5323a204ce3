"""What crosses the wire about staff and tokens."""

from __future__ import annotations

import marshmallow as ma

from field_api.domain.roles import PEOPLE
from field_api.platform.passwords import MAX_LETTERS, MIN_LETTERS

_PASSWORD = ma.validate.Length(MIN_LETTERS, MAX_LETTERS)


class ActorSchema(ma.Schema):
    id = ma.fields.UUID(required=True)
    agency_id = ma.fields.UUID(required=True)
    kind = ma.fields.String(required=True, validate=ma.validate.OneOf(["staff", "token"]))
    role = ma.fields.String(required=True)
    creditor_id = ma.fields.UUID(required=True, allow_none=True)
    permissions = ma.fields.List(ma.fields.String(), required=True)


class NewPasswordSchema(ma.Schema):
    old_password = ma.fields.String(required=True, load_only=True, validate=ma.validate.Length(1, MAX_LETTERS))
    new_password = ma.fields.String(required=True, load_only=True, validate=_PASSWORD)


class ResetPasswordSchema(ma.Schema):
    new_password = ma.fields.String(required=True, load_only=True, validate=_PASSWORD)


class StaffSchema(ma.Schema):
    id = ma.fields.UUID(dump_only=True)
    email = ma.fields.String(required=True, validate=ma.validate.Length(3, 254))
    name = ma.fields.String(required=True, validate=ma.validate.Length(1, 200))
    role = ma.fields.String(required=True, validate=ma.validate.OneOf(sorted(role.value for role in PEOPLE)))
    creditor_id = ma.fields.UUID(load_default=None, allow_none=True)
    active = ma.fields.Boolean(dump_only=True)
    created_at = ma.fields.AwareDateTime(dump_only=True)


class NewStaffSchema(StaffSchema):
    password = ma.fields.String(required=True, load_only=True, validate=_PASSWORD)


class TokenSchema(ma.Schema):
    id = ma.fields.UUID(dump_only=True)
    name = ma.fields.String(required=True, validate=ma.validate.Length(1, 200))
    permissions = ma.fields.List(ma.fields.String(), required=True, validate=ma.validate.Length(1, 100))
    created_at = ma.fields.AwareDateTime(dump_only=True)
    last_used_at = ma.fields.AwareDateTime(dump_only=True)
    revoked_at = ma.fields.AwareDateTime(dump_only=True)


class IssuedTokenSchema(ma.Schema):
    id = ma.fields.UUID(required=True)
    token = ma.fields.String(required=True, metadata={"description": "shown this once"})
