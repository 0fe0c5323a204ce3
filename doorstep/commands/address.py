"""`doorstep address`: places that wait for coordinates, and hints that no sheet may show."""

from __future__ import annotations

from uuid import UUID

import click
from rich.table import Column, Table

from doorstep.commands import office_context
from doorstep.commands.address_rules import needs, opt_out
from doorstep.commands.agent import POINT
from doorstep.commands.tables import plain_console
from field_api.domain.routing import Point
from field_api.platform.database import transaction
from field_api.platform.wiring import clock, planning
from field_api.queries.open_findings import open_findings
from field_api.queries.unplaced_addresses import unplaced_addresses
from field_api.queries.withheld_texts import withheld_texts
from field_api.records.people import Address
from field_api.usecases.decide_finding import decide_finding
from field_api.usecases.set_coordinates import set_coordinates


def _ids() -> Column:
    """Whole ones, as the other commands want them: a narrow terminal cuts what else there is."""
    return Column("id", no_wrap=True, min_width=36)


def _print(table: Table) -> None:
    plain_console().print(table)


@click.group()
def address() -> None:
    """Addresses without coordinates, which nobody can be sent to, and hints that no sheet shows."""


address.add_command(opt_out)
address.add_command(needs)


@address.command("list")
@click.option("--limit", type=click.IntRange(1, 10_000), default=200, show_default=True)
def list_unplaced(limit: int) -> None:
    """The dispatcher's list, oldest first."""
    with office_context() as agency_id, transaction(agency_id) as session:
        table = Table(_ids(), "person", "address", Column("state", no_wrap=True))
        query = unplaced_addresses().order_by(Address.created_at, Address.id).limit(limit)
        for row, name in session.execute(query):
            street = f"{row.street} {row.number or ''}".strip()
            parts = (street, row.neighbourhood, row.postcode, row.city or row.municipality, row.country, row.hint)
            table.add_row(str(row.id), name, ", ".join(part for part in parts if part), row.geocode_state)
        _print(table)


@address.command("withheld")
@click.option("--limit", type=click.IntRange(1, 10_000), default=200, show_default=True)
def list_withheld(limit: int) -> None:
    """Addresses and people whose hint or alias no sheet shows, because it speaks of a debt: have it corrected."""
    with office_context() as agency_id, transaction(agency_id) as session:
        table = Table("address", "person", "which", "words of", "text")
        for row in withheld_texts(session, limit):
            table.add_row(str(row.address_id), row.person_name, row.which, ", ".join(row.terms), row.text)
        _print(table)


@address.command("found")
@click.option("--limit", type=click.IntRange(1, 10_000), default=200, show_default=True)
def list_found(limit: int) -> None:
    """Houses that agents found at their doors, where the position could not be believed by itself; oldest first."""
    with office_context() as agency_id, transaction(agency_id) as session:
        table = Table(_ids(), Column("because", no_wrap=True), "what")
        for finding, code in session.execute(open_findings().limit(limit)):
            moved, accuracy = (f"{m:.0f} m" if m is not None else "?" for m in (finding.moved_m, finding.accuracy_m))
            point = f"{finding.latitude:.6f}, {finding.longitude:.6f}"
            when = f"{finding.found_at:%Y-%m-%d %H:%M}Z"
            what = f"{point}, good to {accuracy}, {moved} off; {code} on {when}; address {finding.address_id}"
            table.add_row(str(finding.id), finding.doubt, what)
        _print(table)


@address.command()
@click.argument("finding_id", type=click.UUID)
def accept(finding_id: UUID) -> None:
    """The house is where the agent found it: an id of `doorstep address found`."""
    _decide(finding_id, accept=True)


@address.command()
@click.argument("finding_id", type=click.UUID)
def reject(finding_id: UUID) -> None:
    """The house is not there; the address stays where it was."""
    _decide(finding_id, accept=False)


def _decide(finding_id: UUID, *, accept: bool) -> None:
    with office_context() as agency_id, transaction(agency_id) as session:
        finding = decide_finding(session, finding_id, planning().calendars, accept=accept, now=clock().now())
    click.echo(finding.state)


@address.command()
@click.argument("address_id", type=click.UUID)
@click.argument("point", type=POINT)
def place(address_id: UUID, point: Point) -> None:
    """Say where an address is: LATITUDE,LONGITUDE in degrees (put -- before negative numbers)."""
    with office_context() as agency_id, transaction(agency_id) as session:
        set_coordinates(session, address_id, point, planning().calendars, now=clock().now())
    click.echo("placed")
