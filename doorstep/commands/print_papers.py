"""`doorstep print`: a day's stacks for the printer, one PDF per route."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from uuid import UUID

import click
from sqlalchemy import select
from sqlalchemy.orm import Session

from doorstep.commands import office_context
from field_api.platform.database import transaction
from field_api.platform.wiring import clock, objects, papers
from field_api.records.planning import Agent, Plan, Route
from field_api.usecases.issue_papers import issue_papers
from field_api.usecases.print_legend import print_legend
from field_api.usecases.print_route import PrintedRoute, print_route


@click.command("print")
@click.option("--date", "day", required=True, type=click.DateTime(["%Y-%m-%d"]), help="The day of the plan.")
@click.option("--route", "code", help="Only the route of the agent with this code.")
@click.option("--out", required=True, type=click.Path(file_okay=False, path_type=Path), help="Where the PDFs go.")
@click.option("--card", "card_language", help="Also write the agent's own card in this language (es, en, fr, de).")
def print_papers(day: datetime, code: str | None, out: Path, card_language: str | None) -> None:
    """Write each route's stack: visit sheet and letters in route order. Printing again marks the letters as copies."""
    with office_context() as agency_id:
        out.mkdir(parents=True, exist_ok=True, mode=0o700)
        with transaction(agency_id) as session:
            routes = _routes(session, day, code)
            for plan_id in dict.fromkeys(plan_id for plan_id, _ in routes):
                issue_papers(session, plan_id, renderer=papers(), objects=objects(), now=clock().now())
        if not routes:
            raise click.ClickException("no published route on this day" + (f" for {code}" if code else ""))
        for _, route_id in routes:
            # The file is written after the commit: whatever happens between, no letter exists twice without a mark.
            with transaction(agency_id) as session:
                printed = print_route(session, route_id, renderer=papers(), now=clock().now(), actor="system")
            _write(out, printed)
        if card_language:
            _save(out / "card.pdf", print_legend(card_language, renderer=papers()).pdf)


def _routes(session: Session, day: datetime, code: str | None) -> list[tuple[UUID, UUID]]:
    query = (
        select(Route.plan_id, Route.id)
        .join(Plan, Plan.id == Route.plan_id)
        .join(Agent, Agent.id == Route.agent_id)
        .where(Plan.for_day == day.date(), Plan.state == "published")
        .order_by(Agent.code)
    )
    if code:
        query = query.where(Agent.code == code)
    return [(plan_id, route_id) for plan_id, route_id in session.execute(query)]


def _write(out: Path, printed: PrintedRoute) -> None:
    path = out / printed.file_name
    _save(path, printed.paper.pdf)
    copies = f" ({printed.reprints} copies)" if printed.reprints else ""
    click.echo(f"{path}: {printed.paper.pages} pages, letters: {printed.letters}{copies}")


def _save(path: Path, pdf: bytes) -> None:
    """Letters are for their addressees: the file is its owner's alone."""
    path.touch(mode=0o600)
    path.write_bytes(pdf)
