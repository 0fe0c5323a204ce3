"""`/plans/{id}/...`: a dispatcher looks at a draft, changes it by hand, and has the rest put in order anew."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import g
from flask_smorest import Blueprint

from field_api.domain.changes_by_hand import Change
from field_api.domain.disclosure import Audience
from field_api.http.paging import Page, page_schema, paged
from field_api.http.permits import answers, permitted
from field_api.http.schemas.drafts import (
    ChangeOutcomeSchema,
    ChangeSchema,
    ChangesQuery,
    DraftSchema,
    DryRunQuery,
    OptimiseSchema,
    PlanChangeSchema,
)
from field_api.http.schemas.versions import VersionHeaders
from field_api.http.versions import seen_versions
from field_api.platform.database import transaction
from field_api.platform.wiring import clock, planning
from field_api.queries.draft_view import DraftView, draft_view
from field_api.queries.plan_changes import plan_changes
from field_api.records.drafts import PlanChange
from field_api.usecases.change_draft import ChangeOutcome, change_draft
from field_api.usecases.reoptimise_draft import reoptimise_draft

blueprint = Blueprint("drafts", __name__, url_prefix="/plans", description="Drafts, and changes of them by hand")

Versioned = tuple[Any, int, dict[str, str]]


@blueprint.get("/<uuid:plan_id>/routes")
@answers(Audience.DISPATCHER, Audience.MANAGER)
@permitted("plans.read")
@blueprint.response(200, DraftSchema)
def look(plan_id: UUID) -> Versioned:
    """Every route with its stops, its load and its line on a map; the ETag is what a change has to bring."""
    with transaction(g.actor.agency_id) as session:
        return _versioned(draft_view(session, plan_id))


@blueprint.get("/<uuid:plan_id>/changes")
@answers(Audience.DISPATCHER, Audience.MANAGER)
@permitted("plans.read")
@blueprint.arguments(ChangesQuery, location="query")
@blueprint.response(200, page_schema(PlanChangeSchema))
def list_changes(query: dict[str, Any], plan_id: UUID) -> Page:
    """Who changed what by hand, and when; in order."""
    with transaction(g.actor.agency_id) as session:
        statement = plan_changes(session, plan_id)
        return paged(session, statement, [PlanChange.version], limit=query["limit"], after=query["after"])


@blueprint.post("/<uuid:plan_id>/changes")
@answers(Audience.DISPATCHER, Audience.MANAGER)
@permitted("plans.write")
@blueprint.arguments(ChangeSchema)
@blueprint.arguments(DryRunQuery, location="query")
@blueprint.arguments(VersionHeaders, location="headers")
@blueprint.response(200, ChangeOutcomeSchema)
def change(body: Change, query: dict[str, Any], _headers: dict[str, Any], plan_id: UUID) -> Versioned:
    """Pin, unpin, move, reorder, reassign, drop or add; with `dry_run` only what that would cost and break."""
    seen, dry_run = seen_versions(), query["dry_run"]
    with transaction(g.actor.agency_id) as session:
        outcome: ChangeOutcome = change_draft(
            session, plan_id, body, parts=planning(), now=clock().now(), by=g.actor.id, seen=seen, dry_run=dry_run
        )
        return _versioned(outcome)


@blueprint.post("/<uuid:plan_id>/optimise")
@answers(Audience.DISPATCHER, Audience.MANAGER)
@permitted("plans.write")
@blueprint.arguments(OptimiseSchema)
@blueprint.arguments(VersionHeaders, location="headers")
@blueprint.response(200, DraftSchema)
def optimise(body: dict[str, Any], _headers: dict[str, Any], plan_id: UUID) -> Versioned:
    """Put the rest in order anew; what was changed by hand stays. Takes seconds for hundreds of accounts."""
    seen = seen_versions()
    with transaction(g.actor.agency_id) as session:
        reoptimise_draft(
            session, plan_id, parts=planning(), now=clock().now(), by=g.actor.id, seen=seen, seed=body["seed"]
        )
        return _versioned(draft_view(session, plan_id))


def _versioned(answer: DraftView | ChangeOutcome) -> Versioned:
    return answer, 200, {"ETag": f'"{answer.version}"'}
