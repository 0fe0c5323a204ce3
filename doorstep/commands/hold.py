"""`doorstep hold`: place and lift reasons not to collect."""

from __future__ import annotations

from uuid import UUID

import click
from rich.table import Table

from doorstep.commands import office_context
from doorstep.commands.tables import plain_console
from field_api.domain.confidential import audience
from field_api.domain.disclosure import Audience
from field_api.domain.vocabulary import HoldKind
from field_api.platform.database import transaction
from field_api.platform.wiring import clock
from field_api.queries.accounts import account_by_reference
from field_api.queries.holds import holds
from field_api.records.accounts import Hold
from field_api.usecases.lift_hold import lift_hold
from field_api.usecases.place_hold import place_hold

KINDS = click.Choice([kind.value for kind in HoldKind])


@click.group()
def hold() -> None:
    """Reasons not to collect."""


@hold.command()
@click.option("--kind", type=KINDS, required=True)
@click.option("--reason", required=True, help="Goes on record, sealed.")
@click.option("--account", "account_id", type=click.UUID, help="The account's id.")
@click.option("--creditor", help="With --reference: the creditor's name.")
@click.option("--reference", help="The creditor's own number of the account.")
@click.option("--person", "person_id", type=click.UUID, help="Everything this person owes.")
def place(
    kind: str,
    reason: str,
    account_id: UUID | None,
    creditor: str | None,
    reference: str | None,
    person_id: UUID | None,
) -> None:
    """Stop collecting at once; visits with nothing left to be about are taken back from phones."""
    with office_context() as agency_id, transaction(agency_id) as session:
        if reference:
            account_id = account_by_reference(session, creditor, reference)
        placed = place_hold(
            session, kind=HoldKind(kind), reason=reason, now=clock().now(), account_id=account_id, person_id=person_id
        )
        click.echo(f"hold {placed.id} is in force")


@hold.command()
@click.argument("hold_id", type=click.UUID)
@click.option("--reason", required=True, help="Goes on record, sealed.")
def lift(hold_id: UUID, reason: str) -> None:
    """Let collection go on; the next plan decides about visits."""
    with office_context() as agency_id, transaction(agency_id) as session:
        lift_hold(session, hold_id, reason=reason, now=clock().now(), lifted_by=None)
    click.echo("lifted")


@hold.command("list")
@click.option("--all", "lifted", is_flag=True, help="Lifted ones as well.")
@click.option("--limit", type=click.IntRange(1, 10_000), default=200, show_default=True)
def list_holds(lifted: bool, limit: int) -> None:
    """Holds in force, newest first."""
    with office_context() as agency_id, transaction(agency_id) as session, audience(Audience.DISPATCHER):
        table = Table("id", "kind", "on", "placed", "lifted", "reason")
        query = holds(in_force=not lifted).order_by(Hold.placed_at.desc(), Hold.id).limit(limit)
        for row in session.scalars(query):
            target = f"account {row.account_id}" if row.account_id else f"person {row.person_id}"
            lifted_at = f"{row.lifted_at:%Y-%m-%d %H:%M}" if row.lifted_at else ""
            reason = row.reason.reveal(Audience.DISPATCHER)
            table.add_row(str(row.id), row.kind, target, f"{row.placed_at:%Y-%m-%d %H:%M}", lifted_at, reason)
        plain_console().print(table)
