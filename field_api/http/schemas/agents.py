"""What crosses the wire about agents and their time."""

from __future__ import annotations

import marshmallow as ma

from field_api.domain.disclosure import Audience
from field_api.http.schemas.audiences import KEEPERS, OFFICE
from field_api.http.schemas.labelled import Schema, internal, open_, personal, place
from field_api.http.schemas.planning import CoordinatesSchema

TAG = ma.validate.Length(2, 35)
LANGUAGES = ma.validate.Length(1, 20)
WORD = ma.fields.String(validate=ma.validate.Length(1, 60))
WORDS = ma.validate.Length(max=500)


class NewAgentSchema(Schema):
    audiences = KEEPERS
    code = internal(ma.fields.String(required=True, validate=ma.validate.Length(1, 20)))
    name = open_(ma.fields.String(required=True, validate=ma.validate.Length(1, 200)))
    languages = internal(ma.fields.List(ma.fields.String(validate=TAG), required=True, validate=LANGUAGES))
    timezone = internal(ma.fields.String(required=True, validate=ma.validate.Length(1, 64)))
    territory = internal(ma.fields.String(load_default="", validate=ma.validate.Length(max=200)))
    skills = internal(ma.fields.List(WORD, validate=WORDS))
    territories = internal(ma.fields.List(WORD, validate=WORDS))
    most_stops = internal(ma.fields.Integer())


class AgentChangesSchema(Schema):
    """What is left out stays as it is. Territories are the agency's (none: anywhere), 0 stops are no limit."""

    audiences = KEEPERS
    skills = internal(ma.fields.List(WORD, validate=WORDS))
    territories = internal(ma.fields.List(WORD, validate=WORDS))
    most_stops = internal(ma.fields.Integer())


class LanguagesSchema(Schema):
    audiences = KEEPERS
    languages = internal(ma.fields.List(ma.fields.String(validate=TAG), required=True, validate=LANGUAGES))


class AgentSchema(Schema):
    audiences = KEEPERS | {Audience.INTEGRATOR}
    id = internal(ma.fields.UUID())
    code = internal(ma.fields.String())
    name = open_(ma.fields.String())
    territory = internal(ma.fields.String())
    languages = internal(ma.fields.List(ma.fields.String()))
    skills = internal(ma.fields.List(ma.fields.String()))
    territories = internal(ma.fields.List(ma.fields.String()))
    most_stops = internal(ma.fields.Integer(allow_none=True))
    timezone = internal(ma.fields.String())
    active = internal(ma.fields.Boolean())


class LunchSchema(Schema):
    """A pause wherever the agent then is, begun between the two local times."""

    audiences = OFFICE
    minutes = internal(ma.fields.Integer(required=True))
    begins_from = internal(ma.fields.Time(required=True))
    begins_until = internal(ma.fields.Time(required=True))


class NewShiftSchema(Schema):
    """Local to the agent's time zone. Without `end` it ends where it starts."""

    audiences = OFFICE

    starts_at = internal(ma.fields.Time(required=True))
    ends_at = internal(ma.fields.Time(required=True))
    start = place(ma.fields.Nested(CoordinatesSchema, required=True))
    end = place(ma.fields.Nested(CoordinatesSchema, load_default=None, allow_none=True))
    start_label = place(ma.fields.String(load_default="", validate=ma.validate.Length(max=200)))
    end_label = place(ma.fields.String(load_default="", validate=ma.validate.Length(max=200)))
    lunch = internal(ma.fields.Nested(LunchSchema, load_default=None, allow_none=True))


class ShiftSchema(Schema):
    audiences = OFFICE
    weekday = internal(ma.fields.Integer(metadata={"description": "0 Monday to 6 Sunday"}))
    starts_at = internal(ma.fields.Time())
    ends_at = internal(ma.fields.Time())
    lunch_minutes = internal(ma.fields.Integer(allow_none=True))
    lunch_from = internal(ma.fields.Time(allow_none=True))
    lunch_until = internal(ma.fields.Time(allow_none=True))
    start_latitude = place(ma.fields.Float())
    start_longitude = place(ma.fields.Float())
    start_label = place(ma.fields.String())
    end_latitude = place(ma.fields.Float())
    end_longitude = place(ma.fields.Float())
    end_label = place(ma.fields.String())


class NewAbsenceSchema(Schema):
    audiences = OFFICE
    first_day = internal(ma.fields.Date(required=True))
    last_day = internal(ma.fields.Date(required=True))
    reason = personal(ma.fields.String(load_default="", validate=ma.validate.Length(max=200)))


class AbsenceSchema(NewAbsenceSchema):
    id = internal(ma.fields.UUID())


class AgentWithTimesSchema(Schema):
    audiences = OFFICE
    agent = open_(ma.fields.Nested(AgentSchema))
    shifts = place(ma.fields.List(ma.fields.Nested(ShiftSchema)))
    absences = personal(ma.fields.List(ma.fields.Nested(AbsenceSchema)))


class VisitNeedsSchema(Schema):
    """Known times like `mon-fri 18:00-21:00`, local there (none: any); skills that whoever is sent there must have."""

    audiences = OFFICE
    known_times = personal(ma.fields.List(ma.fields.String(validate=ma.validate.Length(1, 40)), validate=WORDS))
    skills = personal(ma.fields.List(WORD, validate=WORDS))


class NotedNeedsSchema(Schema):
    audiences = OFFICE
    known_times = personal(ma.fields.List(ma.fields.String()))
    skills = personal(ma.fields.List(ma.fields.String(), attribute="needed_skills"))
