"""`/visits`: what was planned and what came of it; the whole story of one for a manager."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import g
from flask_smorest import Blueprint

from field_api.domain.disclosure import Audience
from field_api.http.paging import Page, page_schema, paged
from field_api.http.permits import answers, permitted
from field_api.http.schemas.visits import VisitQuery, VisitSchema, VisitStorySchema
from field_api.platform.database import transaction
from field_api.queries.visit_story import VisitStory, visit_story
from field_api.queries.visits import VisitLine, visits
from field_api.records.visits import Visit

blueprint = Blueprint("visits", __name__, url_prefix="/visits", description="Visits and their story")


@blueprint.get("")
@answers(Audience.DISPATCHER, Audience.MANAGER, Audience.CONTROLLER, Audience.INTEGRATOR)
@permitted("visits.read", by_creditor=True)
@blueprint.arguments(VisitQuery, location="query")
@blueprint.response(200, page_schema(VisitSchema))
def list_visits(query: dict[str, Any]) -> Page:
    """Visits by day, agent and state; newest first."""
    with transaction(g.actor.agency_id) as session:
        statement = visits(
            day=query["day"], agent_id=query["agent"], state=query["state"], creditor_id=g.actor.creditor_id
        )
        keys = [Visit.planned_at, Visit.id]
        page = paged(session, statement, keys, limit=query["limit"], after=query["after"], descending=True)
    return Page([VisitLine(*row) for row in page.items], page.next)


@blueprint.get("/<uuid:visit_id>")
@answers(Audience.MANAGER)
@permitted("visits.audit")
@blueprint.response(200, VisitStorySchema)
def show(visit_id: UUID) -> VisitStory:
    """The whole story in order: planned, published, received, arrived, checked, opened, outcome, letter, photos."""
    with transaction(g.actor.agency_id) as session:
        return visit_story(session, visit_id)
