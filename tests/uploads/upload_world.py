"""What tests of uploads look at and speak through: rows, files, servers, and requests sent byte by byte."""

from __future__ import annotations

import hashlib
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

from flask import Flask
from sqlalchemy import select
from werkzeug.serving import make_server

from doorstep.http_server import served_beside
from field_api.platform.database import transaction
from field_api.platform.keyring_files import OfficeKeyring
from field_api.platform.settings import Settings
from media.records import Upload
from tests.door_client import Phone
from tests.photo_phone import base64_text

PIECE = 256 * 1024


def agency_key(settings: Settings, agency: UUID) -> bytes:
    return OfficeKeyring(settings.office_keys).of(agency).sealing_certificate.public


def code(response: Any) -> str:
    """The code of a refusal."""
    assert response.mimetype == "application/problem+json", response.text
    assert response.headers["Tus-Resumable"] == "1.0.0"
    return str(response.json["code"])


def row(agency: UUID) -> Upload:
    with transaction(agency) as session:
        upload = session.scalars(select(Upload)).one()
        session.expunge(upload)
        return upload


def stored(settings: Settings) -> list[Path]:
    return [path for path in settings.door_objects.rglob("*") if path.is_file()]


def keys(settings: Settings) -> list[Path]:
    return [path for path in settings.photo_keys.rglob("*") if path.is_file()]


def wait_for_fence(phone: Phone, fence: int) -> None:
    """Until the server has admitted the stalled request: creation made fence 1."""
    for _ in range(200):
        with transaction(phone.agency) as session:
            if (session.scalar(select(Upload.fence)) or 0) >= fence:
                return
        threading.Event().wait(0.02)
    raise AssertionError("the stalled request never took its place")


@contextmanager
def served(server: Any, serve: Any, stop: Any) -> Iterator[None]:
    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield
    finally:
        stop()
        thread.join(10)
        assert not thread.is_alive()


@contextmanager
def by_waitress(door: Flask) -> Iterator[int]:
    """The server that we ship: it hands over whole bodies. Yields its port."""
    with served_beside(door, host="127.0.0.1", port=0, threads=4, clear_untrusted_proxy_headers=True) as port:
        yield port


@contextmanager
def by_streaming(door: Flask) -> Iterator[int]:
    """A server that hands over bodies as they come. Yields its port."""
    server = make_server("127.0.0.1", 0, door, threaded=True)
    with served(server, lambda: server.serve_forever(poll_interval=0.02), server.shutdown):
        yield server.server_port
    server.server_close()


@dataclass
class RawRequest:
    """A connection with the head of a signed request on it; the caller sends as much of the body as it likes."""

    phone: Phone
    port: int
    method: str
    path: str
    body: bytes
    headers: dict[str, str]
    sent: int = 0
    connection: socket.socket = field(init=False)

    def __post_init__(self) -> None:
        digest = {"Content-Digest": f"sha-256=:{base64_text(hashlib.sha256(self.body).digest())}:"}
        headers = {**self.headers, **digest}
        headers |= self.phone.signature_headers(self.method, self.path, "", headers, True)
        lines = [f"{self.method} {self.path} HTTP/1.1", "Host: door.test", f"Content-Length: {len(self.body)}"]
        lines += ["Connection: close", *(f"{name}: {value}" for name, value in headers.items())]
        self.connection = socket.create_connection(("127.0.0.1", self.port), timeout=10)
        self.connection.sendall("\r\n".join([*lines, "", ""]).encode())

    def send(self, end: int) -> None:
        """The body up to here."""
        self.connection.sendall(self.body[self.sent : end])
        self.sent = end

    def answer(self) -> bytes:
        """All of it; the connection is closed then."""
        with self.connection, self.connection.makefile("rb") as file:
            return file.read()
