"""What crosses the wire about plans, routes, and addresses that wait for coordinates."""

from __future__ import annotations

import marshmallow as ma

from field_api.domain.vocabulary import NotPlannedReason
from field_api.http.paging import PageArguments

MAX_SEED = 2**31 - 1


class PlanQuery(PageArguments):
    day = ma.fields.Date(load_default=None)


class NewPlanSchema(ma.Schema):
    day = ma.fields.Date(required=True)
    seed = ma.fields.Integer(
        load_default=1,
        validate=ma.validate.Range(0, MAX_SEED),
        metadata={"description": "the same books and seed give the same plan"},
    )


class PlanSchema(ma.Schema):
    id = ma.fields.UUID()
    day = ma.fields.Date(attribute="for_day")
    state = ma.fields.String()
    created_at = ma.fields.AwareDateTime()
    published_at = ma.fields.AwareDateTime(allow_none=True)
    solver = ma.fields.Dict(metadata={"description": "engine, seed, and whether travel times are estimates"})


class RouteLineSchema(ma.Schema):
    id = ma.fields.UUID()
    agent_id = ma.fields.UUID()
    agent_code = ma.fields.String()
    agent_name = ma.fields.String()
    starts_at = ma.fields.AwareDateTime()
    ends_at = ma.fields.AwareDateTime()
    distance_m = ma.fields.Integer()
    travel_s = ma.fields.Integer()
    stops = ma.fields.Integer()
    visits = ma.fields.Integer()


class PlanOverviewSchema(ma.Schema):
    plan = ma.fields.Nested(PlanSchema)
    routes = ma.fields.List(ma.fields.Nested(RouteLineSchema))
    visits = ma.fields.Integer()
    not_planned = ma.fields.Dict(
        keys=ma.fields.String(), values=ma.fields.Integer(), metadata={"description": "accounts by reason"}
    )


class NotPlannedQuery(PageArguments):
    reason = ma.fields.String(load_default=None, validate=ma.validate.OneOf([r.value for r in NotPlannedReason]))


class NotPlannedSchema(ma.Schema):
    account_id = ma.fields.UUID()
    reason = ma.fields.String()
    rule = ma.fields.String(allow_none=True, metadata={"description": "the rule that said so, with its source"})


class WhyNotQuery(ma.Schema):
    account = ma.fields.UUID(required=True)
    day = ma.fields.Date(required=True)


class ReasonSchema(ma.Schema):
    reason = ma.fields.Function(lambda pair: pair[0], metadata={"type": "string"})
    rule = ma.fields.Function(lambda pair: pair[1], metadata={"type": ["string", "null"]})


class WhyNotSchema(ma.Schema):
    account_id = ma.fields.UUID()
    plan_id = ma.fields.UUID()
    visit_id = ma.fields.UUID(allow_none=True)
    reasons = ma.fields.List(ma.fields.Nested(ReasonSchema))


class RouteQuery(ma.Schema):
    day = ma.fields.Date(required=True)


class VisitOnRouteSchema(ma.Schema):
    id = ma.fields.UUID(attribute="visit.id")
    state = ma.fields.String(attribute="visit.state")
    person = ma.fields.String(attribute="person_name")


class StopOnRouteSchema(ma.Schema):
    id = ma.fields.UUID(attribute="stop.id")
    position = ma.fields.Integer(attribute="stop.position")
    arrival_from = ma.fields.AwareDateTime(attribute="stop.arrival_from")
    arrival_to = ma.fields.AwareDateTime(attribute="stop.arrival_to")
    visit_until = ma.fields.AwareDateTime(attribute="stop.visit_until")
    street = ma.fields.String(attribute="address.street")
    number = ma.fields.String(attribute="address.number", allow_none=True)
    city = ma.fields.String(attribute="address.city", allow_none=True)
    latitude = ma.fields.Float(attribute="address.latitude", allow_none=True)
    longitude = ma.fields.Float(attribute="address.longitude", allow_none=True)
    visits = ma.fields.List(ma.fields.Nested(VisitOnRouteSchema))


class RouteSchema(ma.Schema):
    id = ma.fields.UUID(attribute="route.id")
    agent_id = ma.fields.UUID(attribute="agent.id")
    agent_code = ma.fields.String(attribute="agent.code")
    day = ma.fields.Date(attribute="plan.for_day")
    state = ma.fields.String(attribute="plan.state")
    starts_at = ma.fields.AwareDateTime(attribute="route.starts_at")
    ends_at = ma.fields.AwareDateTime(attribute="route.ends_at")
    distance_m = ma.fields.Integer(attribute="route.distance_m")
    travel_s = ma.fields.Integer(attribute="route.travel_s")
    stops = ma.fields.List(ma.fields.Nested(StopOnRouteSchema))


class UnplacedAddressSchema(ma.Schema):
    id = ma.fields.UUID(attribute="address.id")
    person = ma.fields.String(attribute="person_name")
    street = ma.fields.String(attribute="address.street")
    number = ma.fields.String(attribute="address.number", allow_none=True)
    interior = ma.fields.String(attribute="address.interior", allow_none=True)
    between_1 = ma.fields.String(attribute="address.between_1", allow_none=True)
    between_2 = ma.fields.String(attribute="address.between_2", allow_none=True)
    neighbourhood = ma.fields.String(attribute="address.neighbourhood", allow_none=True)
    city = ma.fields.String(attribute="address.city", allow_none=True)
    municipality = ma.fields.String(attribute="address.municipality", allow_none=True)
    postcode = ma.fields.String(attribute="address.postcode", allow_none=True)
    state = ma.fields.String(attribute="address.state", allow_none=True)
    country = ma.fields.String(attribute="address.country")
    hint = ma.fields.String(attribute="address.hint", allow_none=True)
    geocode_state = ma.fields.String(attribute="address.geocode_state")


class CoordinatesSchema(ma.Schema):
    """Degrees, WGS 84."""

    latitude = ma.fields.Float(required=True, validate=ma.validate.Range(-90, 90))
    longitude = ma.fields.Float(required=True, validate=ma.validate.Range(-180, 180))


class PlacedAddressSchema(CoordinatesSchema):
    id = ma.fields.UUID()
    geocode_state = ma.fields.String()
    timezone = ma.fields.String(allow_none=True)


class ReassignmentSchema(ma.Schema):
    agent_id = ma.fields.UUID(required=True)


class ReasonGivenSchema(ma.Schema):
    reason = ma.fields.String(required=True, validate=ma.validate.Length(1, 500))


class AssignedVisitSchema(ma.Schema):
    id = ma.fields.UUID()
    agent_id = ma.fields.UUID()
    state = ma.fields.String()
    assignment_version = ma.fields.Integer()


class UnlockCodeSchema(ma.Schema):
    code = ma.fields.String(metadata={"description": "13 Crockford characters, to be read out; shown this once"})
