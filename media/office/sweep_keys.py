"""Destroy keys that came back: somebody copied an old key store into its place, beside `doorstep restore`.

A directory whose entries did not change since it was looked at is not looked at again: `ctime` is the kernel's, and no
copying tool can set it. So 256 looks at directories are all that a quiet round costs, and a process that starts looks
at everything once.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator
from datetime import datetime
from pathlib import Path
from uuid import UUID

import structlog
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from field_api.platform.store_trouble import StoreUnavailable
from field_api.platform.tenancy import current_agency
from field_api.usecases.note_decision import note_decision
from media.office.darkroom import Darkroom
from media.photo_keys import PhotoKeys
from media.records import DESTROYED, FORGOTTEN, Upload

FOLDERS = 32
"""Listed in one round, each with one statement for each thousand keys."""
IDS = 1_000
SETTLED_NS = 1_000_000_000
"""A file system's clock ticks in milliseconds: what changed within the last second may change again unseen."""
Stamp = tuple[int, int]

log = structlog.get_logger()


class KeySweep:
    """What one process has seen of the key store."""

    def __init__(self) -> None:
        self._seen: dict[Path, Stamp] = {}
        self._last: dict[UUID, Path] = {}

    def unseen(self, keys: PhotoKeys, agency_id: UUID) -> Iterator[tuple[Path, Stamp]]:
        """Directories that changed since `saw`, with what they look like now; it goes on where it was left, so that
        busy ones keep nobody from the others."""
        last = self._last.get(agency_id, Path())
        for folder in sorted(keys.folders(agency_id), key=lambda folder: (folder <= last, folder)):
            state = folder.stat()
            stamp = state.st_ino, state.st_ctime_ns
            if self._seen.get(folder) != stamp:
                self._last[agency_id] = folder
                yield folder, stamp

    def saw(self, folder: Path, stamp: Stamp) -> None:
        """It was looked at after it had this stamp."""
        if time.time_ns() - stamp[1] > SETTLED_NS:
            self._seen[folder] = stamp


def key_sweep(app: Flask) -> KeySweep:
    """The running process's."""
    sweep: KeySweep = app.extensions.setdefault("doorstep.key_sweep", KeySweep())
    return sweep


def destroy_returned(session: Session, room: Darkroom, upload_ids: Collection[UUID], now: datetime) -> tuple[int, bool]:
    """Of these, destroy the keys whose photographs are destroyed or forgotten; returns how many there were, and whether
    all were looked at.

    The log has a decision for each destroyed one: that its key was back is nothing that should happen. A row that
    somebody holds is left for the next round: a phone that asks after its destroyed photograph holds it, too. So is a
    file that cannot be overwritten, and it keeps nothing else from being done.
    """
    done, all_seen = 0, True
    ordered = sorted(upload_ids)
    for first in range(0, len(ordered), IDS):
        gone, held = _gone(session, ordered[first : first + IDS])
        all_seen = all_seen and not held
        for upload in gone:
            try:
                found = room.stores.keys.destroy(upload.agency_id, upload.id)
            except StoreUnavailable:  # somebody else's file, or one that is locked against writing
                all_seen = False
                continue
            if found:
                done += 1
                _note(session, upload, now)
    return done, all_seen


def _gone(session: Session, upload_ids: Collection[UUID]) -> tuple[list[Upload], bool]:
    """The rows, locked, and whether somebody holds further ones."""
    gone = Upload.state.in_((DESTROYED, FORGOTTEN))
    mine = select(Upload.id).where(Upload.agency_id == current_agency(), Upload.id.in_(upload_ids), gone)
    known = session.scalars(mine).all()
    if not known:
        return [], False
    locked = select(Upload).where(Upload.agency_id == current_agency(), Upload.id.in_(known), gone)
    rows = list(session.scalars(locked.with_for_update(skip_locked=True)))
    return rows, len(rows) < len(known)


def _note(session: Session, upload: Upload, now: datetime) -> None:
    if upload.state != DESTROYED:
        return  # an upload that never was whole: its creation broke off between file and row
    digest = upload.sha256.hex()
    note_decision(session, now, "photo-key-returned", {"upload": str(upload.id), "sha256": digest})
    log.warning("photo-key-returned", upload=str(upload.id), sha256=digest)
