"""`doorstep address opt-out` and `needs`: where no visits are wanted, when somebody is there, what is needed there."""

from __future__ import annotations

from uuid import UUID

import click

from doorstep.commands import office_context
from doorstep.commands.agent import listed
from field_api.platform.database import transaction
from field_api.platform.wiring import clock
from field_api.usecases.note_visit_needs import note_visit_needs
from field_api.usecases.opt_out_of_visits import opt_out_of_visits


@click.command("opt-out")
@click.argument("address_id", type=click.UUID)
@click.option("--again", is_flag=True, help="Visits there are wanted again.")
def opt_out(address_id: UUID, again: bool) -> None:
    """Send nobody to an address any more; visits there come back from phones."""
    with office_context() as agency_id, transaction(agency_id) as session:
        opt_out_of_visits(session, address_id, now=clock().now(), again=again)
    click.echo("visits there are wanted again" if again else "nobody is sent there any more")


@click.command()
@click.argument("address_id", type=click.UUID)
@click.option("--times", help='When somebody is there, with commas: "mon-fri 18:00-21:00,sat 10:00-13:00"; empty: any.')
@click.option("--skills", help="What whoever is sent there must be able to do, with commas; empty: nothing.")
def needs(address_id: UUID, times: str | None, skills: str | None) -> None:
    """When somebody is at an address, and what an agent must bring along; what is not given stays as it is."""
    with office_context() as agency_id, transaction(agency_id) as session:
        noted = note_visit_needs(session, address_id, known_times=listed(times), skills=listed(skills))
        click.echo(f"times: {', '.join(noted.known_times) or 'any'}; skills: {', '.join(noted.needed_skills) or '-'}")
