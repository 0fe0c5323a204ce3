"""What crosses the office's wire about operations without effect: ids and clocks for all who look after the day; what
is sealed in them for managers."""

from __future__ import annotations

import marshmallow as ma

from field_api.domain.vocabulary import OpKind
from field_api.http.paging import PageArguments
from field_api.http.schemas.audiences import MANAGERS, OFFICE
from field_api.http.schemas.labelled import Schema, confidential, internal
from field_api.http.schemas.revealed import RevealedJson, RevealedString

STATES = ("quarantined", "held")
ACTIONS = ("retry", "release", "dismiss")
LONGEST_REASON = 500


class QuarantineQuery(PageArguments):
    audiences = OFFICE
    state = internal(ma.fields.String(load_default=None, validate=ma.validate.OneOf(STATES)))
    reason = internal(ma.fields.String(load_default=None, validate=ma.validate.Length(1, 80)))
    decided = internal(
        ma.fields.Boolean(load_default=None, metadata={"description": "dismissed by a person, or not; else both"})
    )


class QuarantineSchema(Schema):
    audiences = OFFICE
    id = internal(ma.fields.UUID(required=True))
    device_id = internal(ma.fields.UUID(required=True))
    seq = internal(ma.fields.Integer(required=True))
    state = internal(ma.fields.String(required=True, validate=ma.validate.OneOf(STATES)))
    reason = internal(ma.fields.String(required=True, allow_none=True))
    incident = internal(ma.fields.String(required=True, allow_none=True))
    received_at = internal(ma.fields.AwareDateTime(required=True))
    waits_for = internal(ma.fields.List(ma.fields.UUID(), required=True))
    released = internal(ma.fields.Boolean(required=True))
    closed_at = internal(ma.fields.AwareDateTime(required=True, allow_none=True))


class OddBytesSchema(Schema):
    audiences = OFFICE
    id = internal(ma.fields.UUID(required=True))
    device_id = internal(ma.fields.UUID(required=True))
    state = internal(ma.fields.String(required=True, validate=ma.validate.OneOf(["quarantined", "fork"])))
    reason = internal(ma.fields.String(required=True))
    op_id = internal(ma.fields.UUID(required=True, allow_none=True))
    seq = internal(ma.fields.Integer(required=True, allow_none=True))
    received_at = internal(ma.fields.AwareDateTime(required=True))
    bytes = internal(ma.fields.Integer(required=True))
    released = internal(ma.fields.Boolean(required=True))
    closed_at = internal(ma.fields.AwareDateTime(required=True, allow_none=True))


class ClaimsSchema(Schema):
    """The header, as far as it can be read: what the phone says."""

    audiences = OFFICE
    visit = internal(ma.fields.UUID(allow_none=True))
    assignment_version = internal(ma.fields.Integer(allow_none=True))
    epoch = internal(ma.fields.Integer(allow_none=True))
    seq = internal(ma.fields.Integer(allow_none=True))
    op = internal(ma.fields.UUID(allow_none=True))
    deps = internal(ma.fields.List(ma.fields.UUID()))
    wall = internal(ma.fields.AwareDateTime(allow_none=True))
    mono_ms = internal(ma.fields.Integer(allow_none=True))
    key = internal(ma.fields.String(allow_none=True))
    size = internal(ma.fields.Integer(allow_none=True))


class PastDecisionSchema(Schema):
    audiences = OFFICE
    action = internal(ma.fields.String())
    decided_by = internal(ma.fields.UUID(allow_none=True))
    decided_at = internal(ma.fields.AwareDateTime())
    mended_as = internal(ma.fields.UUID(allow_none=True))


class KeptOperationSchema(Schema):
    audiences = OFFICE
    id = internal(ma.fields.UUID(attribute="row.op_id"))
    device_id = internal(ma.fields.UUID(attribute="row.device_id"))
    seq = internal(ma.fields.Integer(attribute="row.seq"))
    state = internal(ma.fields.String(attribute="row.state"))
    reason = internal(ma.fields.String(attribute="row.reason", allow_none=True))
    incident = internal(ma.fields.String(attribute="row.incident", allow_none=True))
    received_at = internal(ma.fields.AwareDateTime(attribute="row.received_at"))
    decided_at = internal(ma.fields.AwareDateTime(attribute="row.decided_at", allow_none=True))
    closed_at = internal(ma.fields.AwareDateTime(attribute="row.closed_at", allow_none=True))
    released = internal(ma.fields.Boolean(attribute="row.released"))
    waits_for = internal(ma.fields.List(ma.fields.UUID(), attribute="row.waits_for"))
    waiting = internal(ma.fields.List(ma.fields.UUID(), metadata={"description": "operations that wait for it"}))
    claims = internal(ma.fields.Nested(ClaimsSchema))
    decisions = internal(ma.fields.List(ma.fields.Nested(PastDecisionSchema)))


class OpenedContentSchema(Schema):
    """`content` is what was sealed, usually `kind` and `body`; `trouble` says why there is none."""

    audiences = MANAGERS
    content = confidential(RevealedJson(allow_none=True))
    trouble = internal(ma.fields.String(allow_none=True))
    raw = confidential(RevealedString(allow_none=True))


def _reason() -> ma.fields.String:
    return confidential(ma.fields.String(required=True, validate=ma.validate.Length(1, LONGEST_REASON)))


class QuarantineDecisionSchema(Schema):
    audiences = MANAGERS
    action = internal(ma.fields.String(required=True, validate=ma.validate.OneOf(ACTIONS)))
    reason = _reason()


class BytesDecisionSchema(Schema):
    audiences = MANAGERS
    action = internal(ma.fields.String(required=True, validate=ma.validate.OneOf(("release", "dismiss"))))
    reason = _reason()


class CorrectionSchema(Schema):
    audiences = MANAGERS
    kind = internal(ma.fields.Enum(OpKind, by_value=True, required=True))
    body = confidential(ma.fields.Dict(required=True))
    visit_id = internal(ma.fields.UUID(load_default=None, allow_none=True))
    reason = _reason()


class RetryAllSchema(Schema):
    audiences = MANAGERS
    code = internal(ma.fields.String(required=True, validate=ma.validate.Length(1, 80)))
    reason = _reason()


class RetriedSchema(Schema):
    audiences = MANAGERS
    retried = internal(ma.fields.Integer(required=True))


class NowSchema(Schema):
    """The state after a decision."""

    audiences = MANAGERS
    state = internal(ma.fields.String(required=True))
    released = internal(ma.fields.Boolean(required=True))
    closed_at = internal(ma.fields.AwareDateTime(required=True, allow_none=True))
