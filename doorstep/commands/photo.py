"""`doorstep photo`: what became of photographs, allowing one that was refused, another try, destroying one."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from uuid import UUID

import click

from doorstep.commands import office_context
from field_api.domain.confidential import audience
from field_api.domain.disclosure import Audience
from field_api.platform.clock import SystemClock
from field_api.platform.database import transaction
from field_api.platform.store_trouble import StoreUnavailable
from media.office.allow_photo import allow_photo
from media.office.darkroom import Darkroom, darkroom
from media.office.destroy_photo import destroy_photo
from media.office.destroy_upload import destroy_expected
from media.office.develop_again import develop_again
from media.office.hints import Hint
from media.office.list_photos import listed_photos
from media.office.photos_about import Subject, expected_about, photos_about, visits_about
from media.office.records import Photo, PhotoState
from media.office.schemas import DESTROY_REASONS
from media.office.undeclared import destroy_undeclared, listed_undeclared, undeclared_uploads
from media.photo_keys import KeyHeld

_HINTS = click.Choice([hint.value for hint in Hint])
_STATES = click.Choice([state.value for state in PhotoState])


@click.group()
def photo() -> None:
    """Photographs of visits."""


@photo.command("list")
@click.option("--visit", type=click.UUID, help="Of this visit alone.")
@click.option("--state", type=_STATES, help="In this state alone.")
@click.option("--hint", type=_HINTS, help="With this hint alone.")
@click.option("--undeclared", is_flag=True, help="Instead: uploads that are whole and that no operation declares.")
@click.option("--limit", type=click.IntRange(1, 10_000), default=200, show_default=True)
def list_photos(visit: UUID | None, state: str | None, hint: str | None, undeclared: bool, limit: int) -> None:
    """Photographs whose bytes came, newest first, and how many uploads no operation declares."""
    if undeclared:
        if visit or state or hint:
            raise click.UsageError("nothing is known of an undeclared upload but its device and its times")
        _list_undeclared(limit)
        return
    with office_context() as agency_id, transaction(agency_id) as session:
        statement = listed_photos(visit, state, Hint(hint) if hint else None).order_by(Photo.id.desc()).limit(limit)
        for row in session.scalars(statement):
            click.echo(
                f"{row.id}  {row.state:<11}  {row.subject:<12}  visit {row.visit_id}  {row.reason or ''}".rstrip()
            )
        waiting = undeclared_uploads(session)
        if waiting:
            click.echo(f"{waiting} uploads are whole and no operation declares them")


def _list_undeclared(limit: int) -> None:
    with office_context() as agency_id, transaction(agency_id) as session:
        for row in listed_undeclared(session, limit):
            since = row.completed_at or row.created_at
            click.echo(
                f"{row.id}  {row.state:<11}  {row.length_bytes:>8}  device {row.device_id}  {since:%Y-%m-%d %H:%M}"
            )


@photo.command("destroy-upload")
@click.argument("upload_id", type=click.UUID)
@click.option("--reason", type=click.Choice(DESTROY_REASONS), required=True)
@click.confirmation_option(prompt="Destroy it for good, and have its phone delete its copy?")
def destroy_upload(upload_id: UUID, reason: str) -> None:
    """Destroy an upload that no operation declares, before its time is over. Its operation may still come."""
    with office_context() as agency_id, audience(Audience.OFFICE_JOB), transaction(agency_id) as session:
        destroy_undeclared(session, upload_id, darkroom(), now=SystemClock().now(), reason=reason)
    click.echo(f"destroyed {upload_id}")


@photo.command()
@click.argument("photo_id", type=click.UUID, required=False)
@click.option("--visit", type=click.UUID, help="All of this visit.")
@click.option("--account", type=click.UUID, help="All of this account's visits.")
@click.option("--person", type=click.UUID, help="All of the visits on which this person was sought.")
@click.option("--reason", type=click.Choice(DESTROY_REASONS), required=True)
@click.confirmation_option(prompt="Destroy the key, the bytes and the pictures for good?")
def destroy(photo_id: UUID | None, visit: UUID | None, account: UUID | None, person: UUID | None, reason: str) -> None:
    """Destroy a photograph's key and all that it opens; or all of a visit, an account or a person.

    Of these also what was declared and has not come: its phone is told to delete it. May be repeated.
    """
    if [photo_id, visit, account, person].count(None) != 3:
        raise click.UsageError("name one photograph, or one of --visit, --account, --person")
    with office_context() as agency_id, audience(Audience.OFFICE_JOB):
        if photo_id is not None:
            _destroy_one(agency_id, photo_id, darkroom(), reason)
            click.echo(f"destroyed {photo_id}")
            return
        photos, expected, left, held = _destroy_about(agency_id, Subject(visit, account, person), reason)
    click.echo(f"destroyed {photos} photographs, and {expected} that were declared and had not come")
    if left:
        keys = "one's key stands yet: its file cannot be overwritten" if held else "of what had come keys are gone"
        raise click.ClickException(f"a store did not answer for {left} more: repeat this; {keys}")


def _destroy_about(agency_id: UUID, subject: Subject, reason: str) -> tuple[int, int, int, bool]:
    """Each in a transaction of its own: a key is gone for good before its row says so. Where a store does not let one
    go, the others' keys go all the same; the last number says how many those are, and then whether a key stands yet."""
    room, photos, expected, held = darkroom(), 0, 0, False
    left: set[UUID] = set()
    with transaction(agency_id) as session:
        visits = visits_about(session, subject)
        to_come = expected_about(session, visits, Audience.OFFICE_JOB)
    for declared in to_come:
        try:
            with transaction(agency_id) as session:
                expected += destroy_expected(session, declared, room, now=SystemClock().now(), reason=reason)
        except StoreUnavailable as error:
            left.add(declared.op_id)
            held = held or isinstance(error, KeyHeld)
    while some := _some_about(agency_id, visits, left):  # after what is to come: some may have come meanwhile
        for photo_id in some:
            try:
                _destroy_one(agency_id, photo_id, room, reason)
                photos += 1
            except StoreUnavailable as error:
                left.add(photo_id)
                held = held or isinstance(error, KeyHeld)
    return photos, expected, len(left), held


def _some_about(agency_id: UUID, visits: Sequence[UUID], left: Collection[UUID]) -> Sequence[UUID]:
    with transaction(agency_id) as session:
        return photos_about(session, visits, left)


def _destroy_one(agency_id: UUID, photo_id: UUID, room: Darkroom, reason: str) -> None:
    with transaction(agency_id) as session:
        destroy_photo(session, photo_id, room, now=SystemClock().now(), actor="system", reason=reason)


@photo.command()
@click.argument("photo_id", type=click.UUID)
@click.option("--reason", required=True, help="Goes on record, sealed; the log has its hash.")
def allow(photo_id: UUID, reason: str) -> None:
    """Have a refused photograph developed after all."""
    with office_context() as agency_id, audience(Audience.OFFICE_JOB), transaction(agency_id) as session:
        allow_photo(session, photo_id, reason=reason, by=None, now=SystemClock().now())
    click.echo(f"allowed {photo_id}: the worker develops it")


@photo.command("try-again")
@click.argument("photo_ids", type=click.UUID, nargs=-1, required=True)
def try_again(photo_ids: tuple[UUID, ...]) -> None:
    """Have quarantined photographs developed once more: a machine, a store or a key was mended."""
    with office_context() as agency_id, audience(Audience.OFFICE_JOB), transaction(agency_id) as session:
        for photo_id in photo_ids:
            develop_again(session, photo_id, SystemClock().now())
    click.echo(f"{len(photo_ids)} come again in the worker's next round")
