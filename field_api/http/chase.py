"""`/papers/chase` and what is done about it: single prints, papers that move, what agents hand in."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from uuid import UUID

from flask import Response, g
from flask_smorest import Blueprint

from field_api.domain.disclosure import Audience, Label
from field_api.domain.letter_custody import Chased
from field_api.http.bodies import PDF, sends
from field_api.http.paging import Page, page_schema, paged
from field_api.http.papers import pdf_download
from field_api.http.permits import answers, permitted
from field_api.http.schemas.chase import (
    ChasedLetterSchema,
    ChaseOverviewSchema,
    ChaseQuery,
    HandedInSchema,
    HandInSchema,
    PrintLetterSchema,
)
from field_api.platform.database import transaction
from field_api.platform.wiring import clock, objects, papers
from field_api.queries.chased_letters import KEYS, chase_counts, chased, chased_letter, refused_by_creditor
from field_api.usecases.hand_in_letters import HandIn, hand_in_letters
from field_api.usecases.move_letter import move_letter
from field_api.usecases.note_visit_event import staff_actor
from field_api.usecases.print_letter import print_letter

blueprint = Blueprint("chase", __name__, description="Letters that the office must look after")


@blueprint.get("/papers/chase")
@answers(Audience.DISPATCHER, Audience.MANAGER)
@permitted("papers.read")
@blueprint.arguments(ChaseQuery, location="query")
@blueprint.response(200, page_schema(ChasedLetterSchema))
def list_chased(query: dict[str, Any]) -> Page:
    """One list: what is unprinted, to be pulled, outstanding, in the office, to be posted, refused or lost."""
    why = Chased(query["why"])
    with transaction(g.actor.agency_id) as session:
        statement = chased(why, clock().now())
        page = paged(session, statement, KEYS[why], limit=query["limit"], after=query["after"])
        return replace(page, items=[chased_letter(why, row) for row in page.items])


@blueprint.get("/papers/chase/overview")
@answers(Audience.DISPATCHER, Audience.MANAGER)
@permitted("papers.read")
@blueprint.response(200, ChaseOverviewSchema)
def overview() -> dict[str, Any]:
    """How many letters each list has, and what refused ones lack, by creditor."""
    with transaction(g.actor.agency_id) as session:
        now = clock().now()
        counts = [{"why": why.value, "count": count} for why, count in chase_counts(session, now).items()]
        return {"counts": counts, "refused": refused_by_creditor(session, now)}


@blueprint.post("/letters/<uuid:letter_id>/prints")
@answers(Audience.DISPATCHER, Audience.MANAGER)
@permitted("papers.write", replay=False)
@sends(PDF, Label.OPEN, Label.PLACE, Label.CONFIDENTIAL, Label.PERSONAL, name="letter.pdf")
@blueprint.arguments(PrintLetterSchema)
@blueprint.response(200, content_type=PDF)
def print_one(body: dict[str, Any], letter_id: UUID) -> Response:
    """One letter for the printer. A copy is marked, counted, and needs a reason."""
    with transaction(g.actor.agency_id) as session:
        who = {"actor": staff_actor(g.actor.id), "now": clock().now()}
        printed = print_letter(session, letter_id, renderer=papers(), objects=objects(), **who, **body)
        return pdf_download(printed.paper.pdf, "letter.pdf")


@blueprint.post("/letters/<uuid:letter_id>/moves")
@answers(Audience.DISPATCHER, Audience.MANAGER)
@permitted("papers.write")
@blueprint.response(204)
def move(letter_id: UUID) -> None:
    """Note that the paper was put into the stack where its visit is now."""
    with transaction(g.actor.agency_id) as session:
        move_letter(session, letter_id, now=clock().now(), actor=staff_actor(g.actor.id))


@blueprint.post("/agents/<uuid:agent_id>/hand-ins")
@answers(Audience.DISPATCHER, Audience.MANAGER)
@permitted("papers.write")
@blueprint.arguments(HandInSchema)
@blueprint.response(200, HandedInSchema)
def hand_in(body: dict[str, Any], agent_id: UUID) -> HandIn:
    """Take back what the agent brings, by serial number; the answer says what is still missing."""
    with transaction(g.actor.agency_id) as session:
        who = {"actor": staff_actor(g.actor.id), "now": clock().now()}
        return hand_in_letters(session, agent_id, body["on"], body["serials"], **who)
