"""`/holds`: reasons not to collect."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import g
from flask_smorest import Blueprint

from field_api.domain.disclosure import Audience
from field_api.domain.vocabulary import HoldKind
from field_api.http.paging import Page, page_schema, paged
from field_api.http.permits import answers, permitted
from field_api.http.schemas.holds import HoldQuery, HoldSchema, LiftSchema, NewHoldSchema
from field_api.platform.database import transaction
from field_api.platform.wiring import clock
from field_api.queries.holds import holds
from field_api.records.accounts import Hold
from field_api.usecases.lift_hold import lift_hold
from field_api.usecases.place_hold import place_hold

blueprint = Blueprint("holds", __name__, url_prefix="/holds", description="Reasons not to collect")


@blueprint.get("")
@answers(Audience.DISPATCHER, Audience.MANAGER, Audience.CONTROLLER, Audience.INTEGRATOR)
@permitted("holds.read", by_creditor=True)
@blueprint.arguments(HoldQuery, location="query")
@blueprint.response(200, page_schema(HoldSchema))
def list_holds(query: dict[str, Any]) -> Page:
    """Holds in force, newest first; lifted ones on request."""
    with transaction(g.actor.agency_id) as session:
        statement = holds(in_force=not query["lifted"], account_id=query["account"], creditor_id=g.actor.creditor_id)
        keys = [Hold.placed_at, Hold.id]
        return paged(session, statement, keys, limit=query["limit"], after=query["after"], descending=True)


@blueprint.post("")
@answers(Audience.DISPATCHER, Audience.MANAGER, Audience.INTEGRATOR)
@permitted("holds.write")
@blueprint.arguments(NewHoldSchema)
@blueprint.response(201, HoldSchema)
def place(body: dict[str, Any]) -> Hold:
    """Stop collecting at once: visits with nothing left to be about are taken back from phones."""
    with transaction(g.actor.agency_id) as session:
        body["kind"] = HoldKind(body["kind"])
        return place_hold(session, **body, now=clock().now(), placed_by=g.actor.id)


@blueprint.post("/<uuid:hold_id>/lift")
@answers(Audience.DISPATCHER, Audience.MANAGER, Audience.INTEGRATOR)
@permitted("holds.write")
@blueprint.arguments(LiftSchema)
@blueprint.response(200, HoldSchema)
def lift(body: dict[str, Any], hold_id: UUID) -> Hold:
    """Let collection go on. Visits taken back do not return: the next plan decides."""
    with transaction(g.actor.agency_id) as session:
        return lift_hold(session, hold_id, reason=body["reason"], now=clock().now(), lifted_by=g.actor.id)
