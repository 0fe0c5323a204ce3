"""`/visits/...`: what a dispatcher does with one visit."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import g
from flask_smorest import Blueprint

from field_api.domain.disclosure import Audience
from field_api.http.permits import answers, permitted
from field_api.http.schemas.planning import (
    AssignedVisitSchema,
    ReasonGivenSchema,
    ReassignmentSchema,
    UnlockCodeSchema,
)
from field_api.platform.database import transaction
from field_api.platform.wiring import clock, planning
from field_api.records.visits import Visit
from field_api.usecases.disclose_unlock_code import disclose_unlock_code, reissue_unlock_code
from field_api.usecases.reassign_visit import reassign_visit
from field_api.usecases.withdraw_visit import withdraw_visit

blueprint = Blueprint(
    "visit_changes", __name__, url_prefix="/visits", description="What a dispatcher does with a visit"
)


@blueprint.post("/<uuid:visit_id>/reassign")
@answers(Audience.DISPATCHER, Audience.MANAGER)
@permitted("visits.write")
@blueprint.arguments(ReassignmentSchema)
@blueprint.response(200, AssignedVisitSchema)
def reassign(body: dict[str, Any], visit_id: UUID) -> Visit:
    """Give the visit to another agent: it goes last on their route, both phones are told."""
    with transaction(g.actor.agency_id) as session:
        return reassign_visit(session, visit_id, body["agent_id"], parts=planning(), now=clock().now(), by=g.actor.id)


@blueprint.post("/<uuid:visit_id>/withdraw")
@answers(Audience.DISPATCHER, Audience.MANAGER)
@permitted("visits.write")
@blueprint.arguments(ReasonGivenSchema)
@blueprint.response(200, AssignedVisitSchema)
def withdraw(body: dict[str, Any], visit_id: UUID) -> Visit:
    """Take the visit back; the phone is told first of all."""
    with transaction(g.actor.agency_id) as session:
        return withdraw_visit(session, visit_id, reason=body["reason"], now=clock().now(), by=g.actor.id)


@blueprint.post("/<uuid:visit_id>/codes/<uuid:person_id>/disclose")
@answers(Audience.DISPATCHER, Audience.MANAGER)
@permitted("codes.disclose", replay=False)
@blueprint.arguments(ReasonGivenSchema)
@blueprint.response(200, UnlockCodeSchema)
def disclose(body: dict[str, Any], visit_id: UUID, person_id: UUID) -> dict[str, str]:
    """Show a party's unlock code, this once, to be read out on the telephone. The reason goes on record."""
    with transaction(g.actor.agency_id) as session:
        code = disclose_unlock_code(
            session, visit_id, person_id, reason=body["reason"], by=g.actor.id, now=clock().now()
        )
        return {"code": code}


@blueprint.post("/<uuid:visit_id>/codes/<uuid:person_id>/reissue")
@answers(Audience.DISPATCHER, Audience.MANAGER)
@permitted("codes.disclose")
@blueprint.arguments(ReasonGivenSchema)
@blueprint.response(204)
def reissue(body: dict[str, Any], visit_id: UUID, person_id: UUID) -> None:
    """Make another code; the phone gets the locked part wrapped anew."""
    with transaction(g.actor.agency_id) as session:
        reissue_unlock_code(session, visit_id, person_id, reason=body["reason"], by=g.actor.id, now=clock().now())
