"""What crosses the wire about letters that the office looks after: where each paper lies and what is to be done."""

from __future__ import annotations

import marshmallow as ma

from field_api.domain.letter_custody import Chased
from field_api.http.paging import PageArguments
from field_api.http.schemas.audiences import OFFICE
from field_api.http.schemas.labelled import Schema, confidential, internal, open_
from field_api.usecases.hand_in_letters import MAX_SERIALS
from field_api.usecases.print_letter import MAX_REASON

WHYS = tuple(why.value for why in Chased)


class ChaseQuery(PageArguments):
    why = internal(
        ma.fields.String(
            required=True,
            validate=ma.validate.OneOf(WHYS),
            metadata={"description": "which list; /papers/chase/overview counts them all"},
        )
    )


class ChasedLetterSchema(Schema):
    audiences = OFFICE
    id = internal(ma.fields.UUID(required=True))
    visit_id = internal(ma.fields.UUID(required=True))
    serial = confidential(ma.fields.String(required=True))
    name = open_(ma.fields.String(required=True, metadata={"description": "in the envelope's window"}))
    kind = confidential(ma.fields.String(required=True))
    state = confidential(ma.fields.String(required=True))
    to_do = confidential(ma.fields.String(required=True))
    agent_code = open_(
        ma.fields.String(required=True, allow_none=True, metadata={"description": "in whose stack it lies, or will"})
    )
    on = internal(ma.fields.Date(required=True, allow_none=True, metadata={"description": "the stack's day"}))
    stop = internal(ma.fields.Integer(required=True, allow_none=True, metadata={"description": "behind which stop"}))
    to_agent_code = open_(ma.fields.String(required=True, allow_none=True))
    to_on = internal(ma.fields.Date(required=True, allow_none=True))
    to_stop = internal(ma.fields.Integer(required=True, allow_none=True))
    since = confidential(ma.fields.AwareDateTime(required=True, metadata={"description": "in this state since"}))
    refusal = confidential(ma.fields.String(required=True, allow_none=True))


class ChaseCountSchema(Schema):
    audiences = OFFICE
    why = internal(ma.fields.String(required=True))
    count = confidential(ma.fields.Integer(required=True, metadata={"description": "1001: more than a thousand"}))


class RefusedOfCreditorSchema(Schema):
    audiences = OFFICE
    creditor_id = internal(ma.fields.UUID(required=True))
    creditor = confidential(ma.fields.String(required=True))
    refusal = confidential(ma.fields.String(required=True))
    count = confidential(ma.fields.Integer(required=True))


class ChaseOverviewSchema(Schema):
    audiences = OFFICE
    counts = internal(ma.fields.List(ma.fields.Nested(ChaseCountSchema), required=True))
    refused = internal(ma.fields.List(ma.fields.Nested(RefusedOfCreditorSchema), required=True))


class PrintOptions(Schema):
    """Query of a stack for the printer."""

    audiences = OFFICE
    unprinted = internal(
        ma.fields.Boolean(load_default=False, metadata={"description": "only letters that were never printed"})
    )


class PrintLetterSchema(Schema):
    audiences = OFFICE
    reason = confidential(
        ma.fields.String(
            load_default="",
            validate=ma.validate.Length(max=MAX_REASON),
            metadata={"description": "why a copy is printed; required for one"},
        )
    )


class HandInSchema(Schema):
    """What an agent brings back in the evening, by serial number as typed or scanned."""

    audiences = OFFICE
    on = internal(ma.fields.Date(required=True, metadata={"description": "the day of the stack"}))
    serials = confidential(
        ma.fields.List(
            ma.fields.String(validate=ma.validate.Length(1, 40)),
            load_default=list,
            validate=ma.validate.Length(max=MAX_SERIALS),
            metadata={"description": "none: only say what is expected"},
        )
    )


class HandInLineSchema(Schema):
    audiences = OFFICE
    typed = internal(ma.fields.Integer(required=True, metadata={"description": "place among the serials, from 0"}))
    result = confidential(ma.fields.String(required=True))
    was = confidential(ma.fields.String(required=True, allow_none=True))


class StillOutSchema(Schema):
    audiences = OFFICE
    id = internal(ma.fields.UUID(required=True))
    serial = confidential(ma.fields.String(required=True))
    stop = internal(ma.fields.Integer(required=True))
    name = open_(ma.fields.String(required=True))
    state = confidential(ma.fields.String(required=True))


class HandedInSchema(Schema):
    audiences = OFFICE
    lines = internal(ma.fields.List(ma.fields.Nested(HandInLineSchema), required=True))
    missing = internal(ma.fields.List(ma.fields.Nested(StillOutSchema), required=True))
