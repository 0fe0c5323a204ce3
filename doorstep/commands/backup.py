"""`doorstep backup` and `doorstep restore` (docs/operations.md, Backups)."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from uuid import UUID

    from doorstep.backup.restore import Restored
    from doorstep.backup.save import Saved

_FOLDER = click.Path(file_okay=False, path_type=Path)
_THERE = click.Path(exists=True, file_okay=False, path_type=Path)
_PASSPHRASE = click.option(
    "--passphrase-file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="File (mode 0600) with the keyring's passphrase; without it you are asked.",
)


def _passphrase(file: Path | None, *, confirm: bool) -> str:
    from doorstep.backup.keyring_copy import passphrase_of

    if file is not None:
        return passphrase_of(file)
    typed: str = click.prompt("Passphrase of the keyring", hide_input=True, confirmation_prompt=confirm)
    return typed


@click.command()
@click.option("--to", "main", type=_FOLDER, required=True, help="Where database and objects go.")
@click.option("--keys-to", type=_FOLDER, required=True, help="Where the sealed keyring goes: another medium.")
@click.option(
    "--photo-keys-to", type=_FOLDER, help="Where the photographs' keys go; copies a week old are deleted there."
)
@_PASSPHRASE
def backup(main: Path, keys_to: Path, photo_keys_to: Path | None, passphrase_file: Path | None) -> None:
    """Save everything, restore the copy once to verify it, and tell phones what they may delete now."""
    from doorstep.backup.durability import state_durability
    from doorstep.backup.save import Places, save
    from doorstep.commands import server_context
    from field_api.platform.clock import SystemClock

    try:
        passphrase = _passphrase(passphrase_file, confirm=True)
        with server_context() as (installation, server):
            now = SystemClock().now()
            places = Places(main, keys_to, photo_keys_to)
            saved = save(server, installation.home, places, passphrase, now, installation.stores)
            stated = state_durability(saved)
    finally:  # also where nothing could be saved: what is in the old ones may have been destroyed since
        if photo_keys_to:
            _delete_old(photo_keys_to)
    _tell(saved, stated)


def _delete_old(place: Path) -> None:
    from doorstep.backup.photo_key_copies import NEXT_BACKUP, delete_old_photo_keys
    from field_api.platform.clock import SystemClock

    deleted = len(delete_old_photo_keys(place, SystemClock().now() + NEXT_BACKUP))
    if deleted:
        click.echo(f"{deleted} older copies of photographs' keys deleted in {place}")


def _tell(saved: Saved, stated: int) -> None:
    click.echo(f"verified: {saved.files} files, {saved.bytes} bytes in {saved.main}")
    click.echo(f"keyring in {saved.keys}: keep it and its passphrase away from the dump")
    if saved.photo_keys:
        click.echo(f"photographs' keys in {saved.photo_keys}: delete within 7 days, as the next backup does")
    else:
        click.echo("photographs' keys not saved: phones keep their photographs (--photo-keys-to)")
    click.echo(f"durable statements: {stated} phones")


@click.command()
@click.option("--from", "main", type=_THERE, required=True, help="A backup's directory, doorstep-…")
@click.option("--keys-from", type=_THERE, required=True, help="The newest keyring's directory, doorstep-keys-…")
@click.option("--photo-keys-from", type=_THERE, help="The newest doorstep-photo-keys-…, not older than 7 days.")
@click.option("--although-newer", is_flag=True, help="Restore although the journal tells of a later verified backup.")
@click.option(
    "--although-keys-are-lost",
    is_flag=True,
    help="Restore although the journal tells of newer keys than the keyring has; a lost sealing key is replaced.",
)
@_PASSPHRASE
def restore(
    main: Path,
    keys_from: Path,
    photo_keys_from: Path | None,
    although_newer: bool,
    although_keys_are_lost: bool,
    passphrase_file: Path | None,
) -> None:
    """Restore a backup into an empty home and database; phones then send again what it lacks."""
    from doorstep.backup.restore import Parts, read_source
    from doorstep.backup.restore import restore as restore_all
    from doorstep.installation import Installation
    from field_api.platform.clock import SystemClock

    now = SystemClock().now()
    parts, installation = Parts(main, keys_from, photo_keys_from), Installation.from_environment(os.environ)
    passphrase = _passphrase(passphrase_file, confirm=False)
    source = read_source(parts, installation.journal, passphrase, although_lost=although_keys_are_lost, now=now)
    done = restore_all(installation, source, although_newer=although_newer, now=now)
    _told(done)


def _told(done: Restored) -> None:
    click.echo(f"restored {done.id}, taken {done.at:%Y-%m-%d %H:%M} UTC")
    for agency_id, again in done.replayed.items():
        click.echo(
            f"agency {agency_id}: epoch {again.epoch}, {again.devices} phones back, {again.revocations} revoked again, "
            f"{again.holds} holds placed again, {again.lifted} lifted, "
            f"{again.erasures} photographs and rows erased again"
        )
        for hold in again.unplaced:
            click.echo(f"  its account is not in this backup; place it after the next import: {hold}")
        for ref in again.left_to_staff:
            click.echo(f"  erased since the backup, and there again: {ref}; erase it again")
        _told_lost(done, agency_id)
    if not done.journaled:
        click.echo("no DOORSTEP_JOURNAL: revocations, holds and erasures since the backup are NOT in force; enter them")
        click.echo(
            f"nothing tells whether this keyring, saved {done.keyring_at:%Y-%m-%d %H:%M} UTC, has the newest keys: if "
            "one was replaced later, phones seal to a key that is lost; then `doorstep keys rotate sealing` at once"
        )


def _told_lost(done: Restored, agency_id: UUID) -> None:
    for lost in done.lost[agency_id]:
        click.echo(f"  lost: {lost}")
    for role, what in (("office", "signs"), ("door", "signs receipts")):
        if any(lost.role == role for lost in done.lost[agency_id]):
            click.echo(
                f"  {role}: {what} with the key before again, which phones believe until its certificate ends; "
                f"if it was replaced because somebody may have it: doorstep keys rotate {role}"
            )
    if any(lost.role == "root" for lost in done.lost[agency_id]):
        click.echo("  root: enrol anew every phone that knows the lost one: it believes nothing certified by another")
    if agency_id in done.new_sealing:
        new = done.new_sealing[agency_id]
        if new is None:
            click.echo(
                "  sealing: no root here certifies a new key, and phones seal to the lost one: have one certified"
            )
            click.echo("    where the root lies, at once (doorstep keys request sealing, certify, install)")
        else:
            click.echo(f"  sealing: replaced by {new}, announced to all phones; save the keyring now")
        click.echo("  what was sealed to a lost key stays in quarantine as cannot-open, photographs as wrap")
