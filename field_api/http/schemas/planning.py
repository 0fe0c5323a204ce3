"""What crosses the wire about plans, routes, and addresses that wait for coordinates."""

from __future__ import annotations

import marshmallow as ma

from field_api.domain.vocabulary import NotPlannedReason
from field_api.http.paging import PageArguments
from field_api.http.schemas.audiences import OFFICE
from field_api.http.schemas.labelled import Schema, confidential, internal, open_, personal, place

MAX_SEED = 2**31 - 1


class PlanQuery(PageArguments):
    audiences = OFFICE
    day = internal(ma.fields.Date(load_default=None))


class NewPlanSchema(Schema):
    audiences = OFFICE
    day = internal(ma.fields.Date(required=True))
    seed = internal(
        ma.fields.Integer(
            load_default=1,
            validate=ma.validate.Range(0, MAX_SEED),
            metadata={"description": "the same books and seed give the same plan"},
        )
    )
    discard_changes = internal(
        ma.fields.Boolean(
            load_default=False,
            metadata={"description": "replace the day's draft although it was changed by hand"},
        )
    )


class SolverPartSchema(Schema):
    """One part of the day that was solved by itself."""

    audiences = OFFICE
    agents = internal(ma.fields.Integer())
    stops = internal(ma.fields.Integer())
    iterations = internal(ma.fields.Integer())
    seconds = internal(ma.fields.Float())
    time_limit_reached = internal(ma.fields.Boolean())


class SolverSchema(Schema):
    audiences = OFFICE
    engine = internal(ma.fields.String())
    seed = internal(ma.fields.Integer())
    travel = internal(ma.fields.String())
    estimates = internal(ma.fields.Boolean(metadata={"description": "whether travel times are estimates"}))
    distance_m = internal(ma.fields.Integer())
    travel_s = internal(ma.fields.Integer())
    parts = internal(ma.fields.List(ma.fields.Nested(SolverPartSchema)))


class PlanSchema(Schema):
    audiences = OFFICE
    id = internal(ma.fields.UUID())
    day = internal(ma.fields.Date(attribute="for_day"))
    state = internal(ma.fields.String())
    created_at = internal(ma.fields.AwareDateTime())
    published_at = internal(ma.fields.AwareDateTime(allow_none=True))
    solver = internal(ma.fields.Nested(SolverSchema))


class RouteLineSchema(Schema):
    audiences = OFFICE
    id = internal(ma.fields.UUID())
    agent_id = internal(ma.fields.UUID())
    agent_code = internal(ma.fields.String())
    agent_name = open_(ma.fields.String())
    starts_at = internal(ma.fields.AwareDateTime())
    ends_at = internal(ma.fields.AwareDateTime())
    distance_m = internal(ma.fields.Integer())
    travel_s = internal(ma.fields.Integer())
    stops = internal(ma.fields.Integer())
    visits = internal(ma.fields.Integer())
    lunch_at = internal(ma.fields.AwareDateTime(allow_none=True))


class PlanOverviewSchema(Schema):
    audiences = OFFICE
    plan = internal(ma.fields.Nested(PlanSchema))
    version = internal(ma.fields.String(metadata={"description": "what If-Match says of a change"}))
    routes = internal(ma.fields.List(ma.fields.Nested(RouteLineSchema)))
    visits = internal(ma.fields.Integer())
    not_planned = internal(
        ma.fields.Dict(
            keys=ma.fields.String(), values=ma.fields.Integer(), metadata={"description": "accounts by reason"}
        )
    )


class NotPlannedQuery(PageArguments):
    audiences = OFFICE
    reason = internal(
        ma.fields.String(load_default=None, validate=ma.validate.OneOf([r.value for r in NotPlannedReason]))
    )


class NotPlannedSchema(Schema):
    audiences = OFFICE
    account_id = internal(ma.fields.UUID())
    reason = confidential(ma.fields.String())
    rule = confidential(
        ma.fields.String(allow_none=True, metadata={"description": "the rule that said so, with its source"})
    )


class WhyNotQuery(Schema):
    audiences = OFFICE
    account = internal(ma.fields.UUID(required=True))
    day = internal(ma.fields.Date(required=True))


class ReasonSchema(Schema):
    """Of a pair: why, and the rule."""

    audiences = OFFICE
    reason = confidential(ma.fields.String())
    rule = confidential(ma.fields.String(allow_none=True))

    def get_attribute(self, obj: tuple[str, str | None], attr: str, default: object) -> str | None:
        return obj[("reason", "rule").index(attr)]


class WhyNotSchema(Schema):
    audiences = OFFICE
    account_id = internal(ma.fields.UUID())
    plan_id = internal(ma.fields.UUID())
    visit_id = internal(ma.fields.UUID(allow_none=True))
    reasons = confidential(ma.fields.List(ma.fields.Nested(ReasonSchema)))


class RefusalSchema(Schema):
    """Why not, and which rule says so: its source, and how sure we are of it (H read, M second hand, L inferred)."""

    audiences = OFFICE
    reason = confidential(ma.fields.String())
    rule = confidential(ma.fields.String(attribute="rule.id"))
    source = confidential(ma.fields.String(attribute="rule.source"))
    confidence = confidential(ma.fields.String(attribute="rule.confidence"))


class PlannedVisitSchema(Schema):
    audiences = OFFICE
    visit_id = internal(ma.fields.UUID())
    state = internal(ma.fields.String())
    plan_id = internal(ma.fields.UUID())
    route_id = internal(ma.fields.UUID())
    agent_code = internal(ma.fields.String())
    agent_name = open_(ma.fields.String())
    position = internal(ma.fields.Integer())
    arrival_from = internal(ma.fields.AwareDateTime())
    arrival_to = internal(ma.fields.AwareDateTime())
    visit_until = internal(ma.fields.AwareDateTime())
    street = place(ma.fields.String())
    number = place(ma.fields.String(allow_none=True))
    city = place(ma.fields.String(allow_none=True))


class ExplanationSchema(Schema):
    """`planned`, or `reasons`; neither where it is possible on that day, between `opens_at` and `closes_at`, and on no
    plan yet. `next_on`: the first later day without a reason, as things stand."""

    audiences = OFFICE
    account_id = internal(ma.fields.UUID())
    day = internal(ma.fields.Date())
    planned = internal(ma.fields.Nested(PlannedVisitSchema, allow_none=True))
    reasons = confidential(ma.fields.List(ma.fields.Nested(RefusalSchema)))
    opens_at = confidential(ma.fields.AwareDateTime(allow_none=True))
    closes_at = confidential(ma.fields.AwareDateTime(allow_none=True))
    next_on = confidential(ma.fields.Date(allow_none=True))
    searched_days = internal(ma.fields.Integer())


class RouteQuery(Schema):
    audiences = OFFICE
    day = internal(ma.fields.Date(required=True))


class VisitOnRouteSchema(Schema):
    audiences = OFFICE
    id = internal(ma.fields.UUID(attribute="visit.id"))
    state = internal(ma.fields.String(attribute="visit.state"))
    person = open_(ma.fields.String(attribute="person_name"))


class StopSchema(Schema):
    """A stop that has its time and its place on a route."""

    audiences = OFFICE
    id = internal(ma.fields.UUID(attribute="stop.id"))
    position = internal(ma.fields.Integer(attribute="stop.position"))
    arrival_from = internal(ma.fields.AwareDateTime(attribute="stop.arrival_from"))
    arrival_to = internal(ma.fields.AwareDateTime(attribute="stop.arrival_to"))
    visit_until = internal(ma.fields.AwareDateTime(attribute="stop.visit_until"))
    street = place(ma.fields.String(attribute="address.street"))
    number = place(ma.fields.String(attribute="address.number", allow_none=True))
    city = place(ma.fields.String(attribute="address.city", allow_none=True))
    latitude = place(ma.fields.Float(attribute="address.latitude", allow_none=True))
    longitude = place(ma.fields.Float(attribute="address.longitude", allow_none=True))


class StopOnRouteSchema(StopSchema):
    audiences = OFFICE
    visits = open_(ma.fields.List(ma.fields.Nested(VisitOnRouteSchema)))


class RouteTimesSchema(Schema):
    """Whose a route is, when it begins and ends, and how far it leads."""

    audiences = OFFICE
    id = internal(ma.fields.UUID(attribute="route.id"))
    agent_id = internal(ma.fields.UUID(attribute="agent.id"))
    agent_code = internal(ma.fields.String(attribute="agent.code"))
    starts_at = internal(ma.fields.AwareDateTime(attribute="route.starts_at"))
    ends_at = internal(ma.fields.AwareDateTime(attribute="route.ends_at"))
    lunch_at = internal(ma.fields.AwareDateTime(attribute="route.lunch_at", allow_none=True))
    distance_m = internal(ma.fields.Integer(attribute="route.distance_m"))
    travel_s = internal(ma.fields.Integer(attribute="route.travel_s"))


class RouteSchema(RouteTimesSchema):
    audiences = OFFICE
    day = internal(ma.fields.Date(attribute="plan.for_day"))
    state = internal(ma.fields.String(attribute="plan.state"))
    stops = place(ma.fields.List(ma.fields.Nested(StopOnRouteSchema)))


class UnplacedAddressSchema(Schema):
    audiences = OFFICE
    id = internal(ma.fields.UUID(attribute="address.id"))
    person = open_(ma.fields.String(attribute="person_name"))
    street = place(ma.fields.String(attribute="address.street"))
    number = place(ma.fields.String(attribute="address.number", allow_none=True))
    interior = place(ma.fields.String(attribute="address.interior", allow_none=True))
    between_1 = place(ma.fields.String(attribute="address.between_1", allow_none=True))
    between_2 = place(ma.fields.String(attribute="address.between_2", allow_none=True))
    neighbourhood = place(ma.fields.String(attribute="address.neighbourhood", allow_none=True))
    city = place(ma.fields.String(attribute="address.city", allow_none=True))
    municipality = place(ma.fields.String(attribute="address.municipality", allow_none=True))
    postcode = place(ma.fields.String(attribute="address.postcode", allow_none=True))
    state = place(ma.fields.String(attribute="address.state", allow_none=True))
    country = place(ma.fields.String(attribute="address.country"))
    hint = place(ma.fields.String(attribute="address.hint", allow_none=True))
    geocode_state = internal(ma.fields.String(attribute="address.geocode_state"))


class CoordinatesSchema(Schema):
    """Degrees, WGS 84."""

    audiences = OFFICE

    latitude = place(ma.fields.Float(required=True, validate=ma.validate.Range(-90, 90)))
    longitude = place(ma.fields.Float(required=True, validate=ma.validate.Range(-180, 180)))


class PlacedAddressSchema(CoordinatesSchema):
    audiences = OFFICE
    id = internal(ma.fields.UUID())
    geocode_state = internal(ma.fields.String())
    timezone = place(ma.fields.String(allow_none=True))


class OptOutSchema(Schema):
    """Whether visits are wanted at a place."""

    audiences = OFFICE
    wanted = internal(ma.fields.Boolean(load_default=False))


class ReassignmentSchema(Schema):
    audiences = OFFICE
    agent_id = internal(ma.fields.UUID(required=True))


class ReasonGivenSchema(Schema):
    audiences = OFFICE
    reason = confidential(ma.fields.String(required=True, validate=ma.validate.Length(1, 500)))


class AssignedVisitSchema(Schema):
    audiences = OFFICE
    id = internal(ma.fields.UUID())
    agent_id = internal(ma.fields.UUID())
    state = internal(ma.fields.String())
    assignment_version = internal(ma.fields.Integer())


class UnlockCodeSchema(Schema):
    audiences = OFFICE
    code = personal(
        ma.fields.String(metadata={"description": "13 Crockford characters, to be read out; shown this once"})
    )
