"""`/plans/{id}/replan`: plan a published day again while agents are out."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import g
from flask_smorest import Blueprint

from field_api.domain.disclosure import Audience
from field_api.http.permits import answers, permitted
from field_api.http.schemas.replanning import HappenedSchema, ReplannedSchema
from field_api.platform.database import transaction
from field_api.platform.wiring import clock, heard, planning
from field_api.usecases.replan_day import Happened, replan_day
from field_api.usecases.tell_replanned import told

blueprint = Blueprint(
    "replanning", __name__, url_prefix="/plans", description="A day planned again while agents are out"
)


@blueprint.post("/<uuid:plan_id>/replan")
@answers(Audience.DISPATCHER, Audience.MANAGER)
@permitted("plans.write")
@blueprint.arguments(HappenedSchema)
@blueprint.response(200, ReplannedSchema)
def replan(body: dict[str, Any], plan_id: UUID) -> dict[str, Any]:
    """Spread the stops of who is ill, tell new times where somebody is late, take accounts in; as little changed as is
    worth it. With `preview` only what would change is told."""
    with transaction(g.actor.agency_id) as session:
        found = replan_day(
            session,
            plan_id,
            _happened(body),
            parts=planning(),
            heard=heard(session),
            now=clock().now(),
            by=g.actor.id,
            seed=body["seed"],
            weights=body["costs"],
            expect=body["expect"],
            preview=body["preview"],
        )
        return told(found)


def _happened(body: dict[str, Any]) -> Happened:
    late = body["late"]
    return Happened(
        ill=frozenset(body["ill"]),
        late_s={one["agent_id"]: 60 * one["minutes"] for one in late if "minutes" in one},
        free_at={one["agent_id"]: one["free_at"] for one in late if "free_at" in one},
        added=tuple(dict.fromkeys(body["add"])),
    )
