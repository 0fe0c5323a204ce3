"""`doorstep visit`: what a dispatcher does with one visit."""

from __future__ import annotations

from uuid import UUID

import click

from doorstep.commands import office_context
from field_api.domain.confidential import audience
from field_api.domain.disclosure import Audience
from field_api.platform.database import transaction
from field_api.platform.wiring import clock, planning
from field_api.queries.agents import agent_of_code
from field_api.usecases.disclose_unlock_code import disclose_unlock_code, reissue_unlock_code
from field_api.usecases.reassign_visit import reassign_visit
from field_api.usecases.withdraw_visit import withdraw_visit


@click.group()
def visit() -> None:
    """Reassign, withdraw, unlock."""


@visit.command()
@click.argument("visit_id", type=click.UUID)
@click.option("--to", "code", required=True, help="The other agent's code.")
def reassign(visit_id: UUID, code: str) -> None:
    """Give a visit to another agent: it goes last on their route, both phones are told."""
    with office_context() as agency_id, transaction(agency_id) as session:
        agent = agent_of_code(session, code)
        reassign_visit(session, visit_id, agent.id, parts=planning(), now=clock().now(), by=None)
    click.echo(f"the visit is {code}'s")


@visit.command()
@click.argument("visit_id", type=click.UUID)
@click.option("--reason", required=True)
def withdraw(visit_id: UUID, reason: str) -> None:
    """Take a visit back; the phone is told first of all."""
    with office_context() as agency_id, transaction(agency_id) as session:
        withdraw_visit(session, visit_id, reason=reason, now=clock().now(), by=None)
    click.echo("withdrawn")


@visit.command()
@click.argument("visit_id", type=click.UUID)
@click.argument("person_id", type=click.UUID)
@click.option("--reason", required=True, help="Goes on record.")
@click.option("--anew", is_flag=True, help="Make another code first.")
def code(visit_id: UUID, person_id: UUID, reason: str, anew: bool) -> None:
    """Show a party's unlock code, once, to be read out on the telephone."""
    ask = {"reason": reason, "by": None}
    with office_context() as agency_id, transaction(agency_id) as session, audience(Audience.DISPATCHER):
        if anew:
            reissue_unlock_code(session, visit_id, person_id, now=clock().now(), **ask)
        told = disclose_unlock_code(session, visit_id, person_id, now=clock().now(), **ask)
    click.echo(told)
