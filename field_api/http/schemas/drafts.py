"""What crosses the wire about a draft that a dispatcher looks at and changes."""

from __future__ import annotations

from typing import Any

import marshmallow as ma

from field_api.domain.changes_by_hand import Change
from field_api.domain.draft_orders import ChangeByHand
from field_api.domain.timed import Why
from field_api.http.paging import PageArguments
from field_api.http.schemas.audiences import OFFICE
from field_api.http.schemas.labelled import Schema, confidential, internal, open_, place
from field_api.http.schemas.planning import MAX_SEED, RefusalSchema, RouteTimesSchema, StopSchema
from field_api.http.schemas.revealed import RevealedString

MOST_STOPS_ON_A_ROUTE = 1000
BY_HAND = [kind.value for kind in ChangeByHand if kind is not ChangeByHand.OPTIMISE]
NEEDS = {
    "pin": {"stop_id"},
    "unpin": {"stop_id"},
    "move": {"stop_id"},
    "reorder": {"agent_id", "order"},
    "reassign": {"agent_id", "to_agent_id"},
    "drop": {"stop_id", "reason"},
    "add": {"account_id"},
}
TAKES = {
    **NEEDS,
    "pin": {"stop_id", "hold_agent", "hold_position"},
    "move": {"stop_id", "agent_id", "position"},
    "add": {"account_id", "agent_id", "position"},
}
"""Which fields each kind needs, and which it may have."""


class DryRunQuery(Schema):
    audiences = OFFICE
    dry_run = internal(
        ma.fields.Boolean(load_default=False, metadata={"description": "only say what the change would do"})
    )


class ChangeSchema(Schema):
    """A change by hand: which fields a kind needs and takes is in docs/planning.md."""

    audiences = OFFICE
    kind = internal(ma.fields.String(required=True, validate=ma.validate.OneOf(BY_HAND)))
    stop_id = internal(ma.fields.UUID())
    agent_id = internal(ma.fields.UUID(metadata={"description": "whose route: to go to, to reorder, to reassign"}))
    to_agent_id = internal(ma.fields.UUID())
    position = internal(ma.fields.Integer(strict=True, validate=ma.validate.Range(1, MOST_STOPS_ON_A_ROUTE)))
    order = internal(ma.fields.List(ma.fields.UUID(), validate=ma.validate.Length(1, MOST_STOPS_ON_A_ROUTE)))
    account_id = internal(ma.fields.UUID())
    hold_agent = internal(ma.fields.Boolean(load_default=True))
    hold_position = internal(ma.fields.Boolean(load_default=False))
    reason = confidential(ma.fields.String(validate=ma.validate.Length(1, 500)))

    @ma.validates_schema
    def _fields_of_the_kind(self, data: dict[str, Any], **_more: Any) -> None:
        kind = data["kind"]
        errors = {name: ["Missing data for this kind."] for name in sorted(NEEDS[kind] - set(data))}
        more = set(data) - TAKES[kind] - {"kind", "hold_agent", "hold_position"}
        errors |= {name: ["Not for this kind."] for name in sorted(more)}
        if kind == "move" and not {"agent_id", "position"} & set(data):
            errors["agent_id"] = ["A move needs an agent, a position, or both."]
        if kind == "add" and "position" in data and "agent_id" not in data:
            errors["agent_id"] = ["A position needs an agent."]
        if kind == "pin" and not (data["hold_agent"] or data["hold_position"]):
            errors["hold_agent"] = ["A pin holds an agent, a position, or both."]
        if errors:
            raise ma.ValidationError(errors)

    @ma.post_load
    def _as_value(self, data: dict[str, Any], **_more: Any) -> Change:
        return Change(**{**data, "kind": ChangeByHand(data["kind"]), "order": tuple(data.get("order", ()))})


class RouteCostSchema(Schema):
    """A route before and after a change."""

    audiences = OFFICE
    agent_id = internal(ma.fields.UUID())
    agent_code = internal(ma.fields.String())
    stops_before = internal(ma.fields.Integer())
    stops_after = internal(ma.fields.Integer())
    travel_s_before = internal(ma.fields.Integer())
    travel_s_after = internal(ma.fields.Integer())
    distance_m_before = internal(ma.fields.Integer())
    distance_m_after = internal(ma.fields.Integer())
    ends_at = internal(ma.fields.AwareDateTime())
    shortest_s = internal(
        ma.fields.Integer(
            allow_none=True, metadata={"description": "travel in the optimiser's own order of the same stops"}
        )
    )
    above_shortest_s = internal(ma.fields.Integer(allow_none=True))


class BrokenSchema(Schema):
    """What could not be kept after a change."""

    audiences = OFFICE
    why = internal(ma.fields.String(validate=ma.validate.OneOf([why.value for why in Why])))
    agent_id = internal(ma.fields.UUID(attribute="agent"))
    stop_id = internal(ma.fields.UUID(attribute="stop", allow_none=True))
    by = internal(ma.fields.Integer(allow_none=True, metadata={"description": "seconds; of too_many_stops how many"}))


class ChangeOutcomeSchema(Schema):
    """`done`, or of a dry run whether it is `possible`; what it costs; what it would break, and which rules refuse."""

    audiences = OFFICE
    version = internal(ma.fields.String())
    done = internal(ma.fields.Boolean())
    possible = internal(ma.fields.Boolean())
    stop_id = internal(ma.fields.UUID(allow_none=True))
    travel_s_more = internal(ma.fields.Integer())
    distance_m_more = internal(ma.fields.Integer())
    routes = internal(ma.fields.List(ma.fields.Nested(RouteCostSchema)))
    broken = internal(ma.fields.List(ma.fields.Nested(BrokenSchema)))
    refusals = confidential(ma.fields.List(ma.fields.Nested(RefusalSchema)))


class LineSchema(Schema):
    """GeoJSON (RFC 7946): longitude before latitude, straight from stop to stop."""

    audiences = OFFICE
    type = internal(ma.fields.String())
    coordinates = place(ma.fields.List(ma.fields.List(ma.fields.Float())))


class StopOnDraftSchema(StopSchema):
    audiences = OFFICE
    service_s = internal(ma.fields.Integer(attribute="stop.service_s"))
    visits = internal(ma.fields.Integer())
    pinned_agent = internal(ma.fields.Boolean())
    pinned_position = internal(
        ma.fields.Integer(allow_none=True, metadata={"description": "from 1; the last where the route is shorter"})
    )
    added = internal(ma.fields.Boolean(metadata={"description": "put on the draft by hand"}))


class RouteOnDraftSchema(RouteTimesSchema):
    audiences = OFFICE
    agent_name = open_(ma.fields.String(attribute="agent.name"))
    work_s = internal(ma.fields.Integer())
    idle_s = internal(ma.fields.Integer(metadata={"description": "waiting for hours to begin, and lunch"}))
    visits = internal(ma.fields.Integer())
    line = place(ma.fields.Nested(LineSchema))
    stops = internal(ma.fields.List(ma.fields.Nested(StopOnDraftSchema)))


class DraftSchema(Schema):
    audiences = OFFICE
    plan_id = internal(ma.fields.UUID(attribute="plan.id"))
    day = internal(ma.fields.Date(attribute="plan.for_day"))
    state = internal(ma.fields.String(attribute="plan.state"))
    version = internal(ma.fields.String(metadata={"description": "the ETag: what If-Match says of a change"}))
    routes = internal(ma.fields.List(ma.fields.Nested(RouteOnDraftSchema)))


class OptimiseSchema(Schema):
    audiences = OFFICE
    seed = internal(ma.fields.Integer(load_default=1, validate=ma.validate.Range(0, MAX_SEED)))


class ChangesQuery(PageArguments):
    audiences = OFFICE


class ChangeDetailSchema(Schema):
    """Ids and numbers of what was changed; which there are depends on the kind."""

    audiences = OFFICE
    stop = internal(ma.fields.UUID())
    agent = internal(ma.fields.UUID())
    to_agent = internal(ma.fields.UUID())
    account = internal(ma.fields.UUID())
    position = internal(ma.fields.Integer())
    order = internal(ma.fields.List(ma.fields.UUID()))
    seed = internal(ma.fields.Integer())


class PlanChangeSchema(Schema):
    audiences = OFFICE
    version = internal(ma.fields.Integer(metadata={"description": "the plan's, after the change"}))
    at = internal(ma.fields.AwareDateTime())
    by = internal(ma.fields.UUID(allow_none=True))
    kind = internal(ma.fields.String())
    detail = internal(ma.fields.Nested(ChangeDetailSchema))
    reason = confidential(RevealedString(allow_none=True))
