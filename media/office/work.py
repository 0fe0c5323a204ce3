"""One round of the worker's work on photographs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime, timedelta
from itertools import islice
from uuid import UUID

from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from field_api.domain.disclosure import Audience
from field_api.platform.database import transaction
from field_api.platform.egress import Outlet, OutletKind, declare, outlet, working_for
from field_api.platform.store_trouble import StoreUnavailable
from field_api.platform.tenancy import current_agency
from field_api.queries.photo_declarations import PERMISSION_WITHDRAWN
from media.office.darkroom import Darkroom, darkroom
from media.office.destroy_expired import RETENTION_END, expired_photos
from media.office.destroy_photo import destroy_photo, withdrawn_photos
from media.office.destroy_undecided import destroy_undecided, undecided_photos
from media.office.destroy_untaken import look_at_untaken, untaken_uploads
from media.office.develop_photo import CLAIM_LIFETIME
from media.office.develop_photos import develop_photos
from media.office.link_uploads import link_uploads
from media.office.records import Photo, PhotoState
from media.office.rewrap_keys import rewrap_keys
from media.office.sweep_keys import FOLDERS, destroy_returned, key_sweep
from media.records import RECEIVING, Upload
from media.stores import Stores, forget

BATCH = 20
"""Developed in one round: a few seconds, so that other work of the worker is not kept waiting."""

STORE_PAUSE = timedelta(minutes=1)
"""After a store was away: each call to one may take some 20 s, and operations wait for the round's end."""
STORE_TRIES = 3
ASIDE_FOR = timedelta(hours=1)
"""What could not be destroyed lets others come: their keys, which need no store, are overwritten then."""
AWAY_UNTIL, ASIDE, NEXT = "media.store_away_until", "media.set_aside", "media.next_of_stores"

JOBS = {
    "media.link": Audience.OFFICE_JOB,
    "media.destroy": Audience.OFFICE_JOB,
    "media.keys": Audience.MACHINE,  # ids of uploads, names of keys
    "media.develop": Audience.OFFICE_JOB,
    "media.forget": Audience.MACHINE,  # ids of uploads
}
for _name, _audience in JOBS.items():
    declare(OutletKind.JOB, _name, _audience)


def work_once(app: Flask, agency_id: UUID, now: datetime) -> int:
    """Take what was declared, destroy what was taken back, kept or waited for too long, develop what is allowed, seal
    keys to the newest sealing key, forget the rest.

    Returns how many units of work were done; 0 means that nothing waits, or that a store is away: then all stays as it
    is, and is tried again after STORE_PAUSE, what could not be destroyed after ASIDE_FOR.
    """
    with app.app_context():
        if now < app.extensions.get(AWAY_UNTIL, now):
            return 0
        patience, done = Patience(app.extensions.setdefault(ASIDE, {}), now), 0
        try:
            done = _round(app, agency_id, now, patience)
        except StoreUnavailable:
            patience.was_tried = True
        if patience.was_tried:
            app.extensions[AWAY_UNTIL] = now + STORE_PAUSE
        return done


def _round(app: Flask, agency_id: UUID, now: datetime, patience: Patience) -> int:
    room = darkroom()
    with _job("media.keys"):  # first, since no store of bytes has to be there for it
        done = _destroy_what_returned(app, agency_id, room, now)
    with _job("media.link"), transaction(agency_id) as session:
        done += link_uploads(session, now)
    with _job("media.keys"), patience.over_one(), transaction(agency_id) as session:
        done += rewrap_keys(session, room)
    first, of_stores = app.extensions.get(NEXT, 0), (_destroy, _develop, _forget)
    for number in range(first, first + len(of_stores)):
        app.extensions[NEXT] = (number + 1) % len(of_stores)  # what this one leaves undone keeps no other one for ever
        done += of_stores[number % len(of_stores)](agency_id, room, now, patience)
    app.extensions[NEXT] = 0
    return done


def _destroy(agency_id: UUID, room: Darkroom, now: datetime, patience: Patience) -> int:
    with _job("media.destroy"):
        done = _destroy_what_ended(agency_id, room, now, patience)
        return done + _destroy_what_waited(agency_id, room, now, patience)


def _develop(agency_id: UUID, room: Darkroom, now: datetime, patience: Patience) -> int:
    with _job("media.develop"):
        with transaction(agency_id) as session:
            waiting = waiting_photos(session, now)
            taken_back = set(withdrawn_photos(session)) if waiting else set()  # destroying them may have been put off
        waiting = [photo_id for photo_id in waiting if photo_id not in taken_back]
        return develop_photos(agency_id, waiting, now, room, patience.over_one)


def _forget(agency_id: UUID, room: Darkroom, now: datetime, patience: Patience) -> int:
    with _job("media.forget"), transaction(agency_id) as session:
        return forget_expired(session, room.stores, now, patience)


class Patience:
    """One object that cannot be had holds up no other; a store that is away is not asked for each of them."""

    def __init__(self, aside: dict[UUID, datetime], now: datetime) -> None:
        self._left = STORE_TRIES
        self._aside, self._now = aside, now
        self.was_tried = False

    def aside(self) -> list[UUID]:
        """Photographs and uploads that are not tried now."""
        return [each for each, until in self._aside.items() if until > self._now]

    @contextmanager
    def over_one(self, each: UUID | None = None) -> Iterator[None]:
        """Around the work on one photograph. Raises StoreUnavailable when it has happened too often."""
        try:
            yield
            if each is not None:
                self._aside.pop(each, None)
        except StoreUnavailable:
            if each is not None:
                self._aside[each] = self._now + ASIDE_FOR
            self.was_tried = True
            self._left -= 1
            if self._left == 0:
                raise


def _destroy_what_ended(agency_id: UUID, room: Darkroom, now: datetime, patience: Patience) -> int:
    """Permissions taken back, then what was kept for long enough. Each in a transaction of its own: a key is gone for
    good before its row says so."""
    with transaction(agency_id) as session:
        aside = patience.aside()
        ended = dict.fromkeys(withdrawn_photos(session, aside), PERMISSION_WITHDRAWN)
        ended = dict.fromkeys(expired_photos(session, now, aside), RETENTION_END) | ended
    for photo_id, reason in ended.items():
        with patience.over_one(photo_id), transaction(agency_id) as session:
            destroy_photo(session, photo_id, room, now=now, actor="system", reason=reason)
    return len(ended)


def _destroy_what_returned(app: Flask, agency_id: UUID, room: Darkroom, now: datetime) -> int:
    """Keys of destroyed photographs that somebody copied back, in directories that changed."""
    sweep, keys, done = key_sweep(app), room.stores.keys, 0
    for folder, stamp in islice(sweep.unseen(keys, agency_id), FOLDERS):
        with transaction(agency_id) as session:
            destroyed, all_seen = destroy_returned(session, room, keys.in_folder(folder), now)
        done += destroyed
        if all_seen:
            sweep.saw(folder, stamp)
    return done


def _destroy_what_waited(agency_id: UUID, room: Darkroom, now: datetime, patience: Patience) -> int:
    """Each in a transaction of its own, as above."""
    with transaction(agency_id) as session:
        aside = patience.aside()
        photo_ids, upload_ids = undecided_photos(session, now, aside), untaken_uploads(session, now, aside)
    done = 0
    for photo_id in photo_ids:
        with patience.over_one(photo_id), transaction(agency_id) as session:
            done += destroy_undecided(session, photo_id, room, now)
    for upload_id in upload_ids:
        with patience.over_one(upload_id), transaction(agency_id) as session:
            done += look_at_untaken(session, upload_id, room, now)
    return done


def _job(name: str) -> AbstractContextManager[Outlet]:
    """Secrets come out for the job's audience, while it runs."""
    return working_for(outlet(OutletKind.JOB, name))


def waiting_photos(session: Session, now: datetime) -> list[UUID]:
    """Photographs to develop now, oldest first, and those whose worker seems to have died."""
    abandoned = (Photo.state == PhotoState.DEVELOPING.value) & (Photo.developing_since <= now - CLAIM_LIFETIME)
    return list(
        session.scalars(
            select(Photo.id)
            .where(Photo.agency_id == current_agency(), (Photo.state == PhotoState.AWAITING.value) | abandoned)
            .order_by(Photo.id)
            .limit(BATCH)
        )
    )


def forget_expired(session: Session, stores: Stores, now: datetime, patience: Patience | None = None) -> int:
    """Forget incomplete uploads that their phones left alone for seven days."""
    patience, done = patience or Patience({}, now), 0
    uploads = session.scalars(
        select(Upload)
        .where(Upload.agency_id == current_agency(), Upload.state == RECEIVING, Upload.expires_at <= now)
        .where(Upload.id.not_in(patience.aside()))
        .limit(BATCH)
        .with_for_update(skip_locked=True)
    ).all()
    for upload in uploads:
        with patience.over_one(upload.id), session.begin_nested():
            forget(stores, upload)
            done += 1
    return done
