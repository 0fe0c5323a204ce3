"""What the worker tells of the queues whenever it is asked: of all agencies together, and numbers alone."""

from __future__ import annotations

import os
from datetime import datetime
from uuid import UUID

from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from doorstep.backup.photo_key_copies import copies_in, place_from
from field_api.platform.clock import SystemClock
from field_api.platform.database import transaction
from field_api.platform.metrics import Board, Family, gauges_text
from field_api.platform.problems import Problem
from field_api.platform.wiring import office_keys
from field_api.records.changes import Change
from media.office.develop_anew import LOST_REASONS
from media.office.records import Photo
from media.office.rewrap_keys import how_many_under_older_keys
from sync.mailbox import Checkpoint
from sync.office.sync_health import all_healths, not_durable, overview


def _gauge(name: str, told: str) -> Family:
    return Family(f"doorstep_{name}", "gauge", told)


READABLE = _gauge("queues_readable", "1 where the numbers below could be read, else 0 and they are missing.")
PHONES = _gauge("phones", "Active phones.")
SILENT = _gauge("phones_silent", "Phones that were not heard for longer than the policy says.")
CLOCKS_OFF = _gauge("phones_clock_off", "Phones whose clock is more than five minutes off.")
ON_PHONES = _gauge("ops_waiting_on_phones", "Operations that phones told of and nobody holds.")
UNAPPLIED = _gauge("ops_unapplied", "Operations that were received and have no effect yet.")
UNAPPLIED_AGE = _gauge("ops_unapplied_oldest_seconds", "Age of the oldest of them, 0 without any.")
HELD = _gauge("ops_held", "Operations that wait for another one.")
QUARANTINED = _gauge("ops_quarantined", "Operations and bytes that wait for a person.")
LATE = _gauge("ops_late", "Late operations of the last 30 days.")
UNPUBLISHED = _gauge("changes_unpublished", "Changes that no phone was told yet.")
UNPUBLISHED_AGE = _gauge("changes_unpublished_oldest_seconds", "Age of the oldest of them, 0 without any.")
RETRIED = _gauge("changes_retried", "Changes that were tried in vain and wait for another try.")
LOG_LEAVES = _gauge("log_leaves", "Leaves under the newest checkpoints.")
NOT_DURABLE = _gauge("ops_not_durable", "Operations here that phones must still keep.")
PHOTOS_LOST = _gauge(
    "photos_lost", "Photographs of which a picture, the sealed bytes or the key is missing or altered."
)
NOT_DURABLE_MOST = _gauge("ops_not_durable_most", "The most of them that one agency has.")
PHOTO_KEYS_OLDER = _gauge(
    "photo_keys_older", "Photographs' keys that are still to be sealed to the newest sealing key."
)
KEY_COPIES_OVERDUE = _gauge(
    "photo_key_copies_overdue",
    "Copies of the photographs' key store older than 7 days; -1 where DOORSTEP_PHOTO_KEY_COPIES cannot be read.",
)


def worker_text(app: Flask, board: Board) -> str:
    """The worker's counts, then the queues. Where the database does not answer, `doorstep_queues_readable` says so."""
    with app.app_context():
        try:
            queues = {READABLE: 1.0, **_queues(SystemClock().now())}
        except (SQLAlchemyError, Problem):
            queues = {READABLE: 0.0}
    return board.text() + gauges_text(queues)


def _queues(now: datetime) -> dict[Family, float]:
    found: list[dict[Family, float]] = []
    for agency_id in office_keys().agencies():
        with transaction(agency_id) as session:
            found.append(queues_of_agency(session, agency_id, now))
    most = {UNAPPLIED_AGE, UNPUBLISHED_AGE, NOT_DURABLE_MOST}
    families = found[0] if found else {}
    each = {family: [one[family] for one in found] for family in families}
    told = {family: max(numbers) if family in most else sum(numbers) for family, numbers in each.items()}
    return told | {KEY_COPIES_OVERDUE: _overdue_copies(now)}


def _overdue_copies(now: datetime) -> float:
    place = place_from(os.environ)
    try:
        return sum(copy.is_over(now) for copy in copies_in(place)) if place else 0
    except OSError:
        return -1


def queues_of_agency(session: Session, agency_id: UUID, now: datetime) -> dict[Family, float]:
    """The numbers of one agency, which are told only as sums and maxima over all."""
    total = overview(all_healths(session, now=now))
    lag = not_durable(session)
    retried = select(func.count()).where(Change.agency_id == agency_id, Change.tries > 0)
    leaves = select(func.max(Checkpoint.size)).where(Checkpoint.agency_id == agency_id)
    flawed = select(func.count()).where(Photo.agency_id == agency_id, Photo.reason.in_(LOST_REASONS))
    return {
        PHONES: total.devices, SILENT: total.silent, CLOCKS_OFF: total.clocks_off, ON_PHONES: total.waiting_ops,
        UNAPPLIED: total.unapplied, UNAPPLIED_AGE: _age_s(total.oldest_unapplied_at, now), HELD: total.held,
        QUARANTINED: total.quarantined, LATE: total.late, UNPUBLISHED: total.unpublished,
        UNPUBLISHED_AGE: _age_s(total.oldest_unpublished_at, now), RETRIED: session.scalar(retried) or 0,
        PHOTO_KEYS_OLDER: how_many_under_older_keys(session, office_keys().of(agency_id)),
        LOG_LEAVES: session.scalar(leaves) or 0, NOT_DURABLE: lag, NOT_DURABLE_MOST: lag,
        PHOTOS_LOST: session.scalar(flawed) or 0,
    }  # fmt: skip


def _age_s(moment: datetime | None, now: datetime) -> float:
    return max(0.0, (now - moment).total_seconds()) if moment else 0.0
