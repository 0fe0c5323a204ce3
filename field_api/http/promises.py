"""`/promises`: what located clients promised to pay the creditor."""

from __future__ import annotations

from typing import Any

from flask import g
from flask_smorest import Blueprint

from field_api.domain.disclosure import Audience
from field_api.http.paging import Page, page_schema, paged
from field_api.http.permits import answers, permitted
from field_api.http.schemas.results import PromiseQuery, PromiseSchema
from field_api.platform.database import transaction
from field_api.queries.results import promises
from field_api.records.results import Promise

blueprint = Blueprint("promises", __name__, url_prefix="/promises", description="Promises to pay")


@blueprint.get("")
@answers(Audience.MANAGER, Audience.CONTROLLER, Audience.INTEGRATOR)
@permitted("promises.read", by_creditor=True)
@blueprint.arguments(PromiseQuery, location="query")
@blueprint.response(200, page_schema(PromiseSchema))
def list_promises(query: dict[str, Any]) -> Page:
    """Promises by state and account; newest first."""
    with transaction(g.actor.agency_id) as session:
        statement = promises(state=query["state"], account_id=query["account"], creditor_id=g.actor.creditor_id)
        keys = [Promise.made_at, Promise.id]
        return paged(session, statement, keys, limit=query["limit"], after=query["after"], descending=True)
