"""What crosses the wire about sheets and letters: where each is, never what it says."""

from __future__ import annotations

import marshmallow as ma

from field_api.domain.letters import LetterState
from field_api.domain.vocabulary import VERIFIED

STEPS = (LetterState.HANDED_OVER.value, LetterState.RETURNED.value, LetterState.DESTROYED.value)


class IssuedPapersSchema(ma.Schema):
    sheets = ma.fields.Integer(required=True)
    letters = ma.fields.Integer(required=True)
    letters_refused = ma.fields.Integer(required=True)


class LetterLineSchema(ma.Schema):
    id = ma.fields.UUID(required=True)
    visit_id = ma.fields.UUID(required=True)
    stop = ma.fields.Integer(required=True)
    kind = ma.fields.String(required=True)
    language = ma.fields.String(required=True)
    jurisdiction = ma.fields.String(required=True)
    serial = ma.fields.String(required=True)
    state = ma.fields.String(required=True)
    refusal = ma.fields.String(required=True, allow_none=True)
    pages = ma.fields.Integer(required=True, allow_none=True)
    issued_at = ma.fields.AwareDateTime(required=True, allow_none=True)


class CustodySchema(ma.Schema):
    state = ma.fields.String(required=True)
    at = ma.fields.AwareDateTime(required=True)
    actor = ma.fields.String(required=True)
    recipient = ma.fields.String(required=True, allow_none=True)
    extra = ma.fields.Dict(required=True)


class CustodyStepSchema(ma.Schema):
    """A step taken in the office: a letter came back, was shredded, or was handed over at the counter."""

    state = ma.fields.String(required=True, validate=ma.validate.OneOf(STEPS))
    recipient = ma.fields.String(
        load_default=None, allow_none=True, validate=ma.validate.OneOf(sorted(r.value for r in VERIFIED))
    )

    @ma.validates_schema
    def _to_somebody(self, body: dict[str, str | None], **_: object) -> None:
        if (body.get("state") == LetterState.HANDED_OVER.value) != bool(body.get("recipient")):
            raise ma.ValidationError("a letter that is handed over, and no other, names its recipient", "recipient")
