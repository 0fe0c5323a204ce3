"""`doorstep address opt-out`: a place where no visits are wanted."""

from __future__ import annotations

from uuid import UUID

import click

from doorstep.commands import office_context
from field_api.platform.database import transaction
from field_api.platform.wiring import clock
from field_api.usecases.opt_out_of_visits import opt_out_of_visits


@click.command("opt-out")
@click.argument("address_id", type=click.UUID)
@click.option("--again", is_flag=True, help="Visits there are wanted again.")
def opt_out(address_id: UUID, again: bool) -> None:
    """Send nobody to an address any more; visits there come back from phones."""
    with office_context() as agency_id, transaction(agency_id) as session:
        opt_out_of_visits(session, address_id, now=clock().now(), again=again)
    click.echo("visits there are wanted again" if again else "nobody is sent there any more")
