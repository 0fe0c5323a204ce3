"""Serving: one process per door, and a supervisor that keeps all of them up on a one-machine installation."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import requests
import structlog
from flask import Flask
from waitress.channel import HTTPChannel
from waitress.task import WSGITask

from doorstep.backup.photo_key_copies import place_from
from doorstep.http_server import HttpServer
from doorstep.installation import Installation
from doorstep.metrics import part_environment
from doorstep.processes import shared_socket
from doorstep.server import Server
from field_api.platform.store_urls import store_environment

log = structlog.get_logger()
STARTUP_S = 30.0
RESTART_PAUSE_S = 1.0
MAX_CONNECTIONS = 1_000
FILES_BESIDE = 100  # of the database, of uploads, of what waits on disk


def serve_http(app: Flask, host: str, port: int, *, beside_others: bool = False) -> None:
    """Serve until SIGTERM or SIGINT; what is under way then is answered.

    Waitress buffers slow clients, so that they do not starve the others.

    `beside_others`: on a port that further processes of this command serve as well.
    """
    app.config["BODIES_COME_WHOLE"] = True  # as waitress hands them over
    HTTPChannel.task_class = _KeptTask
    where = {"sockets": [shared_socket(host, port)]} if beside_others else {"host": host, "port": port}
    server = HttpServer(
        app,
        **where,
        threads=app.config.get("THREADS", 8),
        connection_limit=_connections(),
        inbuf_overflow=128 * 1024,  # a body beyond it waits on disk: so many photographs at once would fill the memory
        ident="doorstep",
        max_request_header_size=16 * 1024,
        max_request_body_size=app.config["MAX_CONTENT_LENGTH"],
        channel_timeout=60,
    )
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: server.stop())
    server.run()


class _KeptTask(WSGITask):
    """Waitress ends the connection after each answer without a Content-Length, also where there must be none, since the
    answer ends with its head (RFC 9112 section 6.3): a new connection for every piece of a photograph."""

    def set_close_on_finish(self) -> None:
        asked = self.request.headers.get("CONNECTION", "").lower() == "close"
        if self.has_body or self.version != "1.1" or asked:
            super().set_close_on_finish()


def _connections() -> int:
    """How many may be open: a kept connection of a phone costs little, and one that is not taken waits unanswered."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    return max(50, min(MAX_CONNECTIONS, most - FILES_BESIDE))


@dataclass
class Part:
    """One child process of the supervisor."""

    name: str
    arguments: list[str]
    environment: Mapping[str, str]
    url: str | None = None
    log: Path | None = None
    process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    def start(self) -> None:
        with ExitStack() as open_files:
            output = open_files.enter_context(self.log.open("ab")) if self.log else None
            self.process = subprocess.Popen(
                [sys.executable, "-m", *self.arguments],
                env=dict(self.environment),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )

    def alive(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def ready(self) -> bool:
        if not self.url:
            return self.alive()
        try:
            return requests.get(f"{self.url}/readyz", timeout=2).ok
        except requests.RequestException:
            return False

    def stop(self) -> None:
        if self.process is None:
            return
        if self.process.poll() is None:
            self.process.terminate()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def parts_of(installation: Installation, server: Server, door_processes: int = 1) -> list[Part]:
    """Door, office and worker, each told its own role's address and nothing else's."""
    base = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("DOORSTEP_") and name not in {"DATABASE_URL", "PGPASSWORD", "PGPASSFILE"}
    } | {
        "DOORSTEP_HOME": str(installation.home),
        "DOORSTEP_DOOR_URL": installation.door_url,
        "DOORSTEP_OFFICE_URL": installation.office_url,
    }
    base |= store_environment(installation.stores, "door")
    office = (
        base
        | store_environment(installation.stores, "office")
        | part_environment(os.environ, "office")
        | {"DOORSTEP_DATABASE_URL": server.url("office")}
    )
    if installation.journal:
        office["DOORSTEP_JOURNAL"] = str(installation.journal)
    if copies := place_from(os.environ):
        office["DOORSTEP_PHOTO_KEY_COPIES"] = str(copies)
    if seconds := os.environ.get("DOORSTEP_PHOTO_LINK_S"):
        office["DOORSTEP_PHOTO_LINK_S"] = seconds
    worker = office | part_environment(os.environ, "worker")
    door = base | part_environment(os.environ, "door") | {"DOORSTEP_DATABASE_URL": server.url("door")}
    return [
        Part("office", ["doorstep.cli", "serve", "office"], office, installation.office_url),
        Part(
            "door", ["doorstep.cli", "serve", "door", "--processes", str(door_processes)], door, installation.door_url
        ),
        Part("worker", ["doorstep.cli", "worker"], worker),
    ]


@contextmanager
def running(parts: list[Part]) -> Iterator[list[Part]]:
    """Start all parts and stop them at the end."""
    try:
        for part in parts:
            part.start()
        yield parts
    finally:
        for part in reversed(parts):
            part.stop()


def wait_until_ready(parts: list[Part]) -> None:
    """Raises RuntimeError when a part dies or does not answer in time."""
    deadline = time.monotonic() + STARTUP_S
    for part in parts:
        while not part.ready():
            if not part.alive() or time.monotonic() > deadline:
                raise RuntimeError(f"{part.name} did not come up")
            time.sleep(0.05)


def supervise(parts: list[Part], stop: threading.Event) -> None:
    """Start again whatever dies, with a pause, until told to stop."""
    while not stop.wait(RESTART_PAUSE_S):
        for part in parts:
            if not part.alive():
                log.warning("restarted", part=part.name)
                part.start()


def bind_of(url: str) -> tuple[str, int]:
    """Host and port of a configured address."""
    split = urlsplit(url)
    return split.hostname or "127.0.0.1", split.port or (443 if split.scheme == "https" else 80)
