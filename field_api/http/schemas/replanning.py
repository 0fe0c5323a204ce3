"""What crosses the wire when a published day is planned again."""

from __future__ import annotations

import marshmallow as ma

from field_api.domain.disturbance import Weights
from field_api.domain.replanned import ChangeOfStop
from field_api.domain.replanning import MOST_SECONDS
from field_api.http.schemas.audiences import OFFICE
from field_api.http.schemas.labelled import Schema, confidential, internal
from field_api.http.schemas.planning import MAX_SEED

MOST_NAMED = 200
LONGEST_LATE_MINUTES = 24 * 60


class LateSchema(Schema):
    """An agent who is behind their time by so many minutes, or cannot go on before a moment."""

    audiences = OFFICE
    agent_id = internal(ma.fields.UUID(required=True))
    minutes = internal(ma.fields.Integer(validate=ma.validate.Range(0, LONGEST_LATE_MINUTES)))
    free_at = internal(ma.fields.AwareDateTime())

    @ma.validates_schema
    def one_of_them(self, data: dict[str, object], **_: object) -> None:
        if ("minutes" in data) == ("free_at" in data):
            raise ma.ValidationError("give minutes or free_at")


class CostsSchema(Schema):
    """Seconds of driving that a change must save to be worth it."""

    audiences = OFFICE
    move_s = internal(ma.fields.Integer(load_default=Weights().move_s, validate=ma.validate.Range(0, MOST_SECONDS)))
    retime_s = internal(ma.fields.Integer(load_default=Weights().retime_s, validate=ma.validate.Range(0, MOST_SECONDS)))
    letter_s = internal(ma.fields.Integer(load_default=Weights().letter_s, validate=ma.validate.Range(0, MOST_SECONDS)))

    @ma.post_load
    def as_weights(self, data: dict[str, int], **_: object) -> Weights:
        return Weights(**data)


def _ids(whose: str) -> ma.fields.List:
    return ma.fields.List(
        ma.fields.UUID(),
        load_default=list,
        validate=ma.validate.Length(max=MOST_NAMED),
        metadata={"description": whose},
    )


class HappenedSchema(Schema):
    audiences = OFFICE
    ill = internal(_ids("agents; an absence on record counts as well"))
    late = internal(
        ma.fields.List(ma.fields.Nested(LateSchema), load_default=list, validate=ma.validate.Length(max=MOST_NAMED))
    )
    add = internal(_ids("accounts"))
    preview = internal(ma.fields.Boolean(load_default=False, metadata={"description": "change nothing, only tell"}))
    expect = internal(
        ma.fields.String(
            load_default=None,
            validate=ma.validate.Regexp(r"[0-9a-f]{16}\Z"),
            metadata={"description": "the digest of the preview that is agreed to"},
        )
    )
    seed = internal(ma.fields.Integer(load_default=1, validate=ma.validate.Range(0, MAX_SEED)))
    costs = internal(ma.fields.Nested(CostsSchema, load_default=Weights))


class ChangedStopSchema(Schema):
    audiences = OFFICE
    change = internal(ma.fields.String(validate=ma.validate.OneOf([change.value for change in ChangeOfStop])))
    stop_id = internal(ma.fields.UUID(allow_none=True, metadata={"description": "null for an account that is added"}))
    visits = internal(ma.fields.List(ma.fields.UUID()))
    accounts = internal(ma.fields.List(ma.fields.UUID(), metadata={"description": "of an added stop"}))
    from_agent = internal(ma.fields.String(allow_none=True, metadata={"description": "code"}))
    to_agent = internal(ma.fields.String(allow_none=True, metadata={"description": "code"}))
    position = internal(ma.fields.Integer(allow_none=True, metadata={"description": "as it was told"}))
    told_from = internal(ma.fields.AwareDateTime(allow_none=True))
    told_to = internal(ma.fields.AwareDateTime(allow_none=True))
    begins_at = internal(ma.fields.AwareDateTime(allow_none=True))
    reason = confidential(ma.fields.String(allow_none=True))
    rule = confidential(ma.fields.String(allow_none=True))
    letters = confidential(ma.fields.Integer(metadata={"description": "printed, in the first agent's bag"}))
    may_be_visited_twice = internal(
        ma.fields.Boolean(metadata={"description": "the first agent's phone may not hear of it in time"})
    )


class AgentUnderWaySchema(Schema):
    audiences = OFFICE
    agent_id = internal(ma.fields.UUID())
    code = internal(ma.fields.String())
    ill = internal(ma.fields.Boolean())
    heard_at = internal(ma.fields.AwareDateTime(allow_none=True))
    current_stop_id = internal(ma.fields.UUID(allow_none=True))
    done = internal(ma.fields.Integer(metadata={"description": "stops that were reported"}))
    presumed_done = internal(ma.fields.Integer(metadata={"description": "stops of which a silent phone told nothing"}))
    left = internal(ma.fields.Integer())


class RefusedAccountSchema(Schema):
    audiences = OFFICE
    account_id = internal(ma.fields.UUID())
    reason = confidential(ma.fields.String())
    rule = confidential(ma.fields.String())


class ReplannedSchema(Schema):
    audiences = OFFICE
    plan_id = internal(ma.fields.UUID())
    applied = internal(ma.fields.Boolean())
    digest = internal(ma.fields.String())
    disturbed = internal(ma.fields.Integer(metadata={"description": "stops that are not as they were told"}))
    cost_s = internal(ma.fields.Integer(metadata={"description": "of moving and of other times, by `costs`"}))
    travel_change_s = internal(ma.fields.Integer())
    changes = confidential(ma.fields.List(ma.fields.Nested(ChangedStopSchema)))
    agents = internal(ma.fields.List(ma.fields.Nested(AgentUnderWaySchema)))
    refused = confidential(ma.fields.List(ma.fields.Nested(RefusedAccountSchema)))
