"""`/creditors`: who hands accounts over, and how their files are read."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import g
from flask_smorest import Blueprint

from field_api.domain.disclosure import Audience
from field_api.http.paging import Page, PageArguments, page_schema, paged
from field_api.http.permits import answers, permitted
from field_api.http.schemas.accounts import CreditorChangesSchema, CreditorSchema, NewCreditorSchema
from field_api.platform.database import transaction
from field_api.platform.problems import Problem
from field_api.platform.wiring import clock
from field_api.queries.accounts import creditors
from field_api.records.agency import Creditor
from field_api.records.base import load
from field_api.usecases.create_creditor import change_creditor, create_creditor

blueprint = Blueprint("creditors", __name__, url_prefix="/creditors", description="Clients of the agency")


@blueprint.get("")
@answers(Audience.DISPATCHER, Audience.MANAGER, Audience.CONTROLLER, Audience.INTEGRATOR)
@permitted("creditors.read", by_creditor=True)
@blueprint.arguments(PageArguments, location="query")
@blueprint.response(200, page_schema(CreditorSchema))
def list_creditors(page: dict[str, Any]) -> Page:
    """Creditors in the order they were added: a cursor stands in an address, so it carries no name."""
    with transaction(g.actor.agency_id) as session:
        return paged(session, creditors(creditor_id=g.actor.creditor_id), [Creditor.id], **page)


@blueprint.post("")
@answers(Audience.MANAGER, Audience.INTEGRATOR)
@permitted("creditors.write")
@blueprint.arguments(NewCreditorSchema)
@blueprint.response(201, CreditorSchema)
def add(body: dict[str, Any]) -> Creditor:
    """Take a creditor on."""
    with transaction(g.actor.agency_id) as session:
        return create_creditor(session, **body)


@blueprint.get("/<uuid:creditor_id>")
@answers(Audience.DISPATCHER, Audience.MANAGER, Audience.CONTROLLER, Audience.INTEGRATOR)
@permitted("creditors.read", by_creditor=True)
@blueprint.response(200, CreditorSchema)
def show(creditor_id: UUID) -> Creditor:
    """One creditor with its column map and threshold."""
    if g.actor.creditor_id not in (None, creditor_id):
        raise Problem("not-found", "no such creditor")
    with transaction(g.actor.agency_id) as session:
        return load(session, Creditor, creditor_id)


@blueprint.patch("/<uuid:creditor_id>")
@answers(Audience.MANAGER, Audience.INTEGRATOR)
@permitted("creditors.write")
@blueprint.arguments(CreditorChangesSchema)
@blueprint.response(200, CreditorSchema)
def change(body: dict[str, Any], creditor_id: UUID) -> Creditor:
    """Change what is sent: the threshold, the column map, how to pay."""
    with transaction(g.actor.agency_id) as session:
        return change_creditor(session, creditor_id, body, now=clock().now())
