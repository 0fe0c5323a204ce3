"""Copies of the photographs' key store: they live 7 days at most, or a destroyed key is not destroyed.

Whoever cleans up needs no key: the name of a copy says when it was taken.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import structlog
from flask import Flask

from doorstep.backup.places import STAGED
from media.photo_keys import shred

PREFIX = "doorstep-photo-keys-"
LIFETIME = timedelta(days=7)
NEXT_BACKUP = timedelta(hours=25)
"""A nightly backup deletes what would be older than LIFETIME before the next one: there may be nobody else to do it."""
EVERY = timedelta(hours=1)
_LOOKED_AT = "doorstep.key_copies_looked_at"

log = structlog.get_logger()


@dataclass(frozen=True)
class Copy:
    """One copy, whole or half-written by a backup that was killed."""

    path: Path
    taken_at: datetime

    def is_over(self, now: datetime) -> bool:
        return self.taken_at + LIFETIME <= now


def place_from(environment: Mapping[str, str]) -> Path | None:
    """DOORSTEP_PHOTO_KEY_COPIES: where `doorstep backup --photo-keys-to` puts them, as office and worker see it.

    The worker deletes there what is a week old, also when no backup is made any more; the status page tells of it.
    """
    named = environment.get("DOORSTEP_PHOTO_KEY_COPIES", "")
    return Path(named).absolute() if named else None


def copies_in(place: Path) -> Iterator[Copy]:
    """The oldest first. Raises OSError where the place cannot be read: a mount that is away holds no fewer copies."""
    found = []
    for entry in os.scandir(place):
        name = entry.name.removeprefix(STAGED)
        if not name.startswith(PREFIX) or not entry.is_dir(follow_symlinks=False):
            continue
        try:
            taken_at = datetime.strptime(name.removeprefix(PREFIX).partition("-")[0], "%Y%m%dT%H%M%S%z")
        except ValueError:
            continue  # not a name that a backup gives
        found.append(Copy(Path(entry.path), taken_at))
    yield from sorted(found, key=lambda copy: copy.taken_at)


def delete_old_photo_keys(place: Path, now: datetime) -> list[Path]:
    """Overwrite and delete copies that are a week old, so that a destroyed key is destroyed there too.

    Raises OSError where one cannot be deleted, after the others.
    """
    old = [copy.path for copy in copies_in(place) if copy.is_over(now)] if place.exists() else []
    kept: list[OSError] = []
    for copy in old:
        try:
            _delete(copy)
        except OSError as error:
            kept.append(error)
    if kept:  # told once the others are gone: one that cannot be deleted must not keep them
        raise kept[0]
    return old


def _delete(copy: Path) -> None:
    for path in copy.rglob("*"):  # a millisecond or more for each: some minutes where there are a hundred thousand
        if path.is_file() and not path.is_symlink():
            shred(path)
    shutil.rmtree(copy)


def delete_hourly(app: Flask, now: datetime) -> int:
    """The worker's part, where it sees the place: what would be older than LIFETIME before it looks again. Returns how
    many were deleted. Raises OSError."""
    place, looked_at = place_from(os.environ), app.extensions.get(_LOOKED_AT)
    if place is None or (looked_at is not None and now - looked_at < EVERY):
        return 0
    app.extensions[_LOOKED_AT] = now
    deleted = len(delete_old_photo_keys(place, now + EVERY))
    if deleted:
        log.warning("photo-key-copies-deleted", count=deleted)  # by a backup they would be gone before
    return deleted
