"""`/unlocks`, `/unlock-reviews`: who opened what at which door, and which of it a manager has to look at."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import g
from flask_smorest import Blueprint

from field_api.domain.disclosure import Audience
from field_api.domain.unlocks import ReviewState
from field_api.http.paging import Page, page_schema, paged
from field_api.http.permits import answers, permitted
from field_api.http.schemas.unlocks import DecisionSchema, ReviewQuery, UnlockQuery, UnlockReviewSchema, UnlockSchema
from field_api.platform.database import transaction
from field_api.platform.wiring import clock
from field_api.queries.unlocks import unlock_lines, unlock_reviews, unlocks
from field_api.records.unlocks import UnlockReview
from field_api.records.visits import VisitEvent
from field_api.usecases.decide_unlock_review import decide_unlock_review

blueprint = Blueprint("unlocks", __name__, description="Locks tried and opened at doors, and what to look at")


@blueprint.get("/unlocks")
@answers(Audience.MANAGER)
@permitted("unlocks.read")
@blueprint.arguments(UnlockQuery, location="query")
@blueprint.response(200, page_schema(UnlockSchema))
def list_unlocks(query: dict[str, Any]) -> Page:
    """Every try at a lock and every locked part shown: by what, whose, by whom, how far away; newest first."""
    filters = {name: query[name] for name in ("what", "since", "until")}
    with transaction(g.actor.agency_id) as session:
        statement = unlocks(**filters, agent_id=query["agent"], visit_id=query["visit"])
        keys = [VisitEvent.at, VisitEvent.id]
        page = paged(session, statement, keys, limit=query["limit"], after=query["after"], descending=True)
        return Page(unlock_lines(session, [(event, review) for event, review in page.items]), page.next)


@blueprint.get("/unlock-reviews")
@answers(Audience.MANAGER)
@permitted("unlocks.read")
@blueprint.arguments(ReviewQuery, location="query")
@blueprint.response(200, page_schema(UnlockSchema))
def list_reviews(query: dict[str, Any]) -> Page:
    """Unlocks that wait for a manager (or were decided, on request), each with its review; oldest first."""
    with transaction(g.actor.agency_id) as session:
        statement = unlock_reviews(state=query["state"], reason=query["reason"])
        keys = [UnlockReview.put_up_at, UnlockReview.id]
        page = paged(session, statement, keys, limit=query["limit"], after=query["after"])
        return Page(unlock_lines(session, [(event, review) for review, event in page.items]), page.next)


@blueprint.post("/unlock-reviews/<uuid:review_id>/decision")
@answers(Audience.MANAGER)
@permitted("unlocks.review")
@blueprint.arguments(DecisionSchema)
@blueprint.response(200, UnlockReviewSchema)
def decide(body: dict[str, Any], review_id: UUID) -> UnlockReview:
    """It was in order, or it was not; an objection says why."""
    state = ReviewState(body["state"])
    with transaction(g.actor.agency_id) as session:
        return decide_unlock_review(
            session, review_id, state=state, note=body["note"], by=g.actor.id, now=clock().now()
        )
