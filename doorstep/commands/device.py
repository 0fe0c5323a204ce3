"""`doorstep device`: enrol, list and revoke agents' phones."""

from __future__ import annotations

from uuid import UUID

import click
from sqlalchemy import select

from doorstep.commands import office_context
from field_api.platform.clock import SystemClock
from field_api.platform.database import transaction
from field_api.platform.devices import Device
from field_api.platform.problems import Problem
from field_api.platform.wiring import office_keys
from field_api.records.planning import Agent
from sync.office.devices import REVOCATION_REASONS, DeviceLine, devices, revoke_device
from sync.office.enrolment import EnrolmentCode, issue_enrolment
from sync.office.returning import accept_device


@click.group()
def device() -> None:
    """Agents' phones."""


@device.command()
@click.option("--agent", "code", required=True, help="The agent's code, as on the sheet.")
def enrol(code: str) -> None:
    """Print a code for one new phone of an agent: one line to scan or paste, then what to type by hand."""
    with office_context() as agency_id:
        issued = enrol_code(agency_id, code)
    click.echo(issued.line)
    click.echo(f"by hand: {issued.line.partition('#')[2]}   good once, until {issued.expires_at:%Y-%m-%d %H:%M} UTC")


def enrol_code(agency_id: UUID, agent_code: str) -> EnrolmentCode:
    """Issue a code to the agent with this code. Raises Problem `not-found`."""
    with transaction(agency_id) as session:
        agent_id = session.scalar(select(Agent.id).where(Agent.code == agent_code))
        if agent_id is None:
            raise Problem("not-found", f"no agent with the code {agent_code}")
        return issue_enrolment(session, office_keys().of(agency_id), agent_id, now=SystemClock().now())


@device.command("list")
def list_devices() -> None:
    """Every phone: id, agent, state, when it was enrolled and revoked."""
    with office_context() as agency_id, transaction(agency_id) as session:
        for row in session.execute(devices().order_by(Device.enrolled_at)):
            line = DeviceLine(*row)
            ended = f"revoked {line.revoked_at:%Y-%m-%d %H:%M}" if line.revoked_at else ""
            click.echo(
                f"{line.id}  {line.agent:<10} {line.state:<8} {line.enrolled_at:%Y-%m-%d %H:%M}  {ended}".rstrip()
            )


@device.command()
@click.argument("device_id", type=click.UUID)
def accept(device_id: UUID) -> None:
    """Take back a phone that waits (pending): it came by itself to a restored server that has no journal."""
    with office_context() as agency_id, transaction(agency_id) as session:
        accept_device(session, device_id, now=SystemClock().now())
    click.echo(f"accepted {device_id}")


@device.command()
@click.argument("device_id", type=click.UUID)
@click.option("--reason", type=click.Choice(REVOCATION_REASONS), required=True)
def revoke(device_id: UUID, reason: str) -> None:
    """Stop a phone's feed and order its wipe; its old queue is still taken, into quarantine."""
    with office_context() as agency_id, transaction(agency_id) as session:
        revoke_device(session, office_keys().of(agency_id), device_id, reason, now=SystemClock().now())
    click.echo(f"revoked {device_id}")
