"""`/disputes`: what located clients contest."""

from __future__ import annotations

from typing import Any

from flask import g
from flask_smorest import Blueprint

from field_api.domain.disclosure import Audience
from field_api.http.paging import Page, page_schema, paged
from field_api.http.permits import answers, permitted
from field_api.http.schemas.results import DisputeQuery, DisputeSchema
from field_api.platform.database import transaction
from field_api.queries.results import disputes
from field_api.records.results import Dispute

blueprint = Blueprint("disputes", __name__, url_prefix="/disputes", description="Disputes")


@blueprint.get("")
@answers(Audience.MANAGER, Audience.CONTROLLER, Audience.INTEGRATOR)
@permitted("disputes.read", by_creditor=True)
@blueprint.arguments(DisputeQuery, location="query")
@blueprint.response(200, page_schema(DisputeSchema))
def list_disputes(query: dict[str, Any]) -> Page:
    """Disputes by state and account; newest first."""
    with transaction(g.actor.agency_id) as session:
        statement = disputes(state=query["state"], account_id=query["account"], creditor_id=g.actor.creditor_id)
        keys = [Dispute.opened_at, Dispute.id]
        return paged(session, statement, keys, limit=query["limit"], after=query["after"], descending=True)
