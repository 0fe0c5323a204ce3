"""`doorstep sync`: how phones and the work for them are doing."""

from __future__ import annotations

from datetime import datetime, timedelta

import click

from doorstep.commands import office_context
from field_api.platform.clock import SystemClock
from field_api.platform.database import transaction
from sync.office.sync_health import DeviceHealth, Overview, all_healths, overview


@click.group()
def sync() -> None:
    """Phones and what waits for or from them."""


@sync.command()
@click.option("--all", "show_all", is_flag=True, help="Every phone, not only those that somebody should look at.")
def status(show_all: bool) -> None:
    """What waits, since when, and which phones are silent, have a wrong clock or something in quarantine."""
    now = SystemClock().now()
    with office_context() as agency_id, transaction(agency_id) as session:
        found = all_healths(session, now=now)
    for line in told(overview(found), now):
        click.echo(line)
    for one in found:
        if show_all or needs_a_look(one):
            click.echo(line_of(one, now))


def needs_a_look(one: DeviceHealth) -> bool:
    return bool(one.silent or one.clock_off or one.held or one.quarantined)


def told(total: Overview, now: datetime) -> list[str]:
    """The whole agency in a few lines."""
    return [
        f"{total.devices} phones, {total.silent} silent, {total.clocks_off} with a wrong clock",
        f"{total.waiting_ops} operations wait on phones, {total.unapplied} here{since(total.oldest_unapplied_at, now)}",
        f"{total.unpublished} changes wait for phones{since(total.oldest_unpublished_at, now)}",
        f"{total.held} held, {total.quarantined} quarantined, {total.late} late in 30 days",
    ]


def line_of(one: DeviceHealth, now: datetime) -> str:
    """One phone: id, agent, when it was heard, what waits there, its clock, what waits here."""
    heard = f"heard {age(now - one.last_contact_at)} ago" if one.last_contact_at else "never heard"
    waiting = "?" if one.waiting_ops is None else str(one.waiting_ops)
    clock = "" if not one.clock_off else f"  clock {one.clock_ahead_s:+d} s"
    here = f"{one.unapplied} unapplied, {one.held} held, {one.quarantined} quarantined, {one.late} late"
    silent = "  SILENT" if one.silent else ""
    return f"{one.device_id}  {one.agent:<10} {heard}  {waiting} on it  {here}{clock}{silent}"


def since(moment: datetime | None, now: datetime) -> str:
    return f" (oldest {age(now - moment)})" if moment else ""


def age(span: timedelta) -> str:
    """`42 s`, `17 min`, `5 h`, `3 d`: one unit, rounded down."""
    seconds = max(0, int(span.total_seconds()))
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds // size} {unit}"
    return f"{seconds} s"
