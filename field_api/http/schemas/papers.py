"""What crosses the wire about sheets and letters: where each is, never what it says."""

from __future__ import annotations

import marshmallow as ma

from field_api.domain.letter_steps import ASKED_FOR
from field_api.domain.letters import LetterState
from field_api.domain.vocabulary import VERIFIED
from field_api.http.schemas.audiences import OFFICE
from field_api.http.schemas.labelled import Schema, confidential, internal

STEPS = (
    LetterState.HANDED_OVER.value,
    LetterState.RETURNED.value,
    LetterState.DESTROYED.value,
    LetterState.POSTED.value,
    LetterState.PULLED.value,
    LetterState.LOST.value,
)


class IssuedPapersSchema(Schema):
    audiences = OFFICE
    sheets = internal(ma.fields.Integer(required=True))
    letters = internal(ma.fields.Integer(required=True))
    letters_refused = internal(ma.fields.Integer(required=True))


class LetterSchema(Schema):
    """A letter without its content."""

    audiences = OFFICE
    id = internal(ma.fields.UUID(required=True))
    visit_id = internal(ma.fields.UUID(required=True))
    kind = confidential(ma.fields.String(required=True))
    language = confidential(ma.fields.String(required=True))
    jurisdiction = confidential(ma.fields.String(required=True))
    serial = confidential(ma.fields.String(required=True))
    state = confidential(ma.fields.String(required=True))
    refusal = confidential(ma.fields.String(required=True, allow_none=True))
    pages = confidential(ma.fields.Integer(required=True, allow_none=True))


class LetterLineSchema(LetterSchema):
    stop = internal(ma.fields.Integer(required=True))
    issued_at = confidential(ma.fields.AwareDateTime(required=True, allow_none=True))


class AskedLetterSchema(Schema):
    """Which letters the office asks for."""

    audiences = OFFICE

    kind = confidential(
        ma.fields.String(required=True, validate=ma.validate.OneOf(sorted(kind.value for kind in ASKED_FOR)))
    )
    account_id = internal(
        ma.fields.UUID(
            load_default=None, allow_none=True, metadata={"description": "one of the visit's; without it, each of them"}
        )
    )


class WrittenLetterSchema(LetterSchema):
    account_id = internal(ma.fields.UUID(required=True))


class CustodySchema(Schema):
    audiences = OFFICE
    state = confidential(ma.fields.String(required=True))
    at = confidential(ma.fields.AwareDateTime(required=True))
    actor = confidential(ma.fields.String(required=True))
    recipient = confidential(ma.fields.String(required=True, allow_none=True))
    extra = confidential(ma.fields.Dict(required=True))


class CustodyStepSchema(Schema):
    """A step taken in the office: a letter came back, was pulled out of a stack, posted, shredded, handed over at the
    counter, or nobody can find it."""

    audiences = OFFICE

    state = confidential(ma.fields.String(required=True, validate=ma.validate.OneOf(STEPS)))
    recipient = confidential(
        ma.fields.String(
            load_default=None, allow_none=True, validate=ma.validate.OneOf(sorted(r.value for r in VERIFIED))
        )
    )

    @ma.validates_schema
    def _to_somebody(self, body: dict[str, str | None], **_: object) -> None:
        if (body.get("state") == LetterState.HANDED_OVER.value) != bool(body.get("recipient")):
            raise ma.ValidationError("a letter that is handed over, and no other, names its recipient", "recipient")
