"""What crosses the wire about attempts, promises, disputes and contact candidates."""

from __future__ import annotations

import marshmallow as ma

from field_api.domain.disclosure import Audience
from field_api.domain.told_attempts import MOST_AT_ONCE, MOST_REFERENCE
from field_api.domain.vocabulary import ContactKind, MadeBy, PromiseState, ToldChannel, ToldOutcome
from field_api.http.paging import MAX_LIMIT, PageArguments
from field_api.http.schemas.audiences import OFFICE, RESULTS
from field_api.http.schemas.labelled import Schema, confidential, internal, open_, personal, place
from field_api.http.schemas.revealed import CommaSeparated, RecordedJson, RevealedDate, RevealedInteger, RevealedString

MAX_ATTEMPTS = 1_000
REFERENCE = ma.validate.Length(1, MOST_REFERENCE)
CANDIDATE_STATES = ("new", "accepted", "rejected")


class AttemptQuery(Schema):
    audiences = RESULTS
    after = internal(
        ma.fields.Integer(
            load_default=0,
            validate=ma.validate.Range(0, 2**31 - 1),
            metadata={"description": "`next` of the call before; 0 at first"},
        )
    )
    limit = internal(ma.fields.Integer(load_default=MAX_LIMIT, validate=ma.validate.Range(1, MAX_ATTEMPTS)))


class AttemptSchema(Schema):
    """One contact attempt about one account. `number` is dense and in commit order."""

    audiences = RESULTS

    number = internal(ma.fields.Integer())
    id = internal(ma.fields.UUID())
    account_id = internal(ma.fields.UUID())
    person_id = internal(ma.fields.UUID())
    visit_id = internal(ma.fields.UUID(allow_none=True))
    op = internal(ma.fields.UUID(attribute="op_id"))
    agent_id = internal(ma.fields.UUID(allow_none=True))
    channel = internal(ma.fields.String())
    at = internal(ma.fields.AwareDateTime())
    received_at = internal(ma.fields.AwareDateTime())
    outcome = confidential(ma.fields.String())
    right_party = confidential(ma.fields.Boolean())
    late = internal(ma.fields.Boolean())
    flags = confidential(ma.fields.List(ma.fields.String()))
    detail = confidential(RecordedJson(metadata={"description": "the outcome as recorded (docs/outcomes.md)"}))
    latitude = place(ma.fields.Float(allow_none=True))
    longitude = place(ma.fields.Float(allow_none=True))
    accuracy_m = place(ma.fields.Float(allow_none=True))
    distance_m = place(ma.fields.Float(allow_none=True))
    from_paper = internal(ma.fields.Boolean())


class PolledAttemptSchema(AttemptSchema):
    account_reference = confidential(RevealedString())
    creditor_id = internal(ma.fields.UUID())


class AttemptsSchema(Schema):
    audiences = RESULTS
    items = confidential(ma.fields.List(ma.fields.Nested(PolledAttemptSchema), required=True))
    next = internal(
        ma.fields.Integer(required=True, metadata={"description": "send as `after` the next time, at the end too"})
    )
    more = internal(ma.fields.Boolean(required=True))


class ToldAttemptSchema(Schema):
    """An attempt on another channel. `id`: its own id where it comes from, once per account; `account`: the creditor's
    reference; `at`: a time with its offset, or a day. What outcomes a channel has: docs/outcomes.md."""

    audiences = OFFICE | {Audience.INTEGRATOR}
    id = confidential(ma.fields.String(required=True, validate=REFERENCE))
    account = confidential(ma.fields.String(required=True, validate=REFERENCE))
    channel = confidential(ma.fields.String(required=True, validate=ma.validate.OneOf([*ToldChannel])))
    at = confidential(ma.fields.String(required=True, validate=ma.validate.Length(10, 40)))
    outcome = confidential(ma.fields.String(required=True, validate=ma.validate.OneOf([*ToldOutcome])))
    by = confidential(ma.fields.String(load_default="agency", validate=ma.validate.OneOf([*MadeBy])))


class ToldAttemptsSchema(Schema):
    audiences = OFFICE | {Audience.INTEGRATOR}
    creditor_id = internal(ma.fields.UUID(required=True))
    attempts = confidential(
        ma.fields.List(ma.fields.Nested(ToldAttemptSchema), required=True, validate=ma.validate.Length(1, MOST_AT_ONCE))
    )


class RefusedAttemptSchema(Schema):
    audiences = OFFICE | {Audience.INTEGRATOR}
    index = internal(ma.fields.Integer(metadata={"description": "which of `attempts`, from 0"}))
    field = internal(ma.fields.String())
    why = internal(ma.fields.String())


class KeptAttemptsSchema(Schema):
    audiences = OFFICE | {Audience.INTEGRATOR}
    recorded = internal(ma.fields.Integer())
    known = internal(ma.fields.Integer(metadata={"description": "recorded before: nothing was done"}))
    refused = internal(ma.fields.List(ma.fields.Nested(RefusedAttemptSchema)))


class PromiseSchema(Schema):
    audiences = RESULTS
    id = internal(ma.fields.UUID())
    account_id = internal(ma.fields.UUID())
    person_id = internal(ma.fields.UUID())
    visit_id = internal(ma.fields.UUID(allow_none=True))
    op = internal(ma.fields.UUID(attribute="op_id"))
    position = confidential(ma.fields.Integer())
    kind = confidential(ma.fields.String())
    amount_minor = confidential(RevealedInteger())
    currency = confidential(ma.fields.String())
    due_on = confidential(RevealedDate())
    state = confidential(ma.fields.String())
    flags = confidential(ma.fields.List(ma.fields.String()))
    made_at = confidential(ma.fields.AwareDateTime())


class DisputeSchema(Schema):
    audiences = RESULTS
    id = internal(ma.fields.UUID())
    account_id = internal(ma.fields.UUID())
    person_id = internal(ma.fields.UUID())
    visit_id = internal(ma.fields.UUID(allow_none=True))
    op = internal(ma.fields.UUID(attribute="op_id"))
    reason = confidential(ma.fields.String())
    words = confidential(RevealedString(allow_none=True))
    state = confidential(ma.fields.String())
    opened_at = confidential(ma.fields.AwareDateTime())


class ContactCandidateSchema(Schema):
    audiences = OFFICE | {Audience.INTEGRATOR}
    id = internal(ma.fields.UUID())
    person_id = internal(ma.fields.UUID())
    visit_id = internal(ma.fields.UUID(allow_none=True))
    op = internal(ma.fields.UUID(attribute="op_id"))
    position = internal(ma.fields.Integer())
    kind = personal(ma.fields.String())
    value = confidential(RecordedJson())
    source = personal(ma.fields.String())
    usable = internal(ma.fields.Boolean())
    flags = confidential(CommaSeparated(ma.fields.String()))
    state = internal(ma.fields.String())
    recorded_at = internal(ma.fields.AwareDateTime())
    decided_at = internal(ma.fields.AwareDateTime(allow_none=True))
    decided_by = internal(ma.fields.UUID(allow_none=True))


class ListedCandidateSchema(Schema):
    audiences = OFFICE | {Audience.INTEGRATOR}
    candidate = confidential(ma.fields.Nested(ContactCandidateSchema))
    person = open_(ma.fields.String())


class AccountResultQuery(PageArguments):
    audiences = RESULTS
    account = internal(ma.fields.UUID(load_default=None))


class PromiseQuery(AccountResultQuery):
    state = internal(ma.fields.String(load_default=None, validate=ma.validate.OneOf([*PromiseState])))


class DisputeQuery(AccountResultQuery):
    state = internal(ma.fields.String(load_default=None, validate=ma.validate.OneOf(("open", "upheld", "rejected"))))


class CandidateQuery(PageArguments):
    audiences = OFFICE | {Audience.INTEGRATOR}
    state = internal(ma.fields.String(load_default="new", validate=ma.validate.OneOf(CANDIDATE_STATES)))
    kind = internal(
        ma.fields.String(load_default=None, validate=ma.validate.OneOf([kind.value for kind in ContactKind]))
    )
