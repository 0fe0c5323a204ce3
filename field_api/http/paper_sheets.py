"""`/routes/{id}/paper-sheet`: what an agent wrote on paper while the phone was dead, typed in afterwards."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Response, g
from flask_smorest import Blueprint

from field_api.domain.disclosure import Audience, Label
from field_api.http.bodies import PDF, sends
from field_api.http.papers import pdf_download
from field_api.http.permits import answers, permitted
from field_api.http.schemas.paper_sheets import EnteredSheetSchema, PaperFormQuery, PaperFormSchema, PaperSheetSchema
from field_api.platform.database import transaction
from field_api.platform.wiring import clock, papers
from field_api.queries.paper_form import PaperForm, paper_form
from field_api.usecases.enter_paper_sheet import EnteredSheet, enter_paper_sheet
from field_api.usecases.print_sheets import print_sheets

blueprint = Blueprint("paper_sheets", __name__, description="Paper sheets that are typed in")


@blueprint.get("/plans/<uuid:plan_id>/sheets")
@answers(Audience.DISPATCHER, Audience.MANAGER)
@permitted("papers.read")
@sends(PDF, Label.OPEN, Label.PLACE, name="sheets.pdf")
@blueprint.response(200, content_type=PDF)
def sheets(plan_id: UUID) -> Response:
    """The visit sheets of all routes in one file, as they are now: open data only."""
    with transaction(g.actor.agency_id) as session:
        return pdf_download(print_sheets(session, plan_id, renderer=papers()).pdf, "sheets.pdf")


@blueprint.get("/routes/<uuid:route_id>/paper-sheet")
@answers(Audience.DISPATCHER, Audience.MANAGER)
@permitted("papers.read")
@blueprint.arguments(PaperFormQuery, location="query")
@blueprint.response(200, PaperFormSchema)
def form(query: dict[str, Any], route_id: UUID) -> PaperForm:
    """A print's rows, what was typed of each before, and what phones reported."""
    with transaction(g.actor.agency_id) as session:
        return paper_form(session, route_id, query["issue"])


@blueprint.post("/routes/<uuid:route_id>/paper-sheet")
@answers(Audience.DISPATCHER, Audience.MANAGER)
@permitted("papers.write")
@blueprint.arguments(PaperSheetSchema)
@blueprint.response(200, EnteredSheetSchema)
def enter(body: dict[str, Any], route_id: UUID) -> EnteredSheet:
    """Type rows in: each becomes operations of the agent whose sheet it is, marked `from-paper`. A row that cannot be
    read is named and the others are recorded; the same rows once more record nothing twice."""
    agency_id, now = g.actor.agency_id, clock().now()
    return enter_paper_sheet(
        lambda: transaction(agency_id), route_id, body["rows"], issue=body["issue"], by=g.actor.id, now=now
    )
