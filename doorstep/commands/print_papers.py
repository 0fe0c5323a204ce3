"""`doorstep print`: a day's stacks for the printer, one PDF per route or one for all, and single letters."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import click

from doorstep.commands import office_context
from doorstep.private_file import write_private
from field_api.platform.database import transaction
from field_api.platform.wiring import clock, objects, papers
from field_api.queries.papers import routes_of_day
from field_api.usecases.hand_over_letter import letter_by_serial
from field_api.usecases.issue_papers import issue_papers
from field_api.usecases.print_legend import print_legend
from field_api.usecases.print_letter import print_letter
from field_api.usecases.print_route import PrintedRoute, print_day, print_route


@click.command("print")
@click.option("--date", "day", type=click.DateTime(["%Y-%m-%d"]), help="The day of the plan.")
@click.option("--route", "code", help="Only the route of the agent with this code.")
@click.option("--all-in-one", is_flag=True, help="One PDF for all routes of the day, one after the other.")
@click.option("--unprinted", is_flag=True, help="Only letters that were never printed, with the sheet.")
@click.option("--letter", "serials", multiple=True, help="One letter by its serial number; may be repeated.")
@click.option("--reason", default="", help="With --letter: why it is printed again. Goes on record.")
@click.option("--out", required=True, type=click.Path(file_okay=False, path_type=Path), help="Where the PDFs go.")
@click.option("--card", "card_language", help="Also write the agent's own card in this language (es, en, fr, de ...).")
def print_papers(
    day: datetime | None,
    code: str | None,
    all_in_one: bool,
    unprinted: bool,
    serials: tuple[str, ...],
    reason: str,
    out: Path,
    card_language: str | None,
) -> None:
    """Write each route's stack: visit sheet, a page between, letters in route order. Printing again marks the letters
    as copies. Print on both sides: each letter begins on a front side."""
    if bool(day) == bool(serials):
        raise click.UsageError("either --date, for stacks, or --letter, for single letters")
    with office_context() as agency_id:
        out.mkdir(parents=True, exist_ok=True, mode=0o700)
        if day is None:
            for serial in serials:
                _print_letter(agency_id, serial, reason, out)
        else:
            routes = _issued_routes(agency_id, day, code)
            for printed in _stacks(agency_id, routes, all_in_one=all_in_one, unprinted=unprinted):
                _write(out, printed)
        if card_language:
            write_private(out / "card.pdf", print_legend(card_language, renderer=papers()).pdf)


def _issued_routes(agency_id: UUID, day: datetime, code: str | None) -> list[UUID]:
    with transaction(agency_id) as session:
        routes = routes_of_day(session, day.date(), code)
        for plan_id in dict.fromkeys(plan_id for plan_id, _ in routes):
            issue_papers(session, plan_id, renderer=papers(), objects=objects(), now=clock().now())
    if not routes:
        raise click.ClickException("no published route on this day" + (f" for {code}" if code else ""))
    return [route_id for _, route_id in routes]


def _stacks(agency_id: UUID, routes: Sequence[UUID], *, all_in_one: bool, unprinted: bool) -> Iterator[PrintedRoute]:
    """A file is written after its transaction's commit: whatever happens between, no letter exists twice without a
    mark. Each is written before the next is made: a day of sixty routes takes the memory of one."""
    how: dict[str, Any] = {"renderer": papers(), "objects": objects(), "actor": "system", "unprinted": unprinted}
    if all_in_one:
        with transaction(agency_id) as session:
            printed = print_day(session, routes, now=clock().now(), **how)
        yield printed
        return
    for route_id in routes:
        with transaction(agency_id) as session:
            printed = print_route(session, route_id, now=clock().now(), **how)
        yield printed


def _print_letter(agency_id: UUID, serial: str, reason: str, out: Path) -> None:
    with transaction(agency_id) as session:
        letter_id = letter_by_serial(session, serial).id
        printed = print_letter(
            session,
            letter_id,
            reason=reason,
            renderer=papers(),
            objects=objects(),
            now=clock().now(),
            actor="system",
        )
    path = _free_name(out)
    write_private(path, printed.paper.pdf)
    copy = f", copy {printed.number}" if printed.number > 1 else ""
    click.echo(f"{path}: {printed.serial}, {printed.paper.pages} pages{copy}")


def _free_name(out: Path) -> Path:
    """letter-1.pdf, letter-2.pdf: a file's name says nothing of whose letter it is."""
    number = 1
    while (path := out / f"letter-{number}.pdf").exists():
        number += 1
    return path


def _write(out: Path, printed: PrintedRoute) -> None:
    path = out / printed.file_name
    write_private(path, printed.paper.pdf)
    routes = f", routes: {printed.routes}" if printed.routes > 1 else ""
    copies = f" ({printed.reprints} copies)" if printed.reprints else ""
    click.echo(f"{path}: {printed.paper.pages} pages{routes}, letters: {printed.letters}{copies}")
    if printed.elsewhere:
        click.echo(
            f"  {printed.elsewhere} letters lie in another stack or were pulled: doorstep letter chase --why pull"
        )
