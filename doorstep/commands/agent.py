"""`doorstep agent`: who goes out, when, and from where."""

from __future__ import annotations

from datetime import datetime, time

import click
from rich.table import Table
from sqlalchemy import select
from sqlalchemy.orm import Session

from doorstep.commands import office_context
from doorstep.commands.tables import plain_console
from field_api.domain.routing import Point
from field_api.platform.database import transaction
from field_api.platform.tenancy import current_agency
from field_api.platform.wiring import clock
from field_api.queries.agents import agent_of_code, agents
from field_api.records.planning import Absence, Agent, Shift
from field_api.usecases.add_agent import add_agent, set_agent_languages
from field_api.usecases.change_agent import MOST_STOPS, change_agent
from field_api.usecases.set_shift import LONGEST_LUNCH_MINUTES, LunchBreak, end_shift, record_absence, set_shift

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
DAY = click.DateTime(["%Y-%m-%d"])
TIME = click.DateTime(["%H:%M"])


class PointType(click.ParamType):
    """LATITUDE,LONGITUDE in degrees."""

    name = "LAT,LON"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> Point:
        if isinstance(value, Point):
            return value
        try:
            latitude, longitude = (float(part) for part in str(value).split(","))
        except ValueError:
            self.fail("latitude and longitude in degrees, like 19.4326,-99.1332", param, ctx)
        return Point(latitude, longitude)


POINT = PointType()


@click.group()
def agent() -> None:
    """Agents, their shifts, absences, languages and skills."""


@agent.command()
@click.argument("code")
@click.option("--name", required=True)
@click.option("--languages", required=True, help="BCP 47 tags with commas: es,en")
@click.option("--timezone", required=True, help="IANA, like America/Mexico_City; shifts are meant in it.")
@click.option("--territory", default="", help="A word for the sheet; where they may be sent: `agent change`.")
def add(code: str, name: str, languages: str, timezone: str, territory: str) -> None:
    """Take an agent on; CODE is short and unique, like MX-1."""
    with office_context() as agency_id, transaction(agency_id) as session:
        add_agent(session, code=code, name=name, languages=languages.split(","), timezone=timezone, territory=territory)
    click.echo(f"{code} is an agent; `doorstep agent shift {code}` says when they work")


@agent.command()
@click.argument("code")
@click.option("--skills", help="What they can do, with commas: sign-language,heavy-dog; empty for nothing.")
@click.option("--territories", help="Where they work, with commas, of `doorstep agency planning`; empty: anywhere.")
@click.option("--most-stops", type=click.IntRange(0, MOST_STOPS), help="A day; 0: no limit.")
def change(code: str, skills: str | None, territories: str | None, most_stops: int | None) -> None:
    """What the agent can do, where they work and how much; what is not given stays as it is."""
    with office_context() as agency_id, transaction(agency_id) as session:
        who = agent_of_code(session, code)
        change_agent(session, who.id, skills=listed(skills), territories=listed(territories), most_stops=most_stops)
        click.echo(f"{code}: skills {', '.join(who.skills) or '-'}; territories {', '.join(who.territories) or 'any'};")
        click.echo(f"  stops a day {who.most_stops or 'without limit'}")


def listed(text: str | None) -> list[str] | None:
    """Words with commas; None where nothing was said."""
    return None if text is None else [word for word in text.split(",") if word.strip()]


@agent.command()
@click.argument("code")
@click.option("--days", default="mon-fri", show_default=True, help="One weekday or a span, like mon or mon-sat.")
@click.option("--from", "starts", type=TIME, help="Local time.")
@click.option("--to", "ends", type=TIME, help="Local time.")
@click.option("--start", type=POINT, help="Where it starts.")
@click.option("--end", type=POINT, help="Where it ends; where it started by default.")
@click.option("--start-label", default="")
@click.option("--end-label", default="")
@click.option("--lunch", "lunch_minutes", type=click.IntRange(1, LONGEST_LUNCH_MINUTES), help="Minutes; none without.")
@click.option("--lunch-between", nargs=2, type=TIME, metavar="HH:MM HH:MM", help="When the lunch begins, local time.")
@click.option("--off", is_flag=True, help="No work on these days any more.")
def shift(
    code: str,
    days: str,
    starts: datetime | None,
    ends: datetime | None,
    start: Point | None,
    end: Point | None,
    start_label: str,
    end_label: str,
    lunch_minutes: int | None,
    lunch_between: tuple[datetime, datetime] | None,
    off: bool,
) -> None:
    """When the agent works, from where to where."""
    weekdays = _weekdays(days)
    if not off and (starts is None or ends is None or start is None):
        raise click.UsageError("a shift needs --from, --to and --start (or --off)")
    if (lunch_minutes is None) != (lunch_between is None):
        raise click.UsageError("a lunch needs --lunch and --lunch-between")
    lunch = (
        LunchBreak(lunch_minutes, *(one.time() for one in lunch_between)) if lunch_minutes and lunch_between else None
    )
    with office_context() as agency_id, transaction(agency_id) as session:
        who = agent_of_code(session, code)
        for weekday in weekdays:
            if starts is None or ends is None or start is None:
                end_shift(session, who.id, weekday)
                continue
            set_shift(
                session,
                who.id,
                weekday,
                starts_at=starts.time(),
                ends_at=ends.time(),
                start=start,
                end=end,
                start_label=start_label,
                end_label=end_label,
                lunch=lunch,
            )
    click.echo(f"{code}: {days} {'off' if off else 'set'}")


@agent.command()
@click.argument("code")
@click.option("--from", "first", type=DAY, required=True)
@click.option("--to", "last", type=DAY, help="Included; one day only by default.")
@click.option("--reason", default="")
def absence(code: str, first: datetime, last: datetime | None, reason: str) -> None:
    """The agent is away."""
    with office_context() as agency_id, transaction(agency_id) as session:
        who = agent_of_code(session, code)
        record_absence(session, who.id, first.date(), (last or first).date(), reason)
    click.echo(f"{code} is away")


@agent.command()
@click.argument("code")
@click.argument("tags")
def languages(code: str, tags: str) -> None:
    """Set the languages an agent speaks, with commas: es,en."""
    with office_context() as agency_id, transaction(agency_id) as session:
        set_agent_languages(session, agent_of_code(session, code).id, tags.split(","))
    click.echo(f"{code} speaks {tags}")


@agent.command("list")
def list_agents() -> None:
    """Agents with their week and coming absences."""
    with office_context() as agency_id, transaction(agency_id) as session:
        shifts, absences = _shifts(session), _absences(session)
        table = Table("code", "name", "languages", "skills", "works in", "stops", "time zone", "shifts", "away")
        for row in session.scalars(agents().order_by(Agent.code)):
            table.add_row(
                row.code,
                row.name,
                ",".join(row.languages),
                ", ".join(row.skills),
                ", ".join(row.territories) or "anywhere",
                str(row.most_stops or ""),
                row.timezone,
                "\n".join(shifts.get(row.id, [])),
                "\n".join(absences.get(row.id, [])),
            )
        plain_console().print(table)


def _shifts(session: Session) -> dict[object, list[str]]:
    lines: dict[object, list[str]] = {}
    query = select(Shift).where(Shift.agency_id == current_agency()).order_by(Shift.weekday)
    for row in session.scalars(query):
        span = f"{WEEKDAYS[row.weekday]} {_hm(row.starts_at)}-{_hm(row.ends_at)}"
        lines.setdefault(row.agent_id, []).append(span + _lunch(row))
    return lines


def _absences(session: Session) -> dict[object, list[str]]:
    lines: dict[object, list[str]] = {}
    query = select(Absence).where(Absence.agency_id == current_agency(), Absence.last_day >= clock().now().date())
    for row in session.scalars(query.order_by(Absence.first_day)):
        lines.setdefault(row.agent_id, []).append(f"{row.first_day} to {row.last_day}")
    return lines


def _lunch(row: Shift) -> str:
    if row.lunch_minutes is None or row.lunch_from is None or row.lunch_until is None:
        return ""
    return f", lunch {row.lunch_minutes} min {_hm(row.lunch_from)}-{_hm(row.lunch_until)}"


def _hm(value: time) -> str:
    return f"{value:%H:%M}"


def _weekdays(days: str) -> range:
    first, _, last = days.partition("-")
    if (
        first not in WEEKDAYS
        or (last and last not in WEEKDAYS)
        or WEEKDAYS.index(last or first) < WEEKDAYS.index(first)
    ):
        raise click.UsageError("--days is a weekday or a span of them: mon, tue-sat")
    return range(WEEKDAYS.index(first), WEEKDAYS.index(last or first) + 1)
