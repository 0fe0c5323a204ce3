"""What crosses the wire about creditors' letter templates."""

from __future__ import annotations

import marshmallow as ma

from field_api.domain.letter_templates import MAX_SOURCE_BYTES, TemplateState
from field_api.domain.sample_letters import KINDS
from field_api.http.schemas.audiences import CARRIERS, OFFICE
from field_api.http.schemas.labelled import Schema, confidential, internal
from field_api.http.schemas.revealed import Hexadecimal
from field_api.rules.letters import LANGUAGES

KIND = ma.validate.OneOf(KINDS)
LANGUAGE = ma.validate.OneOf(LANGUAGES)


class NewLetterTemplateSchema(Schema):
    audiences = CARRIERS
    source = confidential(
        ma.fields.String(
            required=True,
            validate=ma.validate.Length(1, MAX_SOURCE_BYTES),
            metadata={"description": "Typst: docs/letter-templates.md"},
        )
    )
    kinds = internal(ma.fields.List(ma.fields.String(validate=KIND), metadata={"description": "none: all"}))
    languages = internal(
        ma.fields.List(ma.fields.String(validate=LANGUAGE), metadata={"description": "of addressees; none: all"})
    )


class LetterTemplateSchema(Schema):
    audiences = CARRIERS | OFFICE
    id = internal(ma.fields.UUID())
    creditor_id = internal(ma.fields.UUID())
    version = internal(ma.fields.Integer())
    kinds = internal(ma.fields.List(ma.fields.String()))
    languages = internal(ma.fields.List(ma.fields.String()))
    state = internal(ma.fields.String())
    sha256 = internal(Hexadecimal())
    created_at = internal(ma.fields.AwareDateTime())
    created_by = internal(ma.fields.String())
    state_at = internal(ma.fields.AwareDateTime())
    state_by = internal(ma.fields.String())


class PreviewSchema(Schema):
    audiences = OFFICE
    jurisdiction = internal(ma.fields.String(required=True, validate=ma.validate.Length(2, 12)))
    kind = internal(ma.fields.String(load_default="notification", validate=KIND))
    language = internal(ma.fields.String(load_default="", validate=ma.validate.OneOf(["", *LANGUAGES])))
    hard = internal(ma.fields.Boolean(load_default=False, metadata={"description": "every field as long as may be"}))


class TemplateStateSchema(Schema):
    audiences = CARRIERS
    state = internal(
        ma.fields.String(
            required=True, validate=ma.validate.OneOf([TemplateState.ACTIVE.value, TemplateState.RETIRED.value])
        )
    )
