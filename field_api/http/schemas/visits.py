"""What crosses the wire about visits: the list, and the whole story for a manager."""

from __future__ import annotations

import marshmallow as ma

from field_api.http.paging import PageArguments
from field_api.http.schemas.audiences import BOOKS, MANAGERS
from field_api.http.schemas.labelled import Schema, confidential, internal, open_, place
from field_api.http.schemas.results import AttemptSchema, ContactCandidateSchema, DisputeSchema, PromiseSchema
from field_api.http.schemas.revealed import (
    Hexadecimal,
    Pairs,
    RevealedDate,
    RevealedInteger,
    RevealedJson,
    RevealedString,
)

STATES = ("planned", "published", "withdrawn", "done")


class VisitQuery(PageArguments):
    audiences = BOOKS
    day = internal(ma.fields.Date(load_default=None))
    agent = internal(ma.fields.UUID(load_default=None))
    state = internal(ma.fields.String(load_default=None, validate=ma.validate.OneOf(STATES)))


class VisitSchema(Schema):
    """A line of the list."""

    audiences = BOOKS

    id = internal(ma.fields.UUID(attribute="visit.id"))
    day = internal(ma.fields.Date())
    state = internal(ma.fields.String(attribute="visit.state"))
    agent_id = internal(ma.fields.UUID(attribute="visit.agent_id"))
    agent = open_(ma.fields.String())
    person = open_(ma.fields.String())
    street = place(ma.fields.String())
    number = place(ma.fields.String(allow_none=True))
    city = place(ma.fields.String(allow_none=True))
    outcome = confidential(
        ma.fields.String(allow_none=True, metadata={"description": "of the latest attempt (docs/outcomes.md)"})
    )
    planned_at = internal(ma.fields.AwareDateTime(attribute="visit.planned_at"))
    published_at = internal(ma.fields.AwareDateTime(attribute="visit.published_at", allow_none=True))
    withdrawn_at = internal(ma.fields.AwareDateTime(attribute="visit.withdrawn_at", allow_none=True))
    done_at = internal(ma.fields.AwareDateTime(attribute="visit.done_at", allow_none=True))


class StoryPersonSchema(Schema):
    audiences = MANAGERS
    id = internal(ma.fields.UUID())
    name = open_(ma.fields.String())
    alias = open_(ma.fields.String(allow_none=True))
    kind = internal(ma.fields.String())
    language = internal(ma.fields.String())


class StoryAddressSchema(Schema):
    audiences = MANAGERS
    id = internal(ma.fields.UUID())
    street = place(ma.fields.String())
    number = place(ma.fields.String(allow_none=True))
    interior = place(ma.fields.String(allow_none=True))
    neighbourhood = place(ma.fields.String(allow_none=True))
    city = place(ma.fields.String(allow_none=True))
    municipality = place(ma.fields.String(allow_none=True))
    postcode = place(ma.fields.String(allow_none=True))
    state = place(ma.fields.String(allow_none=True))
    country = place(ma.fields.String())
    hint = place(ma.fields.String(allow_none=True))
    latitude = place(ma.fields.Float(allow_none=True))
    longitude = place(ma.fields.Float(allow_none=True))
    timezone = place(ma.fields.String(allow_none=True))


class StoryStopSchema(Schema):
    audiences = MANAGERS
    position = internal(ma.fields.Integer())
    arrival_from = internal(ma.fields.AwareDateTime())
    arrival_to = internal(ma.fields.AwareDateTime())
    visit_until = internal(ma.fields.AwareDateTime())


class StoryAccountSchema(Schema):
    audiences = MANAGERS
    id = internal(ma.fields.UUID(attribute="account.id"))
    role = confidential(ma.fields.String())
    reference = confidential(RevealedString(attribute="account.reference"))
    product = confidential(RevealedString(attribute="account.product"))
    currency = confidential(ma.fields.String(attribute="account.currency"))
    balance_minor = confidential(RevealedInteger(attribute="account.balance_minor"))
    due_on = confidential(RevealedDate(attribute="account.due_on"))
    state = confidential(ma.fields.String(attribute="account.state"))


class StoryEventSchema(Schema):
    """One line of the story. `body` of a phone's operation: `recorded`, `verdict`, `effects`, `distance_m`, clocks."""

    audiences = MANAGERS

    id = internal(ma.fields.UUID())
    at = internal(ma.fields.AwareDateTime())
    kind = confidential(ma.fields.String())
    actor = internal(ma.fields.String(metadata={"description": "agent:ID, staff:ID or system; names are in `names`"}))
    op = internal(ma.fields.UUID(attribute="op_id", allow_none=True))
    flags = confidential(ma.fields.List(ma.fields.String()))
    body = confidential(RevealedJson())


class StoryHoldSchema(Schema):
    audiences = MANAGERS
    id = internal(ma.fields.UUID())
    kind = confidential(ma.fields.String())
    account_id = internal(ma.fields.UUID(allow_none=True))
    person_id = internal(ma.fields.UUID(allow_none=True))
    reason = confidential(RevealedString())
    op = internal(ma.fields.UUID(attribute="op_id"))
    placed_at = internal(ma.fields.AwareDateTime())
    lifted_at = internal(ma.fields.AwareDateTime(allow_none=True))


class CustodySchema(Schema):
    audiences = MANAGERS
    letter_id = internal(ma.fields.UUID())
    state = confidential(ma.fields.String())
    at = confidential(ma.fields.AwareDateTime())
    actor = confidential(ma.fields.String())
    op = confidential(ma.fields.UUID(attribute="op_id", allow_none=True))
    recipient = confidential(ma.fields.String(allow_none=True))


class StoryLetterSchema(Schema):
    audiences = MANAGERS
    id = internal(ma.fields.UUID())
    account_id = internal(ma.fields.UUID())
    person_id = internal(ma.fields.UUID())
    kind = confidential(ma.fields.String())
    language = confidential(ma.fields.String())
    serial = confidential(ma.fields.String())
    state = confidential(ma.fields.String())
    refusal = confidential(ma.fields.String(allow_none=True))
    content_sha256 = confidential(Hexadecimal(allow_none=True))
    issued_at = confidential(ma.fields.AwareDateTime(allow_none=True))


class LocationInquiriesSchema(Schema):
    """Third parties asked where the person sought is: on this visit, of these a second time, and on all visits."""

    audiences = MANAGERS
    here = internal(ma.fields.Integer())
    again = internal(ma.fields.Integer())
    in_all = internal(ma.fields.Integer())


class VisitStorySchema(Schema):
    audiences = MANAGERS
    id = internal(ma.fields.UUID(attribute="visit.id"))
    state = internal(ma.fields.String(attribute="visit.state"))
    assignment_version = internal(ma.fields.Integer(attribute="visit.assignment_version"))
    day = internal(ma.fields.Date(allow_none=True))
    agent_id = internal(ma.fields.UUID(attribute="visit.agent_id"))
    planned_at = internal(ma.fields.AwareDateTime(attribute="visit.planned_at"))
    published_at = internal(ma.fields.AwareDateTime(attribute="visit.published_at", allow_none=True))
    withdrawn_at = internal(ma.fields.AwareDateTime(attribute="visit.withdrawn_at", allow_none=True))
    done_at = internal(ma.fields.AwareDateTime(attribute="visit.done_at", allow_none=True))
    person = open_(ma.fields.Nested(StoryPersonSchema))
    address = place(ma.fields.Nested(StoryAddressSchema))
    stop = internal(ma.fields.Nested(StoryStopSchema, allow_none=True))
    accounts = confidential(Pairs(ma.fields.Nested(StoryAccountSchema), names=("account", "role")))
    events = confidential(ma.fields.List(ma.fields.Nested(StoryEventSchema)))
    events_cut = internal(ma.fields.Boolean(metadata={"description": "there are more than 1,000 events"}))
    attempts = confidential(ma.fields.List(ma.fields.Nested(AttemptSchema)))
    promises = confidential(ma.fields.List(ma.fields.Nested(PromiseSchema)))
    disputes = confidential(ma.fields.List(ma.fields.Nested(DisputeSchema)))
    contact_candidates = confidential(ma.fields.List(ma.fields.Nested(ContactCandidateSchema), attribute="candidates"))
    holds = confidential(ma.fields.List(ma.fields.Nested(StoryHoldSchema)))
    letters = confidential(ma.fields.List(ma.fields.Nested(StoryLetterSchema)))
    custody = confidential(ma.fields.List(ma.fields.Nested(CustodySchema)))
    names = open_(ma.fields.Dict(keys=ma.fields.UUID(), values=ma.fields.String()))
    location_inquiries = internal(ma.fields.Nested(LocationInquiriesSchema, attribute="inquiries"))
