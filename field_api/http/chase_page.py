"""`/console/papers`: the letters that a dispatcher looks after, as plain tables with what is to be done."""

from __future__ import annotations

from flask import Blueprint, g, render_template
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from field_api.domain.disclosure import Audience, Label
from field_api.domain.letter_custody import Chased
from field_api.http.bodies import HTML, sends
from field_api.http.console import to_sign_in
from field_api.http.paging import paged
from field_api.http.panels import PageLink, Panel
from field_api.http.permits import answers, permitted
from field_api.platform.database import transaction
from field_api.platform.problems import Problem
from field_api.platform.wiring import clock
from field_api.queries.chased_letters import (
    KEYS,
    MANY,
    ChasedLetter,
    chase_counts,
    chased,
    chased_letter,
    refused_by_creditor,
)

blueprint = Blueprint("chase_page", __name__, template_folder="templates", static_folder=None)
blueprint.register_error_handler(Problem, to_sign_in)

LINKS = (PageLink("papers.read", "Letters to look after", "/console/papers"),)
ON_A_PAGE = 100
TITLES = {
    Chased.PULL: "Pull out of stacks",
    Chased.UNPRINTED: "Not printed yet, for today and tomorrow",
    Chased.OUTSTANDING: "Not handed in",
    Chased.IN_OFFICE: "Back in the office: destroy, or send out again",
    Chased.TO_POST: "To be posted",
    Chased.LOST: "Lost",
}
"""In the order of a dispatcher's day: what must not leave the house comes first."""
_COLUMNS = ("Agent", "Day", "Stop", "Name in the window", "Serial number", "State", "To do", "Since (UTC)")
_REFUSED = ("Creditor", "What is missing", "Letters")


@blueprint.get("/console/papers")
@answers(Audience.DISPATCHER, Audience.MANAGER)
@permitted("papers.read")
@sends(HTML, Label.OPEN, Label.INTERNAL, Label.CONFIDENTIAL)
def show() -> ResponseReturnValue:
    """The first hundred of each list; the rest comes when these are done, or by `/api/v1/papers/chase`."""
    with transaction(g.actor.agency_id) as session:
        now = clock().now()
        counts = chase_counts(session, now)
        panels = [_panel(session, why, counts[why]) for why in TITLES]
        rows = [(one.creditor, one.refusal, str(one.count)) for one in refused_by_creditor(session, now)]
    panels.append(Panel(f"Refused in the last 30 days ({_many(counts[Chased.REFUSED])})", _REFUSED, rows, "None."))
    return render_template("doorstep/chase.html", panels=panels)


def _panel(session: Session, why: Chased, count: int) -> Panel:
    page = paged(session, chased(why, clock().now()), KEYS[why], limit=ON_A_PAGE, after=None)
    rows = [_row(chased_letter(why, row)) for row in page.items]
    if page.next:
        rows.append(("…", *[""] * (len(_COLUMNS) - 1)))
    return Panel(f"{TITLES[why]} ({_many(count)})", _COLUMNS, rows, "Nothing.")


def _row(one: ChasedLetter) -> tuple[str, ...]:
    to = f" to {one.to_agent_code}, stop {one.to_stop}" if one.to_agent_code else ""
    return (
        one.agent_code or "",
        one.on.isoformat() if one.on else "",
        str(one.stop or ""),
        one.name,
        one.serial,
        one.state.replace("_", " "),
        one.to_do + to,
        f"{one.since:%Y-%m-%d %H:%M}",
    )


def _many(count: int) -> str:
    return str(count) if count <= MANY else f"more than {MANY}"
