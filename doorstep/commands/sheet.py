"""`doorstep sheet`: visit sheets alone, and typing in what agents wrote on them."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import click
from sqlalchemy import select
from sqlalchemy.orm import Session

from doorstep.commands import office_context
from field_api.domain.paper_entry import FIELDS, TypedRow
from field_api.platform.database import transaction
from field_api.platform.wiring import clock, papers
from field_api.queries.paper_form import FormRow, PaperForm, paper_form
from field_api.records.planning import Agent, Plan, Route
from field_api.records.staff import Staff
from field_api.usecases.add_staff import normalised_email
from field_api.usecases.enter_paper_sheet import EnteredRow, RowState, enter_paper_sheet
from field_api.usecases.print_sheets import print_sheets

_DAY = click.option("--date", "day", required=True, type=click.DateTime(["%Y-%m-%d"]), help="The day of the plan.")
_ROUTE = click.option("--route", "code", required=True, help="The code of the agent whose sheet it is.")
_ISSUE = click.option("--issue", help="The mark in the paper's foot; the newest print where none is given.")
_BESIDE = ("phone", "email", "address", "person", "note")
_RECKONED = ("=", "+", "-", "@")  # what a spreadsheet takes for a formula
_MAX_FILE_BYTES = 4 * 1024 * 1024


@click.group()
def sheet() -> None:
    """Print visit sheets without letters, and type paper sheets in."""


@sheet.command("print")
@_DAY
@click.option("--out", required=True, type=click.Path(dir_okay=False, path_type=Path), help="The PDF.")
def print_all(day: datetime, out: Path) -> None:
    """Write the sheets of all routes of a day into one file, without letters; each begins on a front side."""
    with office_context() as agency_id:
        with transaction(agency_id) as session:
            made = print_sheets(session, _plan(session, day.date()), renderer=papers())
        out.touch(mode=0o600)
        out.write_bytes(made.pdf)
    click.echo(f"{out}: {made.pages} pages")


@sheet.command()
@_DAY
@_ROUTE
@_ISSUE
@click.option("--out", type=click.File("w", encoding="utf-8"), default="-", help="A CSV file; - for the terminal.")
def rows(day: datetime, code: str, issue: str | None, out: Any) -> None:
    """Write a print's rows as CSV, with what was typed before: fill it in and give it to `doorstep sheet enter`."""
    with office_context() as agency_id, transaction(agency_id) as session:
        form = paper_form(session, _route(session, day.date(), code), issue)
    writer = csv.writer(out)
    writer.writerow(["row", *FIELDS, "name"])
    for row in form.rows:
        typed = row.typed or TypedRow()
        writer.writerow([row.row, *(_cell(getattr(typed, name)) for name in FIELDS), _cell(row.name)])
    click.echo(f"print {form.issue}, {len(form.rows)} rows", err=True)


@sheet.command()
@_DAY
@_ROUTE
@_ISSUE
@click.option("--by", "email", required=True, help="The sign-in of whoever types: it goes on record.")
@click.option(
    "--file", "source", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="CSV or JSON rows."
)
def enter(day: datetime, code: str, issue: str | None, email: str, source: Path | None) -> None:
    """Type a paper sheet in, row by row, or from a file. What was typed before is recorded once; typed otherwise, it
    becomes a correction. Fields that cannot be read are named, and asked for again."""
    with office_context() as agency_id:
        with transaction(agency_id) as session:
            by = _staff(session, email)
            form = paper_form(session, _route(session, day.date(), code), issue)

        def record(typed: Sequence[tuple[str, TypedRow]]) -> Sequence[EnteredRow]:
            return enter_paper_sheet(
                lambda: transaction(agency_id), form.route_id, typed, issue=form.issue, by=by, now=clock().now()
            ).rows

        if source is None:
            _by_hand(form, record)
            return
        done = record(list(_from_file(source)))
        for row in done:
            _say(row)
        if any(row.state is RowState.UNREADABLE for row in done):
            raise click.ClickException("not all rows could be read: mend them and enter the same file again")


def _by_hand(form: PaperForm, record: Any) -> None:
    """One line per row: time, number with its letter, envelope, as on the paper from left to right."""
    click.echo(f"{form.agent_code} {form.agent_name}, {form.for_day.isoformat()}, print {form.issue}")
    click.echo(
        "A row is TIME NUMBER[LETTER] ENVELOPE, as in 9:05 2b 13. Write - for what is empty before another word,"
    )
    click.echo("+ at the end to be asked for the lines below. Enter alone: nothing is written there.")
    for row in form.rows:
        for told in row.reported:
            click.echo(f"  a phone says: {told.what} at {told.at.astimezone(row.zone):%H:%M}")
        while True:
            entered = record([(row.row, _asked(row))])[0]
            _say(entered)
            if entered.state is not RowState.UNREADABLE:
                break


def _asked(row: FormRow) -> TypedRow:
    before = row.typed or TypedRow()
    line = click.prompt(f"{row.row:>4} {row.name}, {row.address}", default="", show_default=False)
    words = line.split()
    more = "+" in words
    first = ["" if word == "-" else word for word in words if word != "+"] + [""] * 3
    if len(first) > 6:
        click.echo("     too many words: quote nothing, and write notes after +")
        return _asked(row)
    typed = dict(zip(("time", "box", "envelope"), first, strict=False))
    if more:
        typed |= {
            name: click.prompt(f"     {name}", default=getattr(before, name), show_default=bool(getattr(before, name)))
            for name in _BESIDE
        }
    return TypedRow.of(typed)


def _say(row: EnteredRow) -> None:
    if row.state is RowState.BLANK:
        return
    click.echo(f"{row.row:>4} {row.state.value}" + (": a phone says otherwise" if row.differs else ""))
    for one in row.unreadable:
        click.echo(f"     {one.field}: {one.trouble.value}")


def _from_file(source: Path) -> Iterator[tuple[str, TypedRow]]:
    """CSV with a head line, or JSON: a list of objects, or {"rows": [...]}. Other columns are left alone."""
    if source.stat().st_size > _MAX_FILE_BYTES:
        raise click.ClickException(f"{source}: too large")
    try:
        text = source.read_text(encoding="utf-8-sig")
        found = (
            json.loads(text)
            if source.suffix.lower() == ".json"
            else list(csv.DictReader(io.StringIO(text, newline="")))
        )
    except (UnicodeDecodeError, json.JSONDecodeError, csv.Error, RecursionError) as error:
        raise click.ClickException(f"{source}: neither CSV nor JSON in UTF-8") from error
    found = found.get("rows") if isinstance(found, dict) else found
    if not isinstance(found, list) or not all(isinstance(one, dict) and "row" in one for one in found):
        raise click.ClickException(f"{source}: every entry names its row")
    for one in found:
        yield str(one["row"]), TypedRow.of({name: _text(one.get(name)) for name in FIELDS})


def _text(value: Any) -> str:
    """A number as it is, without the apostrophe that keeps a spreadsheet from reckoning; any other is the writer's."""
    text = "" if value is None else str(value)
    return text[1:] if text[:1] == "'" and text[1:2] in _RECKONED else text


def _cell(text: str) -> str:
    return f"'{text}" if text[:1] in _RECKONED else text


def _plan(session: Session, day: date) -> UUID:
    found = session.scalars(select(Plan.id).where(Plan.for_day == day, Plan.state == "published")).first()
    if found is None:
        raise click.ClickException("no published plan of this day")
    return found


def _route(session: Session, day: date, code: str) -> UUID:
    query = (
        select(Route.id)
        .join(Plan, (Plan.agency_id == Route.agency_id) & (Plan.id == Route.plan_id))
        .join(Agent, (Agent.agency_id == Route.agency_id) & (Agent.id == Route.agent_id))
        .where(Plan.for_day == day, Plan.state == "published", Agent.code == code)
    )
    found = session.scalars(query).first()
    if found is None:
        raise click.ClickException(f"no published route on this day for {code}")
    return found


def _staff(session: Session, email: str) -> UUID:
    query = select(Staff).where(
        Staff.email == normalised_email(email), Staff.active, Staff.role.in_(["dispatcher", "manager"])
    )
    found = session.scalars(query).one_or_none()
    if found is None:
        raise click.ClickException("--by: no dispatcher or manager signs in with this e-mail")
    return found.id
