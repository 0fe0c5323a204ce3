"""What crosses the wire about photographs; all of it for managers."""

from __future__ import annotations

import marshmallow as ma

from field_api.http.paging import PageArguments
from field_api.http.schemas.revealed import RevealedJson
from media.office.records import PhotoState

DESTROY_REASONS = ("permission-withdrawn", "erasure-order", "retention-end", "not-needed", "not-allowed")


class PhotoQuery(PageArguments):
    visit = ma.fields.UUID(load_default=None)
    state = ma.fields.String(load_default=None, validate=ma.validate.OneOf([state.value for state in PhotoState]))


class PhotoSchema(ma.Schema):
    """A declared photograph whose bytes came."""

    id = ma.fields.UUID()
    visit_id = ma.fields.UUID()
    op = ma.fields.UUID(attribute="op_id")
    permission_op = ma.fields.UUID(attribute="permission_op_id", allow_none=True)
    device_id = ma.fields.UUID()
    state = ma.fields.String(validate=ma.validate.OneOf([state.value for state in PhotoState]))
    reason = ma.fields.String(allow_none=True, metadata={"description": "stable code (docs/photo-format.md §7)"})
    subject = ma.fields.String()
    captured_at = ma.fields.AwareDateTime(allow_none=True, metadata={"description": "as the phone says"})
    latitude = ma.fields.Float(allow_none=True)
    longitude = ma.fields.Float(allow_none=True)
    accuracy_m = ma.fields.Float(allow_none=True)
    evidence = RevealedJson(allow_none=True, metadata={"description": "what the file said of itself: hints"})
    width = ma.fields.Integer(allow_none=True)
    height = ma.fields.Integer(allow_none=True)
    received_at = ma.fields.AwareDateTime()
    developed_at = ma.fields.AwareDateTime(allow_none=True)
    destroyed_at = ma.fields.AwareDateTime(allow_none=True)


class ExpectedQuery(ma.Schema):
    visit = ma.fields.UUID(required=True)


class ExpectedPhotoSchema(ma.Schema):
    """Declared, and not here yet."""

    op = ma.fields.UUID(attribute="op_id")
    device_id = ma.fields.UUID()
    subject = ma.fields.String()
    permission_stands = ma.fields.Boolean()
    captured_at = ma.fields.AwareDateTime(attribute="taken_at", allow_none=True)


class ExpectedPhotosSchema(ma.Schema):
    items = ma.fields.List(ma.fields.Nested(ExpectedPhotoSchema), required=True)


class DestroySchema(ma.Schema):
    reason = ma.fields.String(required=True, validate=ma.validate.OneOf(DESTROY_REASONS))
