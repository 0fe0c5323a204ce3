"""What crosses the wire about attempts, promises, disputes and contact candidates."""

from __future__ import annotations

import marshmallow as ma

from field_api.domain.vocabulary import ContactKind
from field_api.http.paging import MAX_LIMIT, PageArguments
from field_api.http.schemas.revealed import RevealedDate, RevealedInteger, RevealedJson, RevealedString

MAX_ATTEMPTS = 1_000
CANDIDATE_STATES = ("new", "accepted", "rejected")


class AttemptQuery(ma.Schema):
    after = ma.fields.Integer(
        load_default=0,
        validate=ma.validate.Range(0, 2**31 - 1),
        metadata={"description": "`next` of the call before; 0 at first"},
    )
    limit = ma.fields.Integer(load_default=MAX_LIMIT, validate=ma.validate.Range(1, MAX_ATTEMPTS))


class AttemptSchema(ma.Schema):
    """One contact attempt about one account. `number` is dense and in commit order."""

    number = ma.fields.Integer()
    id = ma.fields.UUID()
    account_id = ma.fields.UUID()
    person_id = ma.fields.UUID()
    visit_id = ma.fields.UUID(allow_none=True)
    op = ma.fields.UUID(attribute="op_id")
    agent_id = ma.fields.UUID(allow_none=True)
    channel = ma.fields.String()
    at = ma.fields.AwareDateTime()
    received_at = ma.fields.AwareDateTime()
    outcome = ma.fields.String()
    right_party = ma.fields.Boolean()
    late = ma.fields.Boolean()
    flags = ma.fields.List(ma.fields.String())
    detail = RevealedJson(metadata={"description": "the outcome as recorded (docs/outcomes.md)"})
    latitude = ma.fields.Float(allow_none=True)
    longitude = ma.fields.Float(allow_none=True)
    accuracy_m = ma.fields.Float(allow_none=True)
    distance_m = ma.fields.Float(allow_none=True)
    from_paper = ma.fields.Boolean()


class PolledAttemptSchema(AttemptSchema):
    account_reference = RevealedString()
    creditor_id = ma.fields.UUID()


class AttemptsSchema(ma.Schema):
    items = ma.fields.List(ma.fields.Nested(PolledAttemptSchema), required=True)
    next = ma.fields.Integer(required=True, metadata={"description": "send as `after` the next time, at the end too"})
    more = ma.fields.Boolean(required=True)


class PromiseSchema(ma.Schema):
    id = ma.fields.UUID()
    account_id = ma.fields.UUID()
    person_id = ma.fields.UUID()
    visit_id = ma.fields.UUID(allow_none=True)
    op = ma.fields.UUID(attribute="op_id")
    position = ma.fields.Integer()
    kind = ma.fields.String()
    amount_minor = RevealedInteger()
    currency = ma.fields.String()
    due_on = RevealedDate()
    state = ma.fields.String()
    flags = ma.fields.List(ma.fields.String())
    made_at = ma.fields.AwareDateTime()


class DisputeSchema(ma.Schema):
    id = ma.fields.UUID()
    account_id = ma.fields.UUID()
    person_id = ma.fields.UUID()
    visit_id = ma.fields.UUID(allow_none=True)
    op = ma.fields.UUID(attribute="op_id")
    reason = ma.fields.String()
    words = RevealedString(allow_none=True)
    state = ma.fields.String()
    opened_at = ma.fields.AwareDateTime()


class ContactCandidateSchema(ma.Schema):
    id = ma.fields.UUID()
    person_id = ma.fields.UUID()
    visit_id = ma.fields.UUID(allow_none=True)
    op = ma.fields.UUID(attribute="op_id")
    position = ma.fields.Integer()
    kind = ma.fields.String()
    value = RevealedJson()
    source = ma.fields.String()
    usable = ma.fields.Boolean()
    flags = ma.fields.Function(lambda candidate: [flag for flag in candidate.flags.split(",") if flag])
    state = ma.fields.String()
    recorded_at = ma.fields.AwareDateTime()
    decided_at = ma.fields.AwareDateTime(allow_none=True)
    decided_by = ma.fields.UUID(allow_none=True)


class ListedCandidateSchema(ma.Schema):
    candidate = ma.fields.Nested(ContactCandidateSchema)
    person = ma.fields.String()


class AccountResultQuery(PageArguments):
    account = ma.fields.UUID(load_default=None)


class PromiseQuery(AccountResultQuery):
    state = ma.fields.String(load_default=None, validate=ma.validate.OneOf(("open", "kept", "broken", "replaced")))


class DisputeQuery(AccountResultQuery):
    state = ma.fields.String(load_default=None, validate=ma.validate.OneOf(("open", "upheld", "rejected")))


class CandidateQuery(PageArguments):
    state = ma.fields.String(load_default="new", validate=ma.validate.OneOf(CANDIDATE_STATES))
    kind = ma.fields.String(load_default=None, validate=ma.validate.OneOf([kind.value for kind in ContactKind]))
