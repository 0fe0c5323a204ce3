"""Creditors' own letter templates: versions, what they look like, which is in use."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Response, g
from flask_smorest import Blueprint

from field_api.domain.disclosure import Audience, Label
from field_api.domain.letter_templates import TemplateState
from field_api.http.bodies import PDF, sends
from field_api.http.paging import Page, PageArguments, page_schema, paged
from field_api.http.permits import answers, permitted
from field_api.http.schemas.letter_templates import (
    LetterTemplateSchema,
    NewLetterTemplateSchema,
    PreviewSchema,
    TemplateStateSchema,
)
from field_api.platform.database import transaction
from field_api.platform.wiring import clock, papers
from field_api.queries.letter_templates import templates_of
from field_api.records.agency import Creditor
from field_api.records.base import load
from field_api.records.letter_templates import LetterTemplate
from field_api.usecases.add_letter_template import add_letter_template, set_template_state
from field_api.usecases.note_visit_event import staff_actor
from field_api.usecases.preview_letter import preview_letter

blueprint = Blueprint("letter-templates", __name__, description="Creditors' own letter templates")


@blueprint.get("/creditors/<uuid:creditor_id>/letter-templates")
@answers(Audience.DISPATCHER, Audience.MANAGER)
@permitted("papers.read")
@blueprint.arguments(PageArguments, location="query")
@blueprint.response(200, page_schema(LetterTemplateSchema))
def list_templates(page: dict[str, Any], creditor_id: UUID) -> Page:
    """All versions of a creditor, oldest first."""
    with transaction(g.actor.agency_id) as session:
        load(session, Creditor, creditor_id)
        return paged(session, templates_of(creditor_id), [LetterTemplate.version, LetterTemplate.id], **page)


@blueprint.post("/creditors/<uuid:creditor_id>/letter-templates")
@answers(Audience.MANAGER, Audience.INTEGRATOR)
@permitted("creditors.write")
@blueprint.arguments(NewLetterTemplateSchema)
@blueprint.response(201, LetterTemplateSchema)
def add(body: dict[str, Any], creditor_id: UUID) -> LetterTemplate:
    """Keep a new version, a draft, after it was tried on invented letters of every place where debtors live."""
    source = body.pop("source").encode()
    with transaction(g.actor.agency_id) as session:
        actor = staff_actor(g.actor.id)
        return add_letter_template(
            session, creditor_id, source, **body, renderer=papers(), now=clock().now(), actor=actor
        )


@blueprint.post("/letter-templates/<uuid:template_id>/preview")
@answers(Audience.DISPATCHER, Audience.MANAGER)
@permitted("papers.read", replay=False)
@blueprint.arguments(PreviewSchema)
@sends(PDF, Label.INTERNAL, name="preview.pdf")
@blueprint.response(200, content_type=PDF)
def preview(body: dict[str, Any], template_id: UUID) -> Response:
    """An invented letter by this version, as PDF."""
    with transaction(g.actor.agency_id) as session:
        source = load(session, LetterTemplate, template_id).source.encode()
    paper = preview_letter(source, **body, renderer=papers())
    disposition = 'attachment; filename="preview.pdf"'
    return Response(paper.pdf, mimetype=PDF, headers={"Content-Disposition": disposition})


@blueprint.put("/letter-templates/<uuid:template_id>/state")
@answers(Audience.MANAGER, Audience.INTEGRATOR)
@permitted("creditors.write")
@blueprint.arguments(TemplateStateSchema)
@blueprint.response(200, LetterTemplateSchema)
def set_state(body: dict[str, Any], template_id: UUID) -> LetterTemplate:
    """Put a version into use, after trying it again, or take it out of use."""
    wanted = TemplateState(body["state"])
    with transaction(g.actor.agency_id) as session:
        actor = staff_actor(g.actor.id)
        return set_template_state(session, template_id, wanted, renderer=papers(), now=clock().now(), actor=actor)
