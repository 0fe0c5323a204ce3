"""What crosses the wire about how letters look and what they lack: creditors' brands, the agency's own particulars."""

from __future__ import annotations

import marshmallow as ma
from flask_smorest.fields import Upload

from field_api.domain.letter_brand import (
    LONGEST_LINE,
    LONGEST_PARAGRAPH,
    MOST_LINES,
    MOST_PARAGRAPHS,
    NAMES,
)
from field_api.domain.letter_particulars import LONGEST, MOST_PERSONS
from field_api.http.schemas.audiences import BOOKS, CARRIERS, KEEPERS, SYSTEM
from field_api.http.schemas.labelled import Schema, confidential, internal, on_request

LINE = ma.fields.String(validate=ma.validate.Length(1, LONGEST_LINE))
PARAGRAPHS = ma.fields.List(
    ma.fields.String(validate=ma.validate.Length(1, LONGEST_PARAGRAPH)),
    validate=ma.validate.Length(max=MOST_PARAGRAPHS),
)
SHA256 = ma.validate.Regexp(r"\A([0-9a-f]{64})?\Z")
PARTICULAR = ma.validate.Length(max=LONGEST)


class NewBrandSchema(Schema):
    """All of it: what is not sent is the house's own look. Pictures are sent before, each by itself."""

    audiences = CARRIERS

    in_name_of = confidential(ma.fields.String(validate=ma.validate.OneOf(NAMES)))
    colour = confidential(ma.fields.String(metadata={"description": "#rrggbb, dark enough on white paper"}))
    logo = confidential(ma.fields.String(validate=SHA256, metadata={"description": "a picture's SHA-256"}))
    sender_lines = confidential(ma.fields.List(LINE, validate=ma.validate.Length(max=MOST_LINES)))
    signature_name = confidential(ma.fields.String(validate=ma.validate.Length(max=LONGEST_LINE)))
    signature_title = confidential(ma.fields.String(validate=ma.validate.Length(max=LONGEST_LINE)))
    signature_image = confidential(ma.fields.String(validate=SHA256))
    paragraphs = confidential(
        ma.fields.Dict(
            keys=ma.fields.String(),
            values=ma.fields.Dict(keys=ma.fields.String(), values=PARAGRAPHS),
            metadata={"description": "by kind of letter, then by language: the creditor's own words"},
        )
    )


class BrandSchema(Schema):
    audiences = BOOKS
    version = confidential(ma.fields.String(metadata={"description": "the ETag: what If-Match says of a change"}))
    in_name_of = confidential(ma.fields.String())
    colour = confidential(ma.fields.String())
    logo = confidential(ma.fields.String())
    sender_lines = confidential(ma.fields.List(ma.fields.String()))
    signature_name = confidential(ma.fields.String())
    signature_title = confidential(ma.fields.String())
    signature_image = confidential(ma.fields.String())
    paragraphs = confidential(ma.fields.Dict())


class BrandHeaders(Schema):
    """Not required by the schema: the answer without it is 428, with an older one 412."""

    audiences = CARRIERS
    if_match = internal(
        ma.fields.String(data_key="If-Match", metadata={"description": "the version that was looked at; * for any"})
    )


class PictureUploadSchema(Schema):
    audiences = CARRIERS
    file = confidential(Upload(required=True, metadata={"description": "PNG or SVG, at most 256 KiB"}))


class PictureSchema(Schema):
    audiences = CARRIERS
    sha256 = confidential(ma.fields.String(metadata={"description": "of what is kept: what is drawn and nothing else"}))
    form = internal(ma.fields.String(metadata={"description": "png or svg"}))
    length_bytes = internal(ma.fields.Integer())


class ParticularsSchema(Schema):
    """What letters say of the agency beside its name and address. What is not sent stays, an empty text goes."""

    audiences = KEEPERS

    responsible_persons = on_request(
        ma.fields.List(
            ma.fields.String(validate=ma.validate.Length(1, LONGEST)), validate=ma.validate.Length(max=MOST_PERSONS)
        )
    )
    registration = on_request(ma.fields.String(validate=PARTICULAR))
    permit_number = on_request(ma.fields.String(validate=PARTICULAR))
    supervisory_authority = on_request(ma.fields.String(validate=PARTICULAR))
    vat_statement = on_request(ma.fields.String(validate=PARTICULAR))
    interest_calculation = on_request(ma.fields.String(validate=PARTICULAR))


class NewParticularsSchema(ParticularsSchema):
    audiences = SYSTEM


class LackSchema(Schema):
    audiences = BOOKS
    field = internal(ma.fields.String(required=True))
    source = internal(ma.fields.String(required=True, metadata={"description": "the rule that asks for it"}))
    of = internal(ma.fields.String(required=True, metadata={"description": "agency, creditor or account"}))
    accounts = confidential(
        ma.fields.Integer(required=True, allow_none=True, metadata={"description": "how many lack it"})
    )


class ReadinessSchema(Schema):
    """What letters of one place lack, before any plan is made."""

    audiences = BOOKS
    jurisdiction = internal(ma.fields.String(required=True))
    accounts = confidential(ma.fields.Integer(required=True))
    rules = internal(ma.fields.Boolean(required=True, metadata={"description": "no: nothing is written there"}))
    lacks = internal(ma.fields.List(ma.fields.Nested(LackSchema), required=True))
    outside = confidential(
        ma.fields.List(
            ma.fields.String(),
            required=True,
            metadata={
                "description": "what of the sender may stand on an envelope: the address, a name that tells nothing"
            },
        )
    )
