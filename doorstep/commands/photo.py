"""`doorstep photo`: what became of photographs, allowing one that was refused, destroying one."""

from __future__ import annotations

from uuid import UUID

import click

from doorstep.commands import office_context
from field_api.domain.confidential import audience
from field_api.domain.disclosure import Audience
from field_api.platform.clock import SystemClock
from field_api.platform.database import transaction
from media.office.allow_photo import allow_photo
from media.office.darkroom import darkroom
from media.office.destroy_photo import destroy_photo
from media.office.list_photos import listed_photos
from media.office.records import Photo, PhotoState
from media.office.schemas import DESTROY_REASONS
from media.office.undeclared import undeclared_uploads

_STATES = click.Choice([state.value for state in PhotoState])


@click.group()
def photo() -> None:
    """Photographs of visits."""


@photo.command("list")
@click.option("--visit", type=click.UUID, help="Of this visit alone.")
@click.option("--state", type=_STATES, help="In this state alone.")
@click.option("--limit", type=click.IntRange(1, 10_000), default=200, show_default=True)
def list_photos(visit: UUID | None, state: str | None, limit: int) -> None:
    """Photographs whose bytes came, newest first, and how many uploads no operation declares."""
    with office_context() as agency_id, transaction(agency_id) as session:
        statement = listed_photos(visit, state).order_by(Photo.id.desc()).limit(limit)
        for row in session.scalars(statement):
            click.echo(
                f"{row.id}  {row.state:<11}  {row.subject:<12}  visit {row.visit_id}  {row.reason or ''}".rstrip()
            )
        waiting = undeclared_uploads(session)
        if waiting:
            click.echo(f"{waiting} uploads are whole and no operation declares them")


@photo.command()
@click.argument("photo_id", type=click.UUID)
@click.option("--reason", type=click.Choice(DESTROY_REASONS), required=True)
@click.confirmation_option(prompt="Destroy the key, the bytes and the pictures for good?")
def destroy(photo_id: UUID, reason: str) -> None:
    """Destroy a photograph's key and all that it opens."""
    with office_context() as agency_id, audience(Audience.OFFICE_JOB), transaction(agency_id) as session:
        destroy_photo(session, photo_id, darkroom(), now=SystemClock().now(), actor="system", reason=reason)
    click.echo(f"destroyed {photo_id}")


@photo.command()
@click.argument("photo_id", type=click.UUID)
@click.option("--reason", required=True, help="Goes on record, sealed; the log has its hash.")
def allow(photo_id: UUID, reason: str) -> None:
    """Have a refused photograph developed after all."""
    with office_context() as agency_id, audience(Audience.OFFICE_JOB), transaction(agency_id) as session:
        allow_photo(session, photo_id, reason=reason, by=None, now=SystemClock().now())
    click.echo(f"allowed {photo_id}: the worker develops it")
