"""Visit sheets, letters and their custody. Downloads have neutral names; a letter's inside is for its addressee."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from flask import Response, g
from flask_smorest import Blueprint

from field_api.domain.disclosure import Audience, Label
from field_api.domain.letters import LetterState
from field_api.domain.vocabulary import Relation
from field_api.http.bodies import PDF, sends
from field_api.http.permits import answers, permitted
from field_api.http.schemas.chase import PrintOptions
from field_api.http.schemas.papers import CustodySchema, CustodyStepSchema, IssuedPapersSchema, LetterLineSchema
from field_api.platform.database import transaction
from field_api.platform.wiring import clock, objects, papers
from field_api.queries.papers import LetterLine, custody_of, letters_of_route, routes_of_plan
from field_api.records.visits import LetterCustody
from field_api.usecases.issue_papers import IssuedPapers, issue_papers
from field_api.usecases.note_visit_event import staff_actor
from field_api.usecases.print_legend import print_legend
from field_api.usecases.print_route import print_day, print_route
from field_api.usecases.read_letter import read_letter
from field_api.usecases.read_sheet import read_sheet
from field_api.usecases.take_custody_step import take_custody_step

blueprint = Blueprint("papers", __name__, description="Visit sheets, letters and where they are")


@blueprint.post("/plans/<uuid:plan_id>/papers")
@answers(Audience.DISPATCHER, Audience.MANAGER)
@permitted("papers.write")
@blueprint.response(200, IssuedPapersSchema)
def issue(plan_id: UUID) -> IssuedPapers:
    """Make the plan's sheets and letters that are not made yet."""
    with transaction(g.actor.agency_id) as session:
        return issue_papers(session, plan_id, renderer=papers(), objects=objects(), now=clock().now())


@blueprint.get("/routes/<uuid:route_id>/sheet")
@answers(Audience.DISPATCHER, Audience.MANAGER)
@permitted("papers.read")
@sends(PDF, Label.OPEN, Label.PLACE, name="sheet.pdf")
@blueprint.response(200, content_type=PDF)
def sheet(route_id: UUID) -> Response:
    """The visit sheet issued last, as PDF: open data only."""
    with transaction(g.actor.agency_id) as session:
        return pdf_download(read_sheet(session, route_id, objects=objects()), "sheet.pdf")


@blueprint.get("/routes/<uuid:route_id>/letters")
@answers(Audience.DISPATCHER, Audience.MANAGER)
@permitted("papers.read")
@blueprint.response(200, LetterLineSchema(many=True))
def letters(route_id: UUID) -> list[LetterLine]:
    """The route's letters in its order, and where each one is."""
    with transaction(g.actor.agency_id) as session:
        return letters_of_route(session, route_id)


@blueprint.post("/routes/<uuid:route_id>/prints")
@answers(Audience.DISPATCHER, Audience.MANAGER)
@permitted("papers.write", replay=False)
@sends(PDF, Label.OPEN, Label.PLACE, Label.CONFIDENTIAL, Label.PERSONAL, name="stack.pdf")
@blueprint.arguments(PrintOptions, location="query")
@blueprint.response(200, content_type=PDF)
def print_stack(query: dict[str, Any], route_id: UUID) -> Response:
    """The stack for the printer: sheet and letters in route order. Notes custody; copies are marked and counted."""
    with transaction(g.actor.agency_id) as session:
        return pdf_download(print_route(session, route_id, **_printing(), **query).paper.pdf, "stack.pdf")


@blueprint.post("/plans/<uuid:plan_id>/prints")
@answers(Audience.DISPATCHER, Audience.MANAGER)
@permitted("papers.write", replay=False)
@sends(PDF, Label.OPEN, Label.PLACE, Label.CONFIDENTIAL, Label.PERSONAL, name="stacks.pdf")
@blueprint.arguments(PrintOptions, location="query")
@blueprint.response(200, content_type=PDF)
def print_stacks(query: dict[str, Any], plan_id: UUID) -> Response:
    """All stacks of a plan in one file, by agent: all letters are noted as printed, or none is."""
    with transaction(g.actor.agency_id) as session:
        route_ids = routes_of_plan(session, plan_id)
        return pdf_download(print_day(session, route_ids, **_printing(), **query).paper.pdf, "stacks.pdf")


def _printing() -> dict[str, Any]:
    return {"renderer": papers(), "objects": objects(), "now": clock().now(), "actor": staff_actor(g.actor.id)}


@blueprint.get("/letters/<uuid:letter_id>/document")
@answers(Audience.DISPATCHER, Audience.MANAGER)
@permitted("papers.read")
@sends(PDF, Label.OPEN, Label.PLACE, Label.CONFIDENTIAL, Label.PERSONAL, name="letter.pdf")
@blueprint.response(200, content_type=PDF)
def letter(letter_id: UUID) -> Response:
    """The letter as it was issued, as PDF."""
    with transaction(g.actor.agency_id) as session:
        return pdf_download(read_letter(session, letter_id, objects=objects(), now=clock().now()), "letter.pdf")


@blueprint.get("/letters/<uuid:letter_id>/custody")
@answers(Audience.DISPATCHER, Audience.MANAGER)
@permitted("papers.read")
@blueprint.response(200, CustodySchema(many=True))
def custody(letter_id: UUID) -> Sequence[LetterCustody]:
    """Who had the letter when, oldest first."""
    with transaction(g.actor.agency_id) as session:
        return custody_of(session, letter_id)


@blueprint.post("/letters/<uuid:letter_id>/custody")
@answers(Audience.DISPATCHER, Audience.MANAGER)
@permitted("papers.write")
@blueprint.arguments(CustodyStepSchema)
@blueprint.response(204)
def take_step(body: dict[str, Any], letter_id: UUID) -> None:
    """Note that a letter came back, was destroyed, or was handed over in the office."""
    recipient = Relation(body["recipient"]) if body["recipient"] else None
    with transaction(g.actor.agency_id) as session:
        now = clock().now()
        state = LetterState(body["state"])
        take_custody_step(session, letter_id, state, recipient=recipient, staff_id=g.actor.id, now=now)


@blueprint.get("/legend-cards/<string:language>")
@answers(Audience.DISPATCHER, Audience.MANAGER)
@permitted("papers.read")
@sends(PDF, Label.INTERNAL, name="card.pdf")
@blueprint.response(200, content_type=PDF)
def legend(language: str) -> Response:
    """The agent's own card: what the numbers on visit sheets mean. Never printed with a sheet."""
    return pdf_download(print_legend(language, renderer=papers()).pdf, "card.pdf")


def pdf_download(body: bytes, name: str) -> Response:
    """A PDF to be saved under a name that says nothing."""
    return Response(body, mimetype=PDF, headers={"Content-Disposition": f'attachment; filename="{name}"'})
