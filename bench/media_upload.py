"""Uploading through the served door on one connection, and where the time goes."""

from __future__ import annotations

import base64
import os
import time
from itertools import cycle, islice
from uuid import UUID

from bench.figures import say, timed
from bench.media_raw import PIECE_BYTES
from bench.media_raw_upload import raw_upload
from bench.processor_time import spent
from bench.sync import Bench, postmaster
from bench.sync_phones import BenchPhone, Line, percentile
from field_api.platform import sealing
from field_api.platform.ids import new_id
from media.sealed_photo import PhotoName, seal_photo
from sync.phone import crypto

TUS = {"tus-resumable": "1.0.0"}
PATH = "/phone/v1/photos"


class Sender:
    """One connection to the door that phones take turns on: the door counts the calls of each."""

    def __init__(self, bench: Bench, phones: list[BenchPhone]) -> None:
        self.agency = UUID(str(bench.agency))
        self.lines = [Line(phone, bench.door_url) for phone in phones]
        for line in self.lines:
            line.connection = self.lines[0].connection
            line.take_anchor()
        self.took: list[float] = []  # seconds of each PATCH, its signing left out

    def send(self, line: Line, data: bytes) -> int:
        """Create and send one photograph; returns its sealed bytes."""
        sealed, headers = sealed_for(line.phone, self.agency, data)
        location = create(line, headers)
        for offset in range(0, len(sealed), PIECE_BYTES):
            body = sealed[offset : offset + PIECE_BYTES]
            status, answered, seconds = line.call("PATCH", location, body, more=piece(offset, body))
            if status != 204:
                raise RuntimeError(f"{status} {answered!r}")
            self.took.append(seconds)
        return len(sealed)


def sealed_for(phone: BenchPhone, agency: UUID, data: bytes) -> tuple[bytes, dict[str, str]]:
    """Sealed bytes and the creation's headers."""
    name, key = PhotoName(agency, UUID(phone.device), new_id()), os.urandom(32)
    sealed = seal_photo(key, name, "image/jpeg", data)
    values = {
        "photo": str(name.photo_id), "sha256": crypto.b64u(crypto.sha256(sealed)),
        "key": crypto.b64u(sealing.seal_to(phone.sealing_public, name.key_info, key)),
        "keyid": sealing.key_id_of(phone.sealing_public),
    }  # fmt: skip
    metadata = ",".join(f"{key} {base64.b64encode(value.encode()).decode()}" for key, value in values.items())
    return sealed, TUS | {"upload-length": str(len(sealed)), "upload-metadata": metadata}


def create(line: Line, headers: dict[str, str]) -> str:
    status, answered, _ = line.call("POST", PATH, more=headers)
    if status != 201:
        raise RuntimeError(f"{status} {answered!r}")
    return line.headers["Location"]


def piece(offset: int, body: bytes) -> dict[str, str]:
    digest = base64.b64encode(crypto.sha256(body)).decode()
    place = {"upload-offset": str(offset), "upload-checksum": f"sha256 {digest}"}
    return TUS | place | {"content-type": "application/offset+octet-stream"}


def upload(bench: Bench, phones: list[BenchPhone], files: list[bytes], photos: int, door_pid: int) -> None:
    raw_upload(bench.directory)
    sender = Sender(bench, phones)
    began_s = time.process_time()
    with timed() as seconds, spent(door_pid) as door_s, spent(postmaster(bench.server)) as postgres_s:
        size = sum(sender.send(line, data) for line, data in islice(zip(cycle(sender.lines), cycle(files)), photos))
    client_s, calls = time.process_time() - began_s, len(sender.took)
    say("uploaded, one connection", f"{size / seconds() / 1e6:9,.1f} MB/s in all, {calls} calls of 256 KiB at most")
    say(
        "the door's part of it",
        f"{size / sum(sender.took) / 1e6:9,.1f} MB/s; a call p50 {percentile(sender.took, 50) * 1000:.1f},"
        f" p95 {percentile(sender.took, 95) * 1000:.1f} ms",
    )
    shares = {"door": door_s(), "PostgreSQL": postgres_s(), "client": client_s}
    told = ", ".join(f"{name} {value / calls * 1000:.2f}" for name, value in shares.items())
    say("processor time of it", f"{told} ms a call")
