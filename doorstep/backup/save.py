"""`doorstep backup`: save, restore the copy once, compare, and only then let phones delete what it holds."""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID

import psycopg

from doorstep.backup.contents import (
    Rows,
    Wanted,
    check_operations,
    check_rows,
    connect,
    contiguous,
    is_good,
    rows_of,
    wanted_files,
)
from doorstep.backup.keyring_copy import seal_keyring
from doorstep.backup.manifest import write_manifest
from doorstep.backup.objects import copy_objects
from doorstep.backup.photo_key_copies import LIFETIME
from doorstep.backup.photo_key_copies import PREFIX as PHOTO_KEY_COPIES
from doorstep.backup.places import BackupTrouble, alone_in, appearing, copy_tree
from doorstep.backup.programs import dump
from doorstep.backup.scratch import restored_copy
from doorstep.server import Server
from field_api.platform.keyring import OfficeKeys
from field_api.platform.keyring_files import OfficeKeyring
from field_api.platform.store_urls import LOCAL, StoreUrls
from sync.office.durable import Held

DUMP = "database.dump"
MAIN, KEYS, PHOTO_KEYS = "main", "keys", "photo-keys"
PREFIX = {MAIN: "doorstep-", KEYS: "doorstep-keys-", PHOTO_KEYS: PHOTO_KEY_COPIES}
DRIFT = timedelta(minutes=1)  # between this machine's clock and those of the doors


@dataclass(frozen=True)
class Places:
    """Where the parts go: apart, since dump and keys together open everything."""

    main: Path
    keys: Path
    photo_keys: Path | None = None

    def check(self) -> None:
        """Raises BackupTrouble where two of them are one, or one lies in another."""
        given = [place.resolve() for place in (self.main, self.keys, self.photo_keys) if place is not None]
        for one in given:
            for other in given:
                if one is not other and (one == other or one in other.parents):
                    raise BackupTrouble(f"{other}: the parts of a backup belong in different places")


@dataclass(frozen=True)
class Saved:
    """A verified backup. `safe_before`: photographs that the door settled before are in it with their keys."""

    id: str
    main: Path
    keys: Path
    photo_keys: Path | None
    at: datetime
    files: int
    bytes: int
    contiguous: Mapping[UUID, Mapping[UUID, Held]]
    safe_before: datetime | None


def save(
    server: Server, home: Path, places: Places, passphrase: str, now: datetime, stores: StoreUrls = LOCAL
) -> Saved:
    """Write all parts whole, verified, or nothing. Raises BackupTrouble."""
    places.check()
    name = f"{now:%Y%m%dT%H%M%SZ}-{secrets.token_hex(4)}"
    office = _office_keys(home)
    with ExitStack() as stack:
        staged: dict[str, Path] = {}
        wanted = {MAIN: places.main, PHOTO_KEYS: places.photo_keys, KEYS: places.keys}  # main appears last
        for part, place in wanted.items():
            if place is not None:
                stack.enter_context(alone_in(place))
                staged[part] = stack.enter_context(appearing(place / f"{PREFIX[part]}{name}"))
        seal_keyring(staged[KEYS], home, passphrase)
        rows = _dump(server, staged[MAIN] / DUMP)
        copy_objects(home, stores, staged[MAIN])
        if PHOTO_KEYS in staged:
            copy_tree(home / "photo-keys", staged[PHOTO_KEYS] / "photo-keys")
        held = _verify(server, home, staged, rows, office)
        signers = list(office.values())
        main = write_manifest(staged[MAIN], (name, MAIN), now, {"rows": rows}, signers)
        write_manifest(staged[KEYS], (name, KEYS), now, {}, signers)
        if PHOTO_KEYS in staged:
            until = {"delete_by": (now + LIFETIME).isoformat()}
            write_manifest(staged[PHOTO_KEYS], (name, PHOTO_KEYS), now, until, signers)
    ended = {part: place / f"{PREFIX[part]}{name}" for part, place in wanted.items() if place is not None}
    return Saved(
        id=name,
        main=ended[MAIN],
        keys=ended[KEYS],
        photo_keys=ended.get(PHOTO_KEYS),
        at=now,
        files=len(main.files),
        bytes=sum(file.size_bytes for file in main.files),
        contiguous=held,
        safe_before=now - DRIFT if PHOTO_KEYS in ended else None,
    )


def _office_keys(home: Path) -> dict[UUID, OfficeKeys]:
    keyring = OfficeKeyring(home / "keys" / "office")
    found = {agency_id: keyring.of(agency_id) for agency_id in keyring.agencies()}
    if not found:
        raise BackupTrouble(f"no agency's keys are in {home}: back up where they are")
    return found


def _dump(server: Server, target: Path) -> Rows:
    """Dump and what it must hold, both of one snapshot of the database."""
    with connect(server.conninfo("owner")) as owner:
        owner.isolation_level, owner.read_only = psycopg.IsolationLevel.REPEATABLE_READ, True
        row = owner.execute("SELECT pg_export_snapshot()").fetchone()
        dump(server, str(row[0] if row else ""), target)
        rows = rows_of(owner)
    descriptor = os.open(target, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    return rows


def _verify(
    server: Server, home: Path, staged: Mapping[str, Path], rows: Rows, office: dict[UUID, OfficeKeys]
) -> dict[UUID, dict[UUID, Held]]:
    """Restore the dump and compare; what is contiguous there, read from that copy. Raises BackupTrouble."""
    with restored_copy(server, home, staged[MAIN] / DUMP) as copy, connect(copy.conninfo("owner")) as owner:
        check_rows(owner, rows)
        check_operations(owner)
        missing = [
            wanted
            for wanted in wanted_files(owner, photo_keys=PHOTO_KEYS in staged)
            if not is_good(staged[PHOTO_KEYS if wanted.path.startswith("photo-keys/") else MAIN], wanted, office)
        ]
        held = contiguous(owner, copy)
    still = _still_wanted(server, missing) if missing else []
    if still:
        raise BackupTrouble(
            f"{len(still)} files that rows refer to are missing or damaged, the first is {home / still[0].path}"
        )
    return held


def _still_wanted(server: Server, missing: list[Wanted]) -> list[Wanted]:
    """What was destroyed or forgotten between the dump and the copying is missed by nobody."""
    with connect(server.conninfo("owner")) as owner:
        now_wanted = {wanted.path for wanted in wanted_files(owner, photo_keys=True)}
    return [wanted for wanted in missing if wanted.path in now_wanted]
