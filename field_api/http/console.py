"""`/console/`: one plain page for dispatchers and managers; what is planned, how far it is, what came back."""

from __future__ import annotations

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from flask import Blueprint, current_app, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from field_api.domain.disclosure import Audience, Label, may_see
from field_api.http.bodies import CSS, HTML, sends
from field_api.http.panels import Panel, other_pages, other_panels
from field_api.http.permits import answers, open_to_all, permitted
from field_api.http.response_headers import KEPT_AN_HOUR
from field_api.platform.database import transaction
from field_api.platform.problems import Problem, problem_response
from field_api.queries import status_page
from field_api.records.agency import Agency
from field_api.records.planning import Plan

blueprint = Blueprint("console", __name__, template_folder="templates", static_folder=None)


@blueprint.get("/console/")
@answers(Audience.DISPATCHER, Audience.MANAGER, Audience.ADMIN)
@permitted("console.read")
@sends(HTML, Label.OPEN, Label.ON_REQUEST, Label.INTERNAL)
def show() -> ResponseReturnValue:
    """`?day=2026-11-18` shows that day's plan instead of the newest."""
    day = _day(request.args.get("day"))
    with transaction(g.actor.agency_id) as session:
        agency = session.get_one(Agency, g.actor.agency_id)
        plan = status_page.plan_shown(session, day)
        panels = [*(_plan_panels(session, plan) if plan else []), *other_panels(session, g.actor), _devices(session)]
    pages = other_pages(g.actor)
    return render_template("doorstep/console.html", agency=agency, plan=plan, day=day, panels=panels, pages=pages)


@blueprint.get("/style.css")
@open_to_all
@answers(Audience.MACHINE)
@sends(CSS, Label.INTERNAL)
def style() -> ResponseReturnValue:
    """The pages' own stylesheet; it says nothing about anybody, so it may be kept."""
    response = current_app.response_class(render_template("doorstep/style.css"), mimetype="text/css")
    response.headers["Cache-Control"] = KEPT_AN_HOUR
    return response


@blueprint.errorhandler(Problem)
def to_sign_in(problem: Problem) -> ResponseReturnValue:
    """A person without a session is shown the door; everybody else gets the problem."""
    if problem.code == "not-signed-in":
        return redirect(url_for("security.login", next=request.full_path.rstrip("?")))
    return problem_response(problem)


def _day(text: str | None) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError as error:
        raise Problem("bad-request", "a day is written 2026-11-18", at="day") from error


def _plan_panels(session: Session, plan: Plan) -> list[Panel]:
    routes = [
        (
            f"{route.agent_code} {route.agent_name}",
            str(route.stops),
            f"{route.done} of {route.visits}",
            f"{_clock(route.starts_at, route.timezone)} to {_clock(route.ends_at, route.timezone)}",
            f"{route.distance_m / 1000:.1f} km",
        )
        for route in status_page.routes_of(session, plan.id)
    ]
    columns = ("Agent", "Stops", "Visits done", "Hours there", "Distance")
    panels = [Panel("Routes", columns, routes, "This plan has no route.")]
    if may_see(g.audience, Label.CONFIDENTIAL):
        panels.append(_not_planned(session, plan))
    return panels


def _not_planned(session: Session, plan: Plan) -> Panel:
    """How many accounts are below the threshold, not due, on hold: counts of what is owed, so not for all who come."""
    counts = status_page.not_planned_by_reason(session, plan.id)
    reasons = [(reason.replace("_", " "), str(count)) for reason, count in counts]
    return Panel("Not on the plan", ("Reason", "Accounts"), reasons, "Every account is on it.")


def _devices(session: Session) -> Panel:
    rows = [
        (str(device_id)[:8], code or "?", state, _moment(enrolled_at), _moment(revoked_at))
        for device_id, state, enrolled_at, revoked_at, code in status_page.devices(session)
    ]
    return Panel(
        "Phones", ("Phone", "Agent", "State", "Enrolled (UTC)", "Revoked (UTC)"), rows, "No phone is enrolled."
    )


def _clock(moment: datetime, timezone: str) -> str:
    return moment.astimezone(ZoneInfo(timezone)).strftime("%H:%M")


def _moment(moment: datetime | None) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M") if moment else ""
