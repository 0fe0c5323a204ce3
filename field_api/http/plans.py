"""`/plans`: draft a day, look at it, publish it."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import g
from flask_smorest import Blueprint

from field_api.domain.disclosure import Audience
from field_api.http.paging import Page, page_schema, paged
from field_api.http.permits import answers, permitted
from field_api.http.schemas.planning import (
    ExplanationSchema,
    NewPlanSchema,
    NotPlannedQuery,
    NotPlannedSchema,
    PlanOverviewSchema,
    PlanQuery,
    PlanSchema,
    WhyNotQuery,
    WhyNotSchema,
)
from field_api.http.schemas.versions import VersionHeaders
from field_api.http.versions import seen_versions
from field_api.platform.database import transaction
from field_api.platform.wiring import clock, planning
from field_api.queries.explain_account import Explanation, explain_account
from field_api.queries.plan_overview import PlanOverview, not_planned, plan_overview, plans
from field_api.queries.why_not import WhyNot, why_not
from field_api.records.planning import NotPlanned, Plan
from field_api.usecases.plan_day import plan_day
from field_api.usecases.publish_by_agent import publish_by_agent

blueprint = Blueprint("plans", __name__, url_prefix="/plans", description="Days, their routes, and what is not on them")


@blueprint.get("")
@answers(Audience.DISPATCHER, Audience.MANAGER)
@permitted("plans.read")
@blueprint.arguments(PlanQuery, location="query")
@blueprint.response(200, page_schema(PlanSchema))
def list_plans(query: dict[str, Any]) -> Page:
    """Plans, newest first, of one day where given."""
    with transaction(g.actor.agency_id) as session:
        keys = [Plan.created_at, Plan.id]
        return paged(session, plans(query["day"]), keys, limit=query["limit"], after=query["after"], descending=True)


@blueprint.post("")
@answers(Audience.DISPATCHER, Audience.MANAGER)
@permitted("plans.write")
@blueprint.arguments(NewPlanSchema)
@blueprint.response(201, PlanOverviewSchema)
def draft(body: dict[str, Any]) -> PlanOverview:
    """Draft a day; an earlier draft for it is replaced. Takes seconds for hundreds of accounts."""
    with transaction(g.actor.agency_id) as session:
        plan = plan_day(
            session,
            body["day"],
            parts=planning(),
            now=clock().now(),
            created_by=g.actor.id,
            seed=body["seed"],
            discard_changes=body["discard_changes"],
        )
        return plan_overview(session, plan.id)


@blueprint.get("/why-not")
@answers(Audience.DISPATCHER, Audience.MANAGER)
@permitted("plans.read")
@blueprint.arguments(WhyNotQuery, location="query")
@blueprint.response(200, WhyNotSchema)
def why_is_it_not_planned(query: dict[str, Any]) -> WhyNot:
    """Why an account is not on the day's plan, with the rule and its source."""
    with transaction(g.actor.agency_id) as session:
        return why_not(session, query["account"], query["day"])


@blueprint.get("/explanation")
@answers(Audience.DISPATCHER, Audience.MANAGER)
@permitted("plans.read")
@blueprint.arguments(WhyNotQuery, location="query")
@blueprint.response(200, ExplanationSchema)
def explain(query: dict[str, Any]) -> Explanation:
    """Where and when an account is planned on a day, or every reason why not and the next day on which it could be."""
    with transaction(g.actor.agency_id) as session:
        return explain_account(session, query["account"], query["day"], planning())


@blueprint.get("/<uuid:plan_id>")
@answers(Audience.DISPATCHER, Audience.MANAGER)
@permitted("plans.read")
@blueprint.response(200, PlanOverviewSchema)
def show(plan_id: UUID) -> PlanOverview:
    """Routes with their counts, and accounts left out by reason."""
    with transaction(g.actor.agency_id) as session:
        return plan_overview(session, plan_id)


@blueprint.get("/<uuid:plan_id>/not-planned")
@answers(Audience.DISPATCHER, Audience.MANAGER)
@permitted("plans.read")
@blueprint.arguments(NotPlannedQuery, location="query")
@blueprint.response(200, page_schema(NotPlannedSchema))
def list_not_planned(query: dict[str, Any], plan_id: UUID) -> Page:
    """Every account that is not on the plan, with its reason."""
    with transaction(g.actor.agency_id) as session:
        statement = not_planned(plan_id, query["reason"])
        return paged(session, statement, [NotPlanned.id], limit=query["limit"], after=query["after"])


@blueprint.post("/<uuid:plan_id>/publish")
@answers(Audience.DISPATCHER, Audience.MANAGER)
@permitted("plans.write")
@blueprint.arguments(VersionHeaders, location="headers")
@blueprint.response(200, PlanOverviewSchema)
def publish(_headers: dict[str, Any], plan_id: UUID) -> PlanOverview:
    """Send the routes to phones, one agent after the other, and want letters written. What was held since the draft
    falls out. Of a plan that is `publishing` still, since something broke off, the rest is sent."""
    agency_id = g.actor.agency_id
    publish_by_agent(
        lambda: transaction(agency_id),
        plan_id,
        parts=planning(),
        now=clock().now(),
        published_by=g.actor.id,
        seen=seen_versions(required=False),
    )
    with transaction(agency_id) as session:
        return plan_overview(session, plan_id)
