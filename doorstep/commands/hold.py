"""`doorstep hold`: place and lift reasons not to collect."""

from __future__ import annotations

from uuid import UUID

import click
from rich.console import Console
from rich.table import Table
from sqlalchemy import select
from sqlalchemy.orm import Session

from doorstep.commands import office_context
from field_api.domain.confidential import audience
from field_api.domain.disclosure import Audience
from field_api.domain.vocabulary import HoldKind
from field_api.platform.database import transaction
from field_api.platform.problems import Problem
from field_api.platform.tenancy import current_agency
from field_api.platform.wiring import clock
from field_api.queries.holds import holds
from field_api.records.accounts import Account, Hold
from field_api.records.agency import Creditor
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
            account_id = _account_of(session, creditor, reference)
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
        Console().print(table)


def _account_of(session: Session, creditor: str | None, reference: str) -> UUID:
    found = session.scalar(
        select(Account.id)
        .join(Creditor, (Creditor.agency_id == Account.agency_id) & (Creditor.id == Account.creditor_id))
        .where(Account.agency_id == current_agency(), Account.reference == reference, Creditor.name == creditor)
    )
    if found is None:
        raise Problem("not-found", "this creditor has no account with this reference", at="--reference")
    return found
