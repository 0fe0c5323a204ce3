"""What crosses the wire about unlocks: the list, and the ones a manager has to look at."""

from __future__ import annotations

import marshmallow as ma

from field_api.domain.unlocks import ReviewReason, ReviewState
from field_api.domain.vocabulary import IdentityDocument, IdentityMethod, LockClaim
from field_api.http.paging import PageArguments
from field_api.http.schemas.audiences import MANAGERS
from field_api.http.schemas.labelled import Schema, confidential, internal, open_
from field_api.http.schemas.revealed import RevealedString

WHAT = ("passed", "failed", "opened")
STATES = tuple(state.value for state in ReviewState)
DECISIONS = tuple(state.value for state in ReviewState if state is not ReviewState.OPEN)
REASONS = tuple(reason.value for reason in ReviewReason)


class UnlockQuery(PageArguments):
    audiences = MANAGERS
    what = internal(ma.fields.String(load_default=None, validate=ma.validate.OneOf(WHAT)))
    agent = internal(ma.fields.UUID(load_default=None))
    visit = internal(ma.fields.UUID(load_default=None))
    since = internal(ma.fields.AwareDateTime(load_default=None))
    until = internal(ma.fields.AwareDateTime(load_default=None, metadata={"description": "exclusive"}))


class ReviewQuery(PageArguments):
    audiences = MANAGERS
    state = internal(ma.fields.String(load_default="open", validate=ma.validate.OneOf(STATES)))
    reason = internal(ma.fields.String(load_default=None, validate=ma.validate.OneOf(REASONS)))


class UnlockReviewSchema(Schema):
    audiences = MANAGERS
    id = internal(ma.fields.UUID())
    visit_id = internal(ma.fields.UUID())
    op = internal(ma.fields.UUID(attribute="op_id"))
    reason = internal(ma.fields.String(validate=ma.validate.OneOf(REASONS)))
    state = internal(ma.fields.String(validate=ma.validate.OneOf(STATES)))
    put_up_at = internal(ma.fields.AwareDateTime())
    decided_by = internal(ma.fields.UUID(allow_none=True))
    decided_at = internal(ma.fields.AwareDateTime(allow_none=True))
    note = confidential(RevealedString(allow_none=True))


class UnlockSchema(Schema):
    """One try at a lock, or one locked part that was shown."""

    audiences = MANAGERS
    id = internal(ma.fields.UUID())
    visit_id = internal(ma.fields.UUID())
    op = internal(ma.fields.UUID(attribute="op_id", allow_none=True))
    at = internal(ma.fields.AwareDateTime())
    what = internal(ma.fields.String(validate=ma.validate.OneOf(WHAT)))
    method = internal(
        ma.fields.String(allow_none=True, validate=ma.validate.OneOf([method.value for method in IdentityMethod]))
    )
    claim = internal(ma.fields.String(allow_none=True, validate=ma.validate.OneOf([c.value for c in LockClaim])))
    document = internal(
        ma.fields.String(allow_none=True, validate=ma.validate.OneOf([kind.value for kind in IdentityDocument]))
    )
    person_id = internal(ma.fields.UUID(allow_none=True))
    person = confidential(
        ma.fields.String(allow_none=True, metadata={"description": "whose lock; null for a failed try of another"})
    )
    agent_id = internal(ma.fields.UUID(allow_none=True))
    agent = open_(ma.fields.String(allow_none=True))
    distance_m = internal(ma.fields.Float(allow_none=True, metadata={"description": "metres from the address"}))
    distance_by = internal(ma.fields.String(allow_none=True, validate=ma.validate.OneOf(["position", "arrival"])))
    flags = internal(ma.fields.List(ma.fields.String()))
    review = internal(ma.fields.Nested(UnlockReviewSchema, allow_none=True))


class DecisionSchema(Schema):
    audiences = MANAGERS
    state = internal(ma.fields.String(required=True, validate=ma.validate.OneOf(DECISIONS)))
    note = confidential(
        ma.fields.String(load_default=None, allow_none=True, validate=ma.validate.Length(1, 2000),
                         metadata={"description": "needed for an objection"})
    )  # fmt: skip
