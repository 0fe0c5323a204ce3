"""The worker: claims become devices, changes sealed items, received operations effects, uploads photographs.

The queues are tables; NOTIFY is a hint that saves waiting, the poll once a second is the promise.
"""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from uuid import UUID

import psycopg
import structlog
from flask import Flask
from sqlalchemy import make_url

import media.office.work
import sync.office.work
from doorstep.app import worker_app
from doorstep.backup.photo_key_copies import delete_hourly
from doorstep.metrics import serve_metrics
from doorstep.promises import settle_hourly
from doorstep.worker_metrics import worker_text
from field_api.domain.disclosure import Audience
from field_api.platform.clock import SystemClock
from field_api.platform.crash import place_of
from field_api.platform.database import db
from field_api.platform.egress import OutletKind, check_declared, declare, outlet, working_for
from field_api.platform.measured import BOARD
from field_api.platform.metrics import WORK, WORK_FAILED, Board
from field_api.platform.settings import Settings
from field_api.platform.wiring import office_keys

POLL_S = 1.0
CHANNELS = ("doorstep_inbox", "doorstep_change", "doorstep_upload")
Step = Callable[[Flask, UUID], int]

log = structlog.get_logger()


def steps() -> dict[str, Step]:
    """What a worker does for an agency, in order; each returns how many units it did."""
    clock = SystemClock()
    return {
        "sync": lambda app, agency_id: sync.office.work.work_once(app, agency_id, clock.now()),
        "media": lambda app, agency_id: media.office.work.work_once(app, agency_id, clock.now()),
        "copies": lambda app, _: delete_hourly(app, clock.now()),
        "promises": lambda app, agency_id: settle_hourly(app, agency_id, clock.now()),
    }


# The steps themselves see nothing: each of their units is a job of its own, with its own audience.
for _step in ("sync", "media", "copies", "promises"):
    declare(OutletKind.JOB, _step, Audience.MACHINE)


def run_worker(settings: Settings) -> None:
    """Work until SIGTERM or SIGINT; the step under way is finished first. Raises UndeclaredOutlet."""
    app = worker_app(settings)
    check_declared((OutletKind.JOB, name) for name in steps())
    board: Board = app.extensions[BOARD]
    serve_metrics(lambda: worker_text(app, board))
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    with app.app_context():
        hints = _Hints(settings)
        while not stop.is_set():
            if work_once(app) == 0:
                hints.wait(POLL_S, stop)
        hints.close()
        db.engine.dispose()


def work_once(app: Flask) -> int:
    """One round over all agencies and steps. A step that fails is logged by kind and does not hold up the rest."""
    done = 0
    for agency_id in office_keys().agencies():
        for name, step in steps().items():
            try:
                with _measured(app, name), working_for(outlet(OutletKind.JOB, name)):
                    done += step(app, agency_id)
            except Exception as error:  # noqa: BLE001 - the boundary of a step: named in the log, tried again next round
                log.error(
                    "step-failed", step=name, agency=str(agency_id), error=type(error).__name__, place=place_of(error)
                )
            finally:
                db.session.remove()
    return done


@contextmanager
def _measured(app: Flask, step: str) -> Iterator[None]:
    board: Board = app.extensions[BOARD]
    began = time.monotonic()
    try:
        yield
    except BaseException:
        board.add(WORK_FAILED, step)
        raise
    finally:
        board.observe(WORK, time.monotonic() - began, step)


class _Hints:
    """LISTENs on the queues' channels, on a connection of its own that is made anew when it breaks."""

    def __init__(self, settings: Settings) -> None:
        url = make_url(settings.database_url)
        self._conninfo = psycopg.conninfo.make_conninfo(
            host=url.host, port=url.port, user=url.username, dbname=url.database, **dict(url.query)
        )
        self._connection: psycopg.Connection | None = None

    def wait(self, seconds: float, stop: threading.Event) -> None:
        """Return after a hint or after `seconds`, whichever comes first."""
        try:
            if self._connection is None:
                self._connection = psycopg.connect(self._conninfo, autocommit=True, connect_timeout=5)
                for channel in CHANNELS:
                    self._connection.execute(f"LISTEN {channel}")
            next(self._connection.notifies(timeout=seconds, stop_after=1), None)
        except psycopg.Error:
            self.close()
            stop.wait(seconds)

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None
