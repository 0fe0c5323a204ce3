"""`doorstep replan`: plan a published day again while agents are out."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, time
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import click
from rich.table import Table
from sqlalchemy.orm import Session

from doorstep.commands import office_context
from doorstep.commands.tables import plain_console
from field_api.domain.disturbance import Weights
from field_api.domain.replanning import MOST_SECONDS
from field_api.platform.database import transaction
from field_api.platform.problems import Problem
from field_api.platform.wiring import clock, heard, planning
from field_api.queries.accounts import account_by_reference
from field_api.queries.agents import agent_of_code
from field_api.queries.day_under_way import published_plans
from field_api.records.planning import Agent
from field_api.usecases.replan_day import Happened, replan_day
from field_api.usecases.tell_replanned import told

DEFAULTS = Weights()


@click.command()
@click.option("--date", "--day", "day", type=click.DateTime(["%Y-%m-%d"]), required=True, help="A published day.")
@click.option("--ill", multiple=True, metavar="CODE", help="Fell ill: the stops that are left go to others.")
@click.option(
    "--late", multiple=True, metavar="CODE=30|CODE=14:30", help="So many minutes late, or free again then (local time)."
)
@click.option("--add", "added", multiple=True, metavar="ACCOUNT", help="Visit this account as well, where it may be.")
@click.option("--creditor", help="With --add: ACCOUNT is this creditor's reference, not an id.")
@click.option("--preview", is_flag=True, help="Only tell what would change.")
@click.option("--expect", metavar="DIGEST", help="Change only what a preview with this digest told.")
@click.option("--seed", type=click.IntRange(0, 2**31 - 1), default=1, show_default=True)
@click.option(
    "--move-s",
    type=click.IntRange(0, MOST_SECONDS),
    default=DEFAULTS.move_s,
    show_default=True,
    help="A moved stop costs.",
)
@click.option(
    "--retime-s",
    type=click.IntRange(0, MOST_SECONDS),
    default=DEFAULTS.retime_s,
    show_default=True,
    help="Another time.",
)
def replan(
    day: datetime,
    ill: Sequence[str],
    late: Sequence[str],
    added: Sequence[str],
    creditor: str | None,
    preview: bool,
    expect: str | None,
    seed: int,
    move_s: int,
    retime_s: int,
) -> None:
    """Plan a day again while agents are out. With nothing said, whoever cannot keep the times that were told."""
    with office_context() as agency_id, transaction(agency_id) as session:
        happened = _happened(session, day.date(), ill, late, [_account(session, one, creditor) for one in added])
        found = replan_day(
            session,
            _published(session, day.date()),
            happened,
            parts=planning(),
            heard=heard(session),
            now=clock().now(),
            by=None,
            seed=seed,
            weights=Weights(move_s, retime_s, DEFAULTS.letter_s),
            expect=expect,
            preview=preview,
        )
        zones = {agent.code: ZoneInfo(agent.timezone) for agent in _agents(session, found.looked_at)}
        show(told(found), zones)


def _published(session: Session, day: date) -> UUID:
    """The day's newest published plan; agents of older ones are planned again beside it. Raises `not-found`."""
    plans = published_plans(session, day)
    if not plans:
        raise Problem("not-found", "no published plan for that day")
    return plans[-1].id


def _account(session: Session, account: str, creditor: str | None) -> UUID:
    if creditor is not None:
        return account_by_reference(session, creditor, account)
    try:
        return UUID(account)
    except ValueError:
        raise click.BadParameter("an account's id, or with --creditor its reference", param_hint="--add") from None


def _happened(session: Session, day: date, ill: Sequence[str], late: Sequence[str], added: Sequence[UUID]) -> Happened:
    late_s: dict[UUID, int] = {}
    free_at: dict[UUID, datetime] = {}
    for told_so in late:
        code, _, when = told_so.partition("=")
        agent = agent_of_code(session, code)
        if when.isdecimal() and when.isascii() and len(when) <= 4:
            late_s[agent.id] = 60 * int(when)
        else:
            free_at[agent.id] = _moment(day, when, agent)
    return Happened(frozenset(agent_of_code(session, code).id for code in ill), late_s, free_at, tuple(added))


def _moment(day: date, when: str, agent: Agent) -> datetime:
    try:
        local = time.fromisoformat(when)
    except ValueError:
        raise click.BadParameter("CODE=MINUTES or CODE=HH:MM is wanted", param_hint="--late") from None
    return datetime.combine(day, local.replace(tzinfo=None), ZoneInfo(agent.timezone)).astimezone(UTC)


def _agents(session: Session, looked_at: Sequence[Any]) -> list[Agent]:
    return [agent_of_code(session, one.code) for one in looked_at]


def show(found: dict[str, Any], zones: dict[str, ZoneInfo]) -> None:
    """Codes, numbers and times; nobody's name, no address."""
    console = plain_console()
    table = Table("change", "stop", "agent", "told", "now", "", title="changed" if found["applied"] else "would change")
    for line in found["changes"]:
        agent = line["to_agent"] or line["from_agent"] or "-"
        zone = zones.get(agent)
        moved = line["to_agent"] and line["from_agent"] not in (None, line["to_agent"])
        table.add_row(
            line["change"],
            "-" if line["position"] is None else str(line["position"]),
            f"{line['from_agent']} > {agent}" if moved else agent,
            _at(line["told_from"], zone),
            _at(line["begins_at"], zone),
            _remark(line),
        )
    if found["changes"]:
        console.print(table)
    for agent in found["agents"]:
        if agent["presumed_done"]:
            console.print(
                f"{agent['code']}: {agent['presumed_done']} stops presumed done, its phone told nothing of them"
            )
    for refused in found["refused"]:
        console.print(f"account {refused['account_id']} is not added: {refused['reason']}")
    console.print(
        f"{found['disturbed']} stops disturbed, at {found['cost_s']} s; driving of who is well"
        f" {found['travel_change_s']:+} s; digest {found['digest']}"
    )


def _at(moment: datetime | None, zone: ZoneInfo | None) -> str:
    return f"{moment.astimezone(zone):%H:%M}" if moment else "-"


def _remark(line: dict[str, Any]) -> str:
    remarks = [line["reason"]] if line["reason"] else []
    remarks += [f"{line['letters']} letters elsewhere"] if line["letters"] else []
    remarks += ["may be visited twice"] if line["may_be_visited_twice"] else []
    return ", ".join(remarks)
