"""What crosses the wire about visits: the list, and the whole story for a manager."""

from __future__ import annotations

import marshmallow as ma

from field_api.http.paging import PageArguments
from field_api.http.schemas.results import AttemptSchema, ContactCandidateSchema, DisputeSchema, PromiseSchema
from field_api.http.schemas.revealed import RevealedDate, RevealedInteger, RevealedJson, RevealedString

STATES = ("planned", "published", "withdrawn", "done")


class VisitQuery(PageArguments):
    day = ma.fields.Date(load_default=None)
    agent = ma.fields.UUID(load_default=None)
    state = ma.fields.String(load_default=None, validate=ma.validate.OneOf(STATES))


class VisitSchema(ma.Schema):
    """A line of the list."""

    id = ma.fields.UUID(attribute="visit.id")
    day = ma.fields.Date()
    state = ma.fields.String(attribute="visit.state")
    agent_id = ma.fields.UUID(attribute="visit.agent_id")
    agent = ma.fields.String()
    person = ma.fields.String()
    street = ma.fields.String()
    number = ma.fields.String(allow_none=True)
    city = ma.fields.String(allow_none=True)
    outcome = ma.fields.String(allow_none=True, metadata={"description": "of the latest attempt (docs/outcomes.md)"})
    planned_at = ma.fields.AwareDateTime(attribute="visit.planned_at")
    published_at = ma.fields.AwareDateTime(attribute="visit.published_at", allow_none=True)
    withdrawn_at = ma.fields.AwareDateTime(attribute="visit.withdrawn_at", allow_none=True)
    done_at = ma.fields.AwareDateTime(attribute="visit.done_at", allow_none=True)


class StoryPersonSchema(ma.Schema):
    id = ma.fields.UUID()
    name = ma.fields.String()
    alias = ma.fields.String(allow_none=True)
    kind = ma.fields.String()
    language = ma.fields.String()


class StoryAddressSchema(ma.Schema):
    id = ma.fields.UUID()
    street = ma.fields.String()
    number = ma.fields.String(allow_none=True)
    interior = ma.fields.String(allow_none=True)
    neighbourhood = ma.fields.String(allow_none=True)
    city = ma.fields.String(allow_none=True)
    municipality = ma.fields.String(allow_none=True)
    postcode = ma.fields.String(allow_none=True)
    state = ma.fields.String(allow_none=True)
    country = ma.fields.String()
    hint = ma.fields.String(allow_none=True)
    latitude = ma.fields.Float(allow_none=True)
    longitude = ma.fields.Float(allow_none=True)
    timezone = ma.fields.String(allow_none=True)


class StoryStopSchema(ma.Schema):
    position = ma.fields.Integer()
    arrival_from = ma.fields.AwareDateTime()
    arrival_to = ma.fields.AwareDateTime()
    visit_until = ma.fields.AwareDateTime()


class StoryAccountSchema(ma.Schema):
    id = ma.fields.UUID(attribute="account.id")
    role = ma.fields.String()
    reference = RevealedString(attribute="account.reference")
    product = RevealedString(attribute="account.product")
    currency = ma.fields.String(attribute="account.currency")
    balance_minor = RevealedInteger(attribute="account.balance_minor")
    due_on = RevealedDate(attribute="account.due_on")
    state = ma.fields.String(attribute="account.state")


class StoryEventSchema(ma.Schema):
    """One line of the story. `body` of a phone's operation: `recorded`, `verdict`, `effects`, `distance_m`, clocks."""

    id = ma.fields.UUID()
    at = ma.fields.AwareDateTime()
    kind = ma.fields.String()
    actor = ma.fields.String(metadata={"description": "agent:ID, staff:ID or system; names are in `names`"})
    op = ma.fields.UUID(attribute="op_id", allow_none=True)
    flags = ma.fields.List(ma.fields.String())
    body = RevealedJson()


class StoryHoldSchema(ma.Schema):
    id = ma.fields.UUID()
    kind = ma.fields.String()
    account_id = ma.fields.UUID(allow_none=True)
    person_id = ma.fields.UUID(allow_none=True)
    reason = RevealedString()
    op = ma.fields.UUID(attribute="op_id")
    placed_at = ma.fields.AwareDateTime()
    lifted_at = ma.fields.AwareDateTime(allow_none=True)


class CustodySchema(ma.Schema):
    letter_id = ma.fields.UUID()
    state = ma.fields.String()
    at = ma.fields.AwareDateTime()
    actor = ma.fields.String()
    op = ma.fields.UUID(attribute="op_id", allow_none=True)
    recipient = ma.fields.String(allow_none=True)


class StoryLetterSchema(ma.Schema):
    id = ma.fields.UUID()
    account_id = ma.fields.UUID()
    person_id = ma.fields.UUID()
    kind = ma.fields.String()
    language = ma.fields.String()
    serial = ma.fields.String()
    state = ma.fields.String()
    refusal = ma.fields.String(allow_none=True)
    content_sha256 = ma.fields.Function(lambda letter: letter.content_sha256.hex() if letter.content_sha256 else None)
    issued_at = ma.fields.AwareDateTime(allow_none=True)


class VisitStorySchema(ma.Schema):
    id = ma.fields.UUID(attribute="visit.id")
    state = ma.fields.String(attribute="visit.state")
    assignment_version = ma.fields.Integer(attribute="visit.assignment_version")
    day = ma.fields.Date(allow_none=True)
    agent_id = ma.fields.UUID(attribute="visit.agent_id")
    planned_at = ma.fields.AwareDateTime(attribute="visit.planned_at")
    published_at = ma.fields.AwareDateTime(attribute="visit.published_at", allow_none=True)
    withdrawn_at = ma.fields.AwareDateTime(attribute="visit.withdrawn_at", allow_none=True)
    done_at = ma.fields.AwareDateTime(attribute="visit.done_at", allow_none=True)
    person = ma.fields.Nested(StoryPersonSchema)
    address = ma.fields.Nested(StoryAddressSchema)
    stop = ma.fields.Nested(StoryStopSchema, allow_none=True)
    accounts = ma.fields.Function(
        lambda story: StoryAccountSchema(many=True).dump(
            [{"account": account, "role": role} for account, role in story.accounts]
        )
    )
    events = ma.fields.List(ma.fields.Nested(StoryEventSchema))
    events_cut = ma.fields.Boolean(metadata={"description": "there are more than 1,000 events"})
    attempts = ma.fields.List(ma.fields.Nested(AttemptSchema))
    promises = ma.fields.List(ma.fields.Nested(PromiseSchema))
    disputes = ma.fields.List(ma.fields.Nested(DisputeSchema))
    contact_candidates = ma.fields.List(ma.fields.Nested(ContactCandidateSchema), attribute="candidates")
    holds = ma.fields.List(ma.fields.Nested(StoryHoldSchema))
    letters = ma.fields.List(ma.fields.Nested(StoryLetterSchema))
    custody = ma.fields.List(ma.fields.Nested(CustodySchema))
    names = ma.fields.Dict(keys=ma.fields.UUID(), values=ma.fields.String())
