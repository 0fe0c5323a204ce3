"""`/attempts`: every contact attempt, polled from a dense head that loses nothing."""

from __future__ import annotations

from typing import Any

from flask import g
from flask_smorest import Blueprint

from field_api.domain.disclosure import Audience
from field_api.http.permits import answers, permitted
from field_api.http.schemas.results import AttemptQuery, AttemptsSchema
from field_api.platform.database import transaction
from field_api.queries.results import attempts_after

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
