"""Phones that all come at once: each hands in its queue, pulls, asks for a snapshot, and uploads a photograph.

They are light: a connection, a queue and a sealed photograph each; but they obey what the door says as docs/protocol.md
§5 demands, and forget nothing that was not receipted.
"""

from __future__ import annotations

import base64
import http.client
import json
import os
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from multiprocessing.synchronize import Barrier

from bench.sync_phones import BenchPhone, Line, batches
from sync.phone import crypto, wire
from sync.phone.patience import Patience
from sync.phone.sealed_photos import SealedPhoto, seal_photo

PATCH_BYTES = 262_144
TUS = {"tus-resumable": "1.0.0"}
LATER = frozenset({429, 500, 502, 503, 504})
SEEN_IN_ALL = 200  # tries of one call: beyond that, something is wrong with the door

Call = tuple[str, int, float]
"""What kind of call it was, its status (0: no answer came), seconds."""


@dataclass
class StampedePhone:
    """One phone's day in hand. `calls` are all that were made; `done_s` when everything was there, from the start."""

    phone: BenchPhone
    bodies: list[bytes]
    photo: str
    sealed: SealedPhoto
    calls: list[Call] = field(default_factory=list)
    waited_s: float = 0.0
    done_s: float = 0.0
    receipts: int = 0

    @classmethod
    def recorded(cls, phone: BenchPhone, ops: int, photo_bytes: int) -> StampedePhone:
        """Everything sealed and signed beforehand, as on a phone that was offline."""
        operations = [phone.operation("note", {"text": "x"}, phone.visits[0]) for _ in range(ops)]
        photo = wire.uuid7(datetime.now(UTC))
        image = b"\xff\xd8\xff" + os.urandom(photo_bytes - 3)
        sealed = seal_photo(image, phone.agency, phone.device, photo, phone.sealing_public)
        return cls(phone, list(batches(operations)), photo, sealed)

    def run(self, door_url: str, sleep: Callable[[float], None] = time.sleep) -> None:
        """Operations before the pull, the pull before the photograph. Raises RuntimeError for a refusal."""
        began = time.perf_counter()
        session = _Session(self, Line(self.phone, door_url), Patience(), sleep)
        session.insist("anchors", "POST", "/anchors")
        session.insist("state", "GET", "/ops/state", query=f"newest={self.phone.seq}")
        for body in self.bodies:
            self.receipts += len(json.loads(session.insist("ops", "POST", "/ops", body))["receipts"])
        session.insist("feed", "GET", "/feed")
        session.upload()
        self.done_s = time.perf_counter() - began


@dataclass
class _Session:
    owner: StampedePhone
    line: Line
    patience: Patience
    sleep: Callable[[float], None]

    def insist(
        self, kind: str, method: str, path: str, body: bytes | None = None, *, query: str = "",
        headers: dict[str, str] | None = None,
    ) -> bytes:  # fmt: skip
        """The body of a 2xx answer, after however many "later"s."""
        for attempt in range(SEEN_IN_ALL):
            status, answered = self._once(kind, method, path, body, query, headers)
            if 200 <= status < 300:
                return answered
            if status == 401 and b"anchor-stale" in answered:
                continue
            if status and status not in LATER:
                raise RuntimeError(f"{method} {path}: {status} {answered[:200]!r}")
            told = self.line.headers.get("Retry-After", "") if status else ""
            wait_s = self.patience.wait_s(attempt, float(told or 0))
            self.owner.waited_s += wait_s
            self.sleep(wait_s)
        raise RuntimeError(f"{method} {path}: later, {SEEN_IN_ALL} times")

    def _once(
        self, kind: str, method: str, path: str, body: bytes | None, query: str, headers: dict[str, str] | None
    ) -> tuple[int, bytes]:
        began = time.perf_counter()
        try:
            status, answered, seconds = self.line.call(method, f"/phone/v1{path}", body, query, headers)
        except (OSError, http.client.HTTPException):
            self.line.connection.close()
            status, answered, seconds = 0, b"", time.perf_counter() - began
        self.owner.calls.append((kind, status, seconds))
        return status, answered

    def upload(self) -> None:
        """By tus: create, then from wherever the door says it stands."""
        sealed = self.owner.sealed
        values = {
            "photo": self.owner.photo, "sha256": crypto.b64u(sealed.sha256), "key": crypto.b64u(sealed.wrap),
            "keyid": sealed.key_id,
        }  # fmt: skip
        metadata = ",".join(f"{name} {base64.b64encode(value.encode()).decode()}" for name, value in values.items())
        announced = {**TUS, "upload-length": str(len(sealed.sealed)), "upload-metadata": metadata}
        self.insist("photo", "POST", "/photos", headers=announced)
        path = self.line.headers["Location"].removeprefix("/phone/v1")
        while self.line.headers.get("Upload-State") != "complete":
            self._send_piece(path, int(self.line.headers["Upload-Offset"]))

    def _send_piece(self, path: str, offset: int) -> None:
        piece = self.owner.sealed.sealed[offset : offset + PATCH_BYTES]
        headers = {
            **TUS, "content-type": "application/offset+octet-stream", "upload-offset": str(offset),
            "upload-checksum": f"sha256 {base64.b64encode(crypto.sha256(piece)).decode()}",
        }  # fmt: skip
        try:
            self.insist("piece", "PATCH", path, piece, headers=headers)
        except RuntimeError:
            if self.owner.calls[-1][1] != 409:  # it had been taken, and only the answer was lost
                raise
            self.insist("offset", "HEAD", path, headers=TUS)


def all_at_once(phones: list[StampedePhone], door_url: str, start: Barrier | None = None) -> list[str]:
    """Run all of them from the same moment, each in a thread; what went wrong with any."""
    troubles: list[str] = []

    def one(phone: StampedePhone) -> None:
        try:
            phone.run(door_url)
        except Exception as error:  # noqa: BLE001 - told below, and the whole run fails of it
            troubles.append(f"{type(error).__name__}: {error}")

    threads = [threading.Thread(target=one, args=(phone,)) for phone in phones]
    if start is not None:
        start.wait(600)
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return troubles


def by_kind(phones: list[StampedePhone]) -> Iterator[tuple[str, list[float], int, int]]:
    """Each kind of call: seconds of those that succeeded, how often it was "later", how often no answer came."""
    calls = [call for phone in phones for call in phone.calls]
    for kind in dict.fromkeys(kind for kind, _, _ in calls):
        of_kind = [(status, seconds) for name, status, seconds in calls if name == kind]
        served = [seconds for status, seconds in of_kind if 200 <= status < 300]
        later = sum(status in LATER for status, _ in of_kind)
        yield kind, served, later, sum(status == 0 for status, _ in of_kind)
