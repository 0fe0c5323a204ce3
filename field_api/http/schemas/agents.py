"""What crosses the wire about agents and their time."""

from __future__ import annotations

import marshmallow as ma

from field_api.http.schemas.planning import CoordinatesSchema

TAG = ma.validate.Length(2, 35)
LANGUAGES = ma.validate.Length(1, 20)


class NewAgentSchema(ma.Schema):
    code = ma.fields.String(required=True, validate=ma.validate.Length(1, 20))
    name = ma.fields.String(required=True, validate=ma.validate.Length(1, 200))
    languages = ma.fields.List(ma.fields.String(validate=TAG), required=True, validate=LANGUAGES)
    timezone = ma.fields.String(required=True, validate=ma.validate.Length(1, 64))
    territory = ma.fields.String(load_default="", validate=ma.validate.Length(max=200))


class LanguagesSchema(ma.Schema):
    languages = ma.fields.List(ma.fields.String(validate=TAG), required=True, validate=LANGUAGES)


class AgentSchema(ma.Schema):
    id = ma.fields.UUID()
    code = ma.fields.String()
    name = ma.fields.String()
    territory = ma.fields.String()
    languages = ma.fields.List(ma.fields.String())
    timezone = ma.fields.String()
    active = ma.fields.Boolean()


class NewShiftSchema(ma.Schema):
    """Local to the agent's time zone. Without `end` it ends where it starts."""

    starts_at = ma.fields.Time(required=True)
    ends_at = ma.fields.Time(required=True)
    start = ma.fields.Nested(CoordinatesSchema, required=True)
    end = ma.fields.Nested(CoordinatesSchema, load_default=None, allow_none=True)
    start_label = ma.fields.String(load_default="", validate=ma.validate.Length(max=200))
    end_label = ma.fields.String(load_default="", validate=ma.validate.Length(max=200))


class ShiftSchema(ma.Schema):
    weekday = ma.fields.Integer(metadata={"description": "0 Monday to 6 Sunday"})
    starts_at = ma.fields.Time()
    ends_at = ma.fields.Time()
    start_latitude = ma.fields.Float()
    start_longitude = ma.fields.Float()
    start_label = ma.fields.String()
    end_latitude = ma.fields.Float()
    end_longitude = ma.fields.Float()
    end_label = ma.fields.String()


class NewAbsenceSchema(ma.Schema):
    first_day = ma.fields.Date(required=True)
    last_day = ma.fields.Date(required=True)
    reason = ma.fields.String(load_default="", validate=ma.validate.Length(max=200))


class AbsenceSchema(NewAbsenceSchema):
    id = ma.fields.UUID()


class AgentWithTimesSchema(ma.Schema):
    agent = ma.fields.Nested(AgentSchema)
    shifts = ma.fields.List(ma.fields.Nested(ShiftSchema))
    absences = ma.fields.List(ma.fields.Nested(AbsenceSchema))
