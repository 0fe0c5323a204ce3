"""`/attempts`: every contact attempt, polled from a dense head that loses nothing; those of other channels come in."""

from __future__ import annotations

from typing import Any

from flask import g
from flask_smorest import Blueprint

from field_api.domain.disclosure import Audience
from field_api.http.permits import answers, permitted
from field_api.http.schemas.results import AttemptQuery, AttemptsSchema, KeptAttemptsSchema, ToldAttemptsSchema
from field_api.platform.database import transaction
from field_api.platform.wiring import clock
from field_api.queries.results import attempts_after
from field_api.usecases.record_attempts import record_attempts

blueprint = Blueprint("attempts", __name__, url_prefix="/attempts", description="Contact attempts, in commit order")


@blueprint.get("")
@answers(Audience.MANAGER, Audience.CONTROLLER, Audience.INTEGRATOR)
@permitted("attempts.read", by_creditor=True)
@blueprint.arguments(AttemptQuery, location="query")
@blueprint.response(200, AttemptsSchema)
def poll(query: dict[str, int]) -> dict[str, Any]:
    """Attempts with a number above `after`, in order. Keep `next` and come back with it: none is ever skipped."""
    after, limit = query["after"], query["limit"]
    with transaction(g.actor.agency_id) as session:
        found = attempts_after(session, after, limit=limit + 1, creditor_id=g.actor.creditor_id)
    shown = found[:limit]
    items = [
        {**vars(attempt), "account_reference": account.reference, "creditor_id": account.creditor_id}
        for attempt, account in shown
    ]
    return {"items": items, "next": shown[-1][0].number if shown else after, "more": len(found) > limit}


@blueprint.post("")
@answers(Audience.DISPATCHER, Audience.MANAGER, Audience.INTEGRATOR)
@permitted("attempts.write")
@blueprint.arguments(ToldAttemptsSchema)
@blueprint.response(200, KeptAttemptsSchema)
def tell(body: dict[str, Any]) -> dict[str, Any]:
    """Calls, letters by post, e-mails and messages made elsewhere. Each is kept once per its own id and account; those
    that cannot be kept are in `refused` and keep no other out."""
    with transaction(g.actor.agency_id) as session:
        kept = record_attempts(session, body["creditor_id"], body["attempts"], now=clock().now(), by=g.actor.id)
    refused = [{"index": index, "field": field, "why": why} for index, field, why in kept.refused]
    return {"recorded": kept.recorded, "known": kept.known, "refused": refused}
