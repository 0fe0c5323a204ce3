"""`doorstep keys`: replace a key of the agency, also where the root that certifies it lies on another machine."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID

import click

from doorstep.commands import office_context
from doorstep.installation import Installation
from field_api.platform.certificates import ROLES, ROOT, Certificate
from field_api.platform.clock import SystemClock
from field_api.platform.database import transaction
from field_api.platform.key_file import KeyTrouble
from field_api.platform.key_rotation import KeyFiles
from field_api.platform.keyring import NoKeys
from field_api.platform.root_keys import certify_request
from field_api.platform.sealing import Unsealable, from_b64u, key_id_of
from field_api.platform.tenancy import acting_for
from field_api.platform.told_keys import enter_keys
from field_api.platform.wiring import office_keys, settings
from media.office.count_wraps import count_wraps
from media.office.darkroom import Darkroom, darkroom
from media.office.rewrap_keys import ABSENT, UNOPENABLE, how_many_without_key, look_at_all_again, rewrap_keys
from media.stores import stores_of
from sync.office.announce_keys import agents_to_tell, announce_keys
from sync.office.sealed_to import operations_waiting_by_key

MAX_FILE_BYTES = 64 * 1024
NO_OFFICE = "no office here: have `keys install` run there first, and wait until `keys list` says all are told"
_role = click.argument("role", type=click.Choice((*ROLES, ROOT)))
_out = click.option("--out", type=click.Path(dir_okay=False, path_type=Path), required=True, help="File to write.")
_file = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.group()
def keys() -> None:
    """The agency's keys: which there are, and a new one for an old one."""


@keys.command("list")
def list_keys() -> None:
    """Every key: role, name, state, from and until when it is certified."""
    with _refusals():
        home, agency_id = _here()
        for line in KeyFiles(home / "keys", agency_id).lines():
            span = f"  {line.valid_from}  {line.valid_until}" if line.valid_from else ""
            click.echo(f"{line.role:<8} {line.key_id}  {line.state:<9}{span}")
    if (home / "keys" / "office" / f"{agency_id}.json").exists():
        with office_context() as agency_id, transaction(agency_id) as session:
            told = len(office_keys().of(agency_id).unannounced), len(agents_to_tell(session))
            click.echo(f"to be announced: {told[0]}   agents whose phones are still to be told: {told[1]}")


@keys.command()
def needed() -> None:
    """What stands under each sealing key here: wrapped keys of photographs, uploads, operations without effect yet.

    Counted from the key store's files. Phones that are away may still bring more, and operations that had their effect
    are kept as they came: an old sealing key is never deleted.
    """
    with office_context() as agency_id:
        with transaction(agency_id) as session:
            wraps = count_wraps(session, stores_of(settings()).keys)
            operations = operations_waiting_by_key(session)
        office = office_keys().of(agency_id)
    for each in office.certificates["sealing"]:
        counts = wraps.photographs[each.key_id], wraps.uploads[each.key_id], operations[each.key_id]
        state = "in use" if each is office.sealing_certificate else "retired"
        told = "photographs {}  uploads {}  operations {}".format(*counts)
        free = "" if any(counts) or state == "in use" else "  nothing here waits for it"
        click.echo(f"sealing  {each.key_id}  {state:<7}  {told}{free}")
    known = {each.key_id for each in office.certificates["sealing"]}
    strangers = sum(count for key_id, count in (wraps.photographs + wraps.uploads).items() if key_id not in known)
    if strangers or wraps.unknown:
        click.echo(f"under keys that this office never had: {strangers}   of no upload that is here: {wraps.unknown}")


@keys.command()
def rewrap() -> None:
    """Seal every photograph's key to the newest sealing key now, as the worker does round by round after a rotation.

    Looks at all of them anew: after the key store was repaired, or a sealing key that was lost is back.
    """
    with office_context() as agency_id:
        with transaction(agency_id) as session:
            total = look_at_all_again(session)
        room, done = darkroom(), 0
        with click.progressbar(length=total, label="photographs") as progress:
            while looked_at := _rewrap_some(agency_id, room):
                done += looked_at
                progress.update(looked_at)
        with transaction(agency_id) as session:
            trouble = how_many_without_key(session)
    click.echo(f"{done} looked at; {trouble[UNOPENABLE]} do not open under any key here, {trouble[ABSENT]} have no key")


def _rewrap_some(agency_id: UUID, room: Darkroom) -> int:
    with transaction(agency_id) as session:
        return rewrap_keys(session, room)


@keys.command()
@_role
def rotate(role: str) -> None:
    """Replace a key where the root lies here too: request, certify, install and announce in one. May be repeated."""
    with _refusals():
        home, agency_id = _here()
        files, now = KeyFiles(home / "keys", agency_id), SystemClock().now()
        root_file = home / "keys" / "root" / f"{agency_id}.json"
        certified = certify_request(root_file, files.request(role, now), now, role == ROOT)
        _install(files, certified)


@keys.command()
@_role
@_out
def request(role: str, out: Path) -> None:
    """Make a key, and write what the root has to certify. For `door` on the door's machine, else on the office's."""
    with _refusals():
        home, agency_id = _here()
        document = KeyFiles(home / "keys", agency_id).request(role, SystemClock().now())
        out.write_text(json.dumps(document))
        _tell_wanted(document)
        click.echo(
            f"{out}: no secret in it. Where the root is: doorstep keys certify --root FILE {out} --out CERTIFIED"
        )


@keys.command()
@click.argument("request_file", type=_file)
@click.option("--root", "root_file", type=_file, required=True, help="The agency's file of keys/root.")
@click.option("--new-root", is_flag=True, help="Replace the root itself, for a request of the role root.")
@_out
def certify(request_file: Path, root_file: Path, new_root: bool, out: Path) -> None:
    """Sign a request with the root key. Compare the names it prints with those that `request` printed."""
    with _refusals():
        document = _read(request_file)
        certified = certify_request(root_file, document, SystemClock().now(), new_root)
        out.write_text(json.dumps(certified))
        _tell_wanted(document)
        click.echo(f"{out}: no secret in it. At the office, and where a door has a machine of its own last there:")
        click.echo(f"  doorstep keys install {out}")


@keys.command()
@click.argument("certified_file", type=_file)
def install(certified_file: Path) -> None:
    """Take what the root certified, and announce it to phones. A door's own machine uses its new key at once."""
    with _refusals():
        home, agency_id = _here()
        files = KeyFiles(home / "keys", agency_id)
        _install(files, _read(certified_file))


@keys.command()
def announce() -> None:
    """Announce what is installed and was not announced: the end of an `install` that was cut off."""
    with _refusals():
        home, agency_id = _here()
        files = KeyFiles(home / "keys", agency_id)
        if not files.office.exists():
            click.echo(NO_OFFICE)
            return
        with office_context() as agency_id:
            _announce(files, agency_id)


def _install(files: KeyFiles, certified: dict[str, Any]) -> None:
    """At the office the restore journal names a new key before it can come into use."""
    now = SystemClock().now()
    if not files.office.exists():
        _tell(files.install(certified, now))
        click.echo(NO_OFFICE)
        return
    with office_context() as agency_id:
        with acting_for(agency_id):
            _tell(files.install(certified, now, partial(enter_keys, at=now)))
        _announce(files, agency_id)


def _announce(files: KeyFiles, agency_id: UUID) -> None:
    with transaction(agency_id) as session:
        told = announce_keys(session, office_keys().fresh(agency_id), now=SystemClock().now())
        agents = len(agents_to_tell(session))
    files.mark_announced(told)
    click.echo(f"{len(told)} announced to the phones of {agents} agents; used when every feed has them")
    click.echo("save the keyring now: one from before cannot open what phones will seal to a new key")


def _here() -> tuple[Path, UUID]:
    """Home and agency, by the key files alone: neither the root's machine nor the door's has the office's database."""
    home = Installation.from_environment(os.environ).home
    if chosen := os.environ.get("DOORSTEP_AGENCY"):
        return home, UUID(chosen)
    found = {path.stem for half in ("office", "door") for path in (home / "keys" / half).glob("*.json")}
    if len(found) != 1:
        raise click.ClickException(f"{len(found)} agencies below {home / 'keys'}: set DOORSTEP_AGENCY")
    return home, UUID(found.pop())


def _read(path: Path) -> dict[str, Any]:
    try:
        if path.stat().st_size <= MAX_FILE_BYTES and isinstance(document := json.loads(path.read_bytes()), dict):
            return document
    except ValueError as error:
        raise KeyTrouble(f"{path.name} is no JSON") from error
    raise KeyTrouble(f"{path.name} is no request and no certified answer")


def _tell(installed: list[Certificate]) -> None:
    for each in installed:
        click.echo(f"{each.claims['role']:<8} {each.key_id}  installed, until {each.claims['until']}")


def _tell_wanted(document: dict[str, Any]) -> None:
    for wanted in document["keys"]:
        click.echo(f"{wanted['role']:<8} {key_id_of(from_b64u(wanted['key']))}")


@contextmanager
def _refusals() -> Iterator[None]:
    try:
        yield
    except (KeyTrouble, NoKeys) as error:
        raise click.ClickException(str(error)) from error
    except Unsealable as error:
        raise click.ClickException("a key in the file cannot be read") from error
