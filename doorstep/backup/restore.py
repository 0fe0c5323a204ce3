"""`doorstep restore`: from verified parts into an empty installation; nothing is served before all of it is done."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
from psycopg import sql

from doorstep.app import worker_app
from doorstep.backup.contents import check_operations, check_rows, connect
from doorstep.backup.keyring_copy import Keyring, office_keys_in, open_keyring, put_keyring
from doorstep.backup.lost_keys import LostKey, completed, lost_keys, refusal
from doorstep.backup.manifest import Manifest, read_manifest
from doorstep.backup.new_sealing_key import replace_sealing_key
from doorstep.backup.objects import put_objects, refuse_used_stores
from doorstep.backup.places import BackupTrouble, copy_tree
from doorstep.backup.programs import restore as restore_dump
from doorstep.backup.replay import Replayed, replay
from doorstep.backup.save import DUMP, KEYS, MAIN, PHOTO_KEYS
from doorstep.installation import Installation
from doorstep.migrate import migrate
from doorstep.server import Server
from field_api.domain.confidential import audience
from field_api.domain.disclosure import Audience
from field_api.platform.certificates import Certificate
from field_api.platform.database import RESTORING, db, transaction
from field_api.platform.key_file import KeyTrouble
from field_api.platform.keyring import NoKeys, OfficeKeys
from field_api.platform.restore_journal import Entry, EntryKind, JournalBroken, RestoreJournal
from field_api.platform.told_keys import ToldKeys
from field_api.usecases.note_decision import note_decision
from media.office.darkroom import darkroom

ENDING_S = 5.0  # how long a session that was closed may take to be gone


@dataclass(frozen=True)
class Parts:
    """Where the three parts of a backup lie."""

    main: Path
    keys: Path
    photo_keys: Path | None


@dataclass(frozen=True)
class Source:
    """The parts of a backup, verified, with the keys that verified them, what the journal says, and what they lack."""

    parts: Parts
    manifest: Manifest
    keyring: Keyring
    keyring_at: datetime
    office: Mapping[UUID, OfficeKeys]
    entries: Mapping[UUID, list[Entry]]
    lost: Mapping[UUID, list[LostKey]]


@dataclass(frozen=True)
class Restored:
    """`new_sealing` has the id of the key that replaced a lost one, or None where it is still to be made."""

    id: str
    at: datetime
    keyring_at: datetime
    journaled: bool
    lost: Mapping[UUID, list[LostKey]]
    replayed: dict[UUID, Replayed] = field(default_factory=dict)
    new_sealing: dict[UUID, str | None] = field(default_factory=dict)


def read_source(parts: Parts, journal: Path | None, passphrase: str, *, although_lost: bool, now: datetime) -> Source:
    """Open the keyring, compare it with the journal, then verify every part's signature, sizes and hashes.

    Raises BackupTrouble.
    """
    keyring = open_keyring(parts.keys, passphrase)
    entries = _journal_entries(journal, office_keys_in(keyring))
    lost = {agency_id: lost_keys(keyring, agency_id, found) for agency_id, found in entries.items()}
    if any(lost.values()) and not although_lost:
        raise refusal([each for found in lost.values() for each in found])
    for agency_id, found in entries.items():
        keyring = completed(keyring, agency_id, found)
    office = office_keys_in(keyring)
    keyring_at = read_manifest(parts.keys, KEYS, office).at
    manifest = read_manifest(parts.main, MAIN, office)
    if parts.photo_keys is not None:
        until = datetime.fromisoformat(read_manifest(parts.photo_keys, PHOTO_KEYS, office).detail["delete_by"])
        if until <= now:
            raise BackupTrouble(
                f"{parts.photo_keys} had to be deleted by {until:%Y-%m-%d %H:%M} UTC: keys destroyed since are in it"
            )
    return Source(parts, manifest, keyring, keyring_at, office, entries, lost)


def restore(installation: Installation, source: Source, *, although_newer: bool, now: datetime) -> Restored:
    """Raises BackupTrouble, and then leaves a database that nothing serves, or none."""
    _refuse_used_home(installation.home)
    refuse_used_stores(installation.stores)
    if not although_newer:
        _refuse_later_backups(source)
    with installation.database(migrated=False) as server:
        _refuse_used_database(server)
        _mark(server, on=True)
        restore_dump(server, source.parts.main / DUMP)
        with connect(server.conninfo("owner")) as owner:
            check_rows(owner, source.manifest.detail["rows"])
            check_operations(owner)
        migrate(server.url("owner"))
        _put_files(installation, source)
        replayed, new_sealing = _replay(installation, server, source, now)
        _mark(server, on=False)
    return Restored(
        source.manifest.id,
        source.manifest.at,
        source.keyring_at,
        installation.journal is not None,
        source.lost,
        replayed,
        new_sealing,
    )


def _refuse_used_home(home: Path) -> None:
    for name in ("keys", "objects", "photo-keys"):
        if any(path.is_file() for path in (home / name).rglob("*")):
            raise BackupTrouble(f"{home / name} is not empty: restore into an empty DOORSTEP_HOME")


def _journal_entries(journal: Path | None, office: Mapping[UUID, OfficeKeys]) -> dict[UUID, list[Entry]]:
    """What every agency's journal says; nothing where none is configured. Raises BackupTrouble: it is not whole."""
    if journal is None:
        return {agency_id: [] for agency_id in office}
    try:
        return {agency_id: RestoreJournal(journal).read(keys) for agency_id, keys in office.items()}
    except (JournalBroken, OSError) as error:
        raise BackupTrouble(f"DOORSTEP_JOURNAL: {error}") from error


def _refuse_later_backups(source: Source) -> None:
    """Raises BackupTrouble where the journal tells of a later backup: phones deleted what that one holds."""
    later = [
        str(entry.detail["id"])
        for found in source.entries.values()
        for entry in found
        if entry.kind is EntryKind.BACKUP and datetime.fromisoformat(entry.detail["taken_at"]) > source.manifest.at
    ]
    if later:
        raise BackupTrouble(
            f"{later[-1]} is a later verified backup, and phones have deleted what it holds: restore that one, or say "
            "--although-newer if it is lost"
        )


def _refuse_used_database(server: Server) -> None:
    with psycopg.connect(server.conninfo("owner")) as owner:
        used = owner.execute(
            "SELECT count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind = 'r'"
            " AND n.nspname NOT IN ('pg_catalog', 'information_schema')"
        ).fetchone()
    if used is None or used[0]:
        raise BackupTrouble(f"the database {server.database} is not empty: restore into an empty one")


def _mark(server: Server, *, on: bool) -> None:
    """Have every session of this database refuse to work, or work again (field_api.platform.database).

    A session keeps what it began with, so nobody may be connected when the mark is set. Raises BackupTrouble.
    """
    name = sql.Identifier(server.database)
    with psycopg.connect(server.conninfo("owner"), autocommit=True) as owner:
        if not on:
            owner.execute(sql.SQL(f"ALTER DATABASE {{}} RESET {RESTORING}").format(name))
            return
        owner.execute(sql.SQL(f"ALTER DATABASE {{}} SET {RESTORING} = 'on'").format(name))
        until = time.monotonic() + ENDING_S
        while _others(owner):
            if time.monotonic() > until:
                raise BackupTrouble("sessions use the database: stop door, office and worker, and begin anew")
            time.sleep(0.05)


def _others(owner: psycopg.Connection[Any]) -> bool:
    row = owner.execute(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
        " AND backend_type = 'client backend'"
    ).fetchone()
    return row is None or bool(row[0])


def _put_files(installation: Installation, source: Source) -> None:
    home = installation.home
    put_keyring(home, source.keyring)
    put_objects(source.parts.main, home, installation.stores)
    if source.parts.photo_keys is not None:
        copy_tree(source.parts.photo_keys / "photo-keys", home / "photo-keys")


@contextmanager
def _past_the_mark(installation: Installation, server: Server) -> Iterator[None]:
    """The office without its journal, on sessions that say themselves that they may work."""
    ours = replace(server, options=(*server.options, ("options", f"-c {RESTORING}=off")))
    settings = replace(installation.settings(ours, "office"), journal=None)  # what is replayed is in it already
    with worker_app(settings).app_context(), audience(Audience.OFFICE_JOB):
        try:
            yield
        finally:
            db.session.remove()
            db.engine.dispose()


def _replay(
    installation: Installation, server: Server, source: Source, now: datetime
) -> tuple[dict[UUID, Replayed], dict[UUID, str | None]]:
    done, new_sealing = {}, {}
    with _past_the_mark(installation, server):
        for agency_id, keys in source.office.items():
            lost = source.lost[agency_id]
            with transaction(agency_id) as session:
                done[agency_id] = replay(session, keys, source.entries[agency_id], darkroom(), now)
                if lost:
                    named = [{"role": each.role, "key": each.key_id} for each in lost]
                    note_decision(session, now, "keys-lost", {"keys": named})
            if sealing := [each for each in lost if each.role == "sealing"]:
                new_sealing[agency_id] = _new_sealing_key(installation, keys, sealing, now)
    for agency_id, keys in source.office.items():
        detail = {
            "id": source.manifest.id,
            "epoch": done[agency_id].epoch,
            "lost_keys": [each.key_id for each in source.lost[agency_id]],
        }
        _enter(installation, keys, [Entry(EntryKind.RESTORED, now.astimezone(UTC), detail)])
    return done, new_sealing


def _new_sealing_key(
    installation: Installation, keys: OfficeKeys, lost: Sequence[LostKey], now: datetime
) -> str | None:
    """Its id; None where no root that phones believe lies here, to certify it."""

    def first(new: Sequence[Certificate], steps: Sequence[dict[str, str]]) -> None:
        _enter(installation, keys, ToldKeys(list(new), list(steps)).entries(now))

    try:
        return replace_sealing_key(installation.home, keys.agency_id, lost, first, now)
    except (NoKeys, KeyTrouble):
        return None


def _enter(installation: Installation, keys: OfficeKeys, entries: Sequence[Entry]) -> None:
    if installation.journal is not None:
        RestoreJournal(installation.journal).append(keys, entries)
