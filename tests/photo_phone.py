"""A phone's side of photographs for tests, written from docs/photo-format.md: seal, wrap, create, send in pieces."""

from __future__ import annotations

import base64
import os
from dataclasses import dataclass, field, replace
from uuid import UUID, uuid4

from flask import Flask
from werkzeug.test import TestResponse

import media.door
from doorstep.bare import bare_app
from doorstep.server import Server
from field_api.platform import sealing
from field_api.platform.call_rates import CallRates
from field_api.platform.clock import SetClock
from field_api.platform.database import transaction
from field_api.platform.devices import Device
from field_api.platform.ids import new_id
from field_api.platform.keyring_files import DoorKeyring
from field_api.platform.sealing import b64u
from field_api.platform.settings import Settings
from field_api.platform.signatures import signed_by_device
from media.sealed_photo import PhotoName, seal_photo
from tests.door_client import Phone, point, sha256

PHOTOS = "/phone/v1/photos"
TUS = {"Tus-Resumable": "1.0.0"}


def base64_text(value: bytes | str) -> str:
    return base64.b64encode(value.encode() if isinstance(value, str) else value).decode()


@dataclass
class SealedPhoto:
    """What a phone keeps until the upload is done."""

    photo_id: UUID
    sealed: bytes
    wrap: bytes
    key_id: str
    sha256: bytes = field(init=False)

    def __post_init__(self) -> None:
        self.sha256 = sha256(self.sealed)

    @property
    def metadata(self) -> dict[str, str]:
        return {
            "photo": str(self.photo_id),
            "sha256": b64u(self.sha256),
            "key": b64u(self.wrap),
            "keyid": self.key_id,
        }

    @property
    def creation_headers(self) -> dict[str, str]:
        pairs = ",".join(f"{name} {base64_text(value)}" for name, value in self.metadata.items())
        return {**TUS, "Upload-Length": str(len(self.sealed)), "Upload-Metadata": pairs}


def seal_for(phone: Phone, agency_public: bytes, image: bytes, photo_id: UUID | None = None) -> SealedPhoto:
    photo_id = photo_id or new_id()
    name, key = PhotoName(phone.agency, phone.device, photo_id), os.urandom(32)
    wrap = sealing.seal_to(agency_public, name.key_info, key)
    return SealedPhoto(photo_id, seal_photo(key, name, "image/jpeg", image), wrap, sealing.key_id_of(agency_public))


def announce(phone: Phone, photo: SealedPhoto, **changes: str) -> TestResponse:
    return phone.call("POST", PHOTOS, headers={**photo.creation_headers, **changes})


def announce_with(phone: Phone, photo: SealedPhoto, piece: bytes, **changes: str) -> TestResponse:
    """Creation with upload: the first bytes come along."""
    return phone.call("POST", PHOTOS, piece, headers={**first_headers(photo, piece), **changes})


def first_headers(photo: SealedPhoto, piece: bytes) -> dict[str, str]:
    headers = {**piece_headers(0, piece), **photo.creation_headers}
    del headers["Upload-Offset"]
    return headers


def piece_headers(offset: int, piece: bytes) -> dict[str, str]:
    return {
        **TUS,
        "Content-Type": "application/offset+octet-stream",
        "Upload-Offset": str(offset),
        "Upload-Checksum": f"sha256 {base64_text(sha256(piece))}",
    }


def send_piece(phone: Phone, location: str, offset: int, piece: bytes, **changes: str) -> TestResponse:
    return phone.call("PATCH", location, piece, headers={**piece_headers(offset, piece), **changes})


def head(phone: Phone, location: str) -> TestResponse:
    return phone.call("HEAD", location, headers=TUS)


def upload(phone: Phone, photo: SealedPhoto, piece_bytes: int = 256 * 1024) -> str:
    """The whole upload; returns its location."""
    response = announce(phone, photo)
    assert response.status_code == 201, response.text
    location = response.headers["Location"]
    for offset in range(0, len(photo.sealed), piece_bytes):
        response = send_piece(phone, location, offset, photo.sealed[offset : offset + piece_bytes])
        assert response.status_code == 204, response.text
    assert response.headers["Upload-State"] == "complete"
    return location


def photo_door(settings: Settings, database: Server, clock: SetClock) -> Flask:
    """The door as its own database role, with anchors and photographs."""
    app = bare_app("door", replace(settings, database_url=database.url("door")))
    app.extensions["doorstep.door_keys"] = DoorKeyring(settings.door_keys)
    app.extensions["doorstep.clock"] = clock
    anchors = signed_by_device(anchor=False)(lambda: {"anchor": "see header"})
    app.add_url_rule("/phone/v1/anchors", "anchors", anchors, methods=["POST"])
    media.door.register(app, CallRates(app))
    return app


def enrolled_phone(door: Flask, agency: UUID, clock: SetClock, agent_id: UUID | None = None) -> Phone:
    """A phone with an active device row and an anchor. Needs the office's application context."""
    phone = Phone(door.test_client(), agency, uuid4())
    with transaction(agency) as session:
        session.add(
            Device(
                id=phone.device,
                agent_id=agent_id or uuid4(),
                state="active",
                signing_public=point(phone.signing),
                sealing_public=point(phone.sealing),
                enrolled_at=clock.now(),
            )
        )
    phone.take_anchor()
    return phone
