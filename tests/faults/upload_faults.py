"""What a photograph's upload is judged by under fault: the bytes at the door, its offset, and what a phone was told."""

from __future__ import annotations

import base64
import os
import re
import socket
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fault_world import House
from proxy import Fault
from sqlalchemy import select

from field_api.platform.database import transaction
from media.records import Upload
from sync.phone import Phone, crypto
from sync.phone.errors import Later
from sync.phone.photographs import path_of, rows
from sync.phone.signatures import content_digest, signed_headers
from sync.phone.uploading import PATCH_BYTES, TUS, Uploaded

JPEG = b"\xff\xd8\xff"
THREE_MB = 3_000_000
MAX_SESSIONS = 40
_TOLD = re.compile(rb"^HTTP/1\.1 20[014] .*?\r\nUpload-Offset: (\d+)\r\n", re.DOTALL)


@dataclass
class Bringing:
    """One photograph that a phone brings to the door."""

    house: House
    phone: Phone
    photo: str

    @property
    def sealed(self) -> bytes:
        return path_of(self.phone.handset, self.photo).read_bytes()

    @property
    def row(self) -> dict[str, Any]:
        (found,) = (row for row in rows(self.phone.handset) if row["photo"] == self.photo)
        return found

    def upload(self) -> Upload | None:
        with transaction(self.house.agency) as session:
            upload = session.scalars(select(Upload).where(Upload.photo_id == self.photo)).one_or_none()
            if upload is not None:
                session.expunge(upload)
            return upload

    def offset(self) -> int:
        upload = self.upload()
        return upload.received_bytes if upload else 0

    def file(self) -> Path | None:
        """Where the door keeps its bytes, if it does."""
        upload, objects = self.upload(), self.house.parts.door_settings.door_objects
        found = [path for path in objects.rglob(upload.id.hex) if path.is_file()] if upload else []
        assert len(found) <= 1
        return found[0] if found else None

    def stored(self) -> bytes:
        file = self.file()
        return file.read_bytes() if file else b""

    def told(self) -> int:
        """The newest offset that the phone was told since it was last asked here; 0 where it was told none."""
        replies = [reply for each in self.house.proxy.exchanges for reply in each.replies]
        self.house.proxy.forget()
        return max((int(match[1]) for reply in replies if (match := _TOLD.match(reply))), default=0)

    def is_true(self) -> None:
        """The oracle: what the door says it has it has, byte for byte, and nobody was told of more."""
        offset, sealed = self.offset(), self.sealed
        assert self.stored()[:offset] == sealed[:offset]
        assert self.told() <= offset

    def once(self) -> Uploaded | None:
        """One session of the phone; None where it was put off."""
        try:
            return self.phone.upload_photos()
        except Later:
            return None

    def is_put_off(self) -> None:
        """A session under fault ends in "later", and everything that was said is true."""
        assert self.once() is None
        self.is_true()

    def is_finished(self) -> None:
        """The phone, left alone, brings the rest; what lies at the door is what was sealed."""
        sealed = self.sealed
        for _ in range(MAX_SESSIONS):
            self.house.parts.look_after()
            if self.once() is not None:
                break
        upload = self.upload()
        assert upload is not None and upload.state == "complete" and self.row["state"] == "complete"
        assert self.stored() == sealed and crypto.sha256(sealed) == upload.sha256

    def piece(self) -> tuple[int, bytes]:
        """What the phone would send next."""
        offset = self.offset()
        return offset, self.sealed[offset : offset + PATCH_BYTES]

    def is_announced(self) -> None:
        """The upload stands at its beginning, and the phone knows its path."""
        self.house.proxy.spoil(Fault(cut_body_at=0), "PATCH")
        self.is_put_off()
        assert self.offset() == 0 and "location" in self.row

    def head(self) -> int:
        answer = self.phone.door.once("HEAD", self.row["location"], headers=TUS)
        return int(answer.headers["Upload-Offset"])

    def patch(self, offset: int, piece: bytes, checksum_of: bytes | None = None) -> Sending:
        """A signed PATCH of this phone, to be sent by hand, past the proxy."""
        digest = crypto.sha256(piece if checksum_of is None else checksum_of)
        headers = {
            **TUS,
            "content-type": "application/offset+octet-stream",
            "upload-offset": str(offset),
            "upload-checksum": f"sha256 {base64.b64encode(digest).decode()}",
        }
        return Sending(self.phone, self.house.parts.port, "PATCH", self.row["location"], headers, piece)


class Sending:
    """A request on a connection of its own: its head is sent, its body as far as the caller likes."""

    def __init__(self, phone: Phone, port: int, method: str, path: str, headers: dict[str, str], body: bytes) -> None:
        handset, self.body, self.sent = phone.handset, body, 0
        path = handset.address.path + path
        headers = {**headers, "content-digest": content_digest(body)}
        headers |= signed_headers(
            method,
            handset.address.authority,
            path,
            "",
            headers,
            created=int(handset.clock.now().timestamp()),
            key_id=f"{handset.agency}/{handset.device}",
            nonce=handset.nonce,
            sign=lambda message: crypto.sign(handset.keys.signing, message),
        )
        lines = [f"{method} {path} HTTP/1.1", f"host: {handset.address.authority}", f"content-length: {len(body)}"]
        lines += ["connection: close", *(f"{name}: {value}" for name, value in headers.items())]
        self.connection = socket.create_connection(("127.0.0.1", port), timeout=20)
        self.connection.sendall("\r\n".join([*lines, "", ""]).encode())

    def send(self, end: int | None = None) -> None:
        self.connection.sendall(self.body[self.sent : end])
        self.sent = len(self.body) if end is None else end

    def status(self) -> int:
        with self.connection, self.connection.makefile("rb") as file:
            return int(file.readline().split()[1])


def bring(house: House, phone: Phone, length: int = THREE_MB) -> Bringing:
    """A new photograph of random bytes, allowed, sealed and declared."""
    house.proxy.forget()
    visit = house.visits[0]
    phone.photo_permission(visit, True, "relative", ["facade"])
    return Bringing(house, phone, phone.photo(visit, JPEG + os.urandom(length), "facade").op)
