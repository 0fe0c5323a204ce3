"""`/console/paper-sheet`: a paper sheet as a form, one row per visit; plain HTML, made for a keyboard."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from flask import Blueprint, g, render_template, request
from flask.typing import ResponseReturnValue

from field_api.domain.disclosure import Audience, Label
from field_api.domain.paper_entry import FIELDS, Trouble, TypedRow
from field_api.http.bodies import HTML, sends
from field_api.http.console import to_sign_in
from field_api.http.panels import PageLink
from field_api.http.permits import answers, permitted
from field_api.platform.database import transaction
from field_api.platform.problems import Problem
from field_api.platform.wiring import clock
from field_api.queries import status_page
from field_api.queries.paper_form import FormRow, PaperForm, paper_form
from field_api.usecases.enter_paper_sheet import EnteredRow, RowState, enter_paper_sheet

blueprint = Blueprint("paper_page", __name__, template_folder="templates", static_folder=None)
blueprint.register_error_handler(Problem, to_sign_in)

LINKS = (PageLink("papers.write", "Type in paper sheets", "/console/paper-sheets"),)
_HOLDS = (Label.OPEN, Label.PLACE, Label.INTERNAL, Label.PERSONAL, Label.CONFIDENTIAL)
HEADS = {
    "time": "Time", "box": "1–11", "letter": "a–i", "envelope": "12, 13", "phone": "New phone", "email": "New e-mail",
    "address": "New address", "person": "Other person", "note": "Note",
}  # fmt: skip
NARROW = frozenset({"time", "box", "letter", "envelope"})
TROUBLES = {
    Trouble.NO_SUCH_ROW: "no such row on this print",
    Trouble.ROW_TWICE: "the row came twice",
    Trouble.NOT_A_TIME: "not a time: write 9:05",
    Trouble.NO_SUCH_TIME: "there was no such time that night",
    Trouble.LATER_THAN_NOW: "that is still to come",
    Trouble.NO_SUCH_BOX: "no box has this number",
    Trouble.SEVERAL_BOXES: "one number: which box is it?",
    Trouble.NO_SUCH_LETTER: "the card has no such letter for this number",
    Trouble.LETTER_MISSING: "who was it? ask the agent: a to i",
    Trouble.LETTER_WITHOUT_BOX: "a letter beside which number?",
    Trouble.TOO_LONG: "too long",
}
STATES = {
    RowState.RECORDED: "recorded",
    RowState.CORRECTED: "corrected",
    RowState.UNCHANGED: "as before",
    RowState.BLANK: "",
    RowState.UNREADABLE: "not recorded: see the marked fields",
}


@dataclass(frozen=True)
class Line:
    """One row of the form: what the fields hold, what is wrong with them, what became of it, what phones say."""

    row: FormRow
    typed: Mapping[str, str]
    wrong: Mapping[str, str]
    state: str
    failed: bool
    differs: bool
    told: str


@blueprint.get("/console/paper-sheets")
@answers(Audience.DISPATCHER, Audience.MANAGER)
@permitted("papers.write")
@sends(HTML, Label.OPEN, Label.INTERNAL)
def choose() -> ResponseReturnValue:
    """`?day=2026-11-18`: that day's routes, of which one is typed in."""
    day = _day(request.args.get("day"))
    with transaction(g.actor.agency_id) as session:
        plan = status_page.plan_shown(session, day)
        routes = status_page.routes_of(session, plan.id) if plan else []
        shown = plan.for_day if plan else day
    return render_template("doorstep/paper_sheets.html", day=shown, routes=routes)


@blueprint.get("/console/paper-sheet")
@answers(Audience.DISPATCHER, Audience.MANAGER)
@permitted("papers.write")
@sends(HTML, *_HOLDS)
def show() -> ResponseReturnValue:
    """`?route=ID`, `&issue=MARK`: the form, with what was typed before."""
    with transaction(g.actor.agency_id) as session:
        form = paper_form(session, _route(), request.args.get("issue"))
    return _page(form, {})


@blueprint.post("/console/paper-sheet")
@answers(Audience.DISPATCHER, Audience.MANAGER)
@permitted("papers.write")
@sends(HTML, *_HOLDS)
def enter() -> ResponseReturnValue:
    """Record what can be read; the page comes back with all that was typed, and says what became of each row. Sent
    again, it records nothing twice."""
    agency_id, route_id, issue = g.actor.agency_id, _route(), request.args.get("issue")
    with transaction(agency_id) as session:
        form = paper_form(session, route_id, issue)
    typed = [(row.row, _typed(row.row)) for row in form.rows]
    sheet = enter_paper_sheet(
        lambda: transaction(agency_id), route_id, typed, issue=form.issue, by=g.actor.id, now=clock().now()
    )
    with transaction(agency_id) as session:
        return _page(paper_form(session, route_id, form.issue), {row.row: row for row in sheet.rows})


def _page(form: PaperForm, entered: Mapping[str, EnteredRow]) -> ResponseReturnValue:
    lines = [_line(row, entered.get(row.row)) for row in form.rows]
    counts = {state: sum(one.state is state for one in entered.values()) for state in STATES} if entered else {}
    return render_template(
        "doorstep/paper_sheet.html", form=form, lines=lines, heads=HEADS, narrow=NARROW, counts=counts,
        failed=[line.row.row for line in lines if line.failed],
    )  # fmt: skip


def _line(row: FormRow, entered: EnteredRow | None) -> Line:
    """A row that could not be read keeps what was typed; any other shows what stands."""
    kept = entered.typed if entered and entered.state is not RowState.BLANK else row.typed or TypedRow()
    wrong = {one.field: TROUBLES[one.trouble] for one in entered.unreadable} if entered else {}
    told = ", ".join(f"{one.what.replace('_', ' ')} {one.at.astimezone(row.zone):%H:%M}" for one in row.reported)
    return Line(
        row, {name: getattr(kept, name) for name in FIELDS}, wrong, STATES[entered.state] if entered else "",
        bool(wrong), row.differs, told,
    )  # fmt: skip


def _typed(row: str) -> TypedRow:
    return TypedRow.of({name: request.form.get(f"{row}.{name}", "") for name in FIELDS})


def _route() -> UUID:
    found: Any = _read(UUID, request.args.get("route"))
    if found is None:
        raise Problem("bad-request", "which route?", at="route")
    return UUID(str(found))


def _day(text: str | None) -> date | None:
    found: date | None = _read(date.fromisoformat, text)
    return found


def _read(kind: Any, text: str | None) -> Any:
    try:
        return kind(text) if text else None
    except ValueError as error:
        raise Problem("bad-request", "the address asks for what there is not", at="query") from error
