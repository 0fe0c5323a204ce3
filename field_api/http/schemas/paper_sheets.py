"""What crosses the wire when a paper sheet is typed in: its rows as they stand on it, and what became of each."""

from __future__ import annotations

from typing import Any

import marshmallow as ma

from field_api.domain.paper_entry import TypedRow
from field_api.http.schemas.audiences import OFFICE
from field_api.http.schemas.labelled import Schema, confidential, internal, open_, personal, place

MOST_ROWS = 500
_LONGEST = ma.validate.Length(max=4_000)


def _text() -> ma.fields.String:
    return ma.fields.String(load_default="", allow_none=True, validate=_LONGEST)


class TypedRowSchema(Schema):
    """Empty where nothing is written on the paper."""

    audiences = OFFICE
    time = internal(_text())  # local, at the address
    box = confidential(_text())
    letter = confidential(_text())
    envelope = confidential(_text())
    phone = personal(_text())
    email = personal(_text())
    address = personal(_text())
    person = personal(_text())
    note = confidential(_text())


class NamedRowSchema(TypedRowSchema):
    """`row` as it stands on the paper: 3, or 3b where several people are sought at one stop."""

    audiences = OFFICE
    row = internal(ma.fields.String(required=True, validate=ma.validate.Length(min=1, max=12)))

    @ma.post_load
    def _typed(self, data: dict[str, Any], **_: object) -> tuple[str, TypedRow]:
        return data.pop("row"), TypedRow.of(data)


class PaperSheetSchema(Schema):
    """`issue`: the mark in the paper's foot; without it the newest print is meant."""

    audiences = OFFICE
    issue = internal(ma.fields.String(load_default=None, allow_none=True, validate=ma.validate.Length(max=12)))
    rows = confidential(
        ma.fields.List(ma.fields.Nested(NamedRowSchema), required=True, validate=ma.validate.Length(max=MOST_ROWS))
    )


class ReportedSchema(Schema):
    audiences = OFFICE
    kind = confidential(ma.fields.String(required=True))
    what = confidential(ma.fields.String(required=True))
    at = confidential(ma.fields.AwareDateTime(required=True))
    late = internal(ma.fields.Boolean(required=True))


class UnreadableSchema(Schema):
    audiences = OFFICE
    field = internal(ma.fields.String(required=True))
    trouble = internal(ma.fields.String(required=True))


class EnteredOperationSchema(Schema):
    audiences = OFFICE
    id = internal(ma.fields.UUID(required=True))
    kind = confidential(ma.fields.String(required=True))
    verdict = internal(ma.fields.String(required=True, attribute="effect.verdict"))
    flags = confidential(ma.fields.List(ma.fields.String(), required=True, attribute="effect.flags"))


class EnteredRowSchema(Schema):
    audiences = OFFICE
    row = internal(ma.fields.String(required=True))
    visit_id = internal(ma.fields.UUID(required=True, allow_none=True))
    state = confidential(ma.fields.String(required=True))
    operations = confidential(ma.fields.List(ma.fields.Nested(EnteredOperationSchema), required=True))
    unreadable = internal(ma.fields.List(ma.fields.Nested(UnreadableSchema), required=True))
    reported = confidential(ma.fields.List(ma.fields.Nested(ReportedSchema), required=True))
    differs = confidential(ma.fields.Boolean(required=True))


class EnteredSheetSchema(Schema):
    audiences = OFFICE
    issue = internal(ma.fields.String(required=True))
    rows = confidential(ma.fields.List(ma.fields.Nested(EnteredRowSchema), required=True))


class FormRowSchema(Schema):
    audiences = OFFICE
    row = internal(ma.fields.String(required=True))
    visit_id = internal(ma.fields.UUID(required=True))
    name = open_(ma.fields.String(required=True))
    address = place(ma.fields.String(required=True))
    timezone = place(ma.fields.String(required=True, attribute="zone.key"))
    typed = confidential(ma.fields.Nested(TypedRowSchema, required=True, allow_none=True))
    reported = confidential(ma.fields.List(ma.fields.Nested(ReportedSchema), required=True))
    differs = confidential(ma.fields.Boolean(required=True))


class PaperFormSchema(Schema):
    """`issues`: the marks of every print of this route, the newest first."""

    audiences = OFFICE
    agent_code = open_(ma.fields.String(required=True))
    agent_name = open_(ma.fields.String(required=True))
    for_day = internal(ma.fields.Date(required=True))
    issue = internal(ma.fields.String(required=True))
    issues = internal(ma.fields.List(ma.fields.String(), required=True))
    rows = confidential(ma.fields.List(ma.fields.Nested(FormRowSchema), required=True))


class PaperFormQuery(Schema):
    audiences = OFFICE
    issue = internal(ma.fields.String(load_default=None, validate=ma.validate.Length(max=12)))
