"""What the office needs to develop, show and destroy photographs, put together once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from field_api.domain.ports import Objects
from field_api.platform.keyring_files import OfficeKeyring
from field_api.platform.sealing import aead_open, aead_seal, derive
from field_api.platform.wiring import objects, office_keys, settings
from media.records import Upload
from media.sandbox.run import Renditions, develop_in_sandbox
from media.sealed_photo import PhotoName
from media.stores import Stores, stores_of

LARGE, SMALL = "large", "small"


@dataclass(frozen=True)
class Darkroom:
    stores: Stores
    objects: Objects
    keyring: OfficeKeyring
    develop: Callable[[bytes], Renditions] = develop_in_sandbox

    def key_of(self, upload: Upload) -> PhotoKey:
        """The photograph's own key. Raises KeyAbsent where it was destroyed, Unsealable where it does not open."""
        name = PhotoName(upload.agency_id, upload.device_id, upload.photo_id)
        stored = self.stores.keys.get(upload.agency_id, upload.id)
        office = self.keyring.of(upload.agency_id)
        key_id = stored.key_id or upload.sealing_key_id
        return PhotoKey(name, office.open_from_phone(key_id, name.key_info, stored.wrap))


@dataclass(frozen=True)
class PhotoKey:
    """One key for the photograph as it came and for all that is made of it: destroying it forgets them together."""

    name: PhotoName
    secret: bytes

    def seal_rendition(self, size: str, jpeg: bytes) -> bytes:
        info = self._info(size)
        return aead_seal(derive(self.secret, info), jpeg, info)

    def open_rendition(self, size: str, sealed: bytes) -> bytes:
        """Raises Unsealable."""
        info = self._info(size)
        return aead_open(derive(self.secret, info), sealed, info)

    def _info(self, size: str) -> bytes:
        return b"doorstep-rendition-v1\x00" + size.encode() + b"\x00" + self.name.associated

    def __repr__(self) -> str:
        return "<photo key>"


def darkroom() -> Darkroom:
    """The running office's. Needs its application context."""
    return Darkroom(stores_of(settings()), objects(), office_keys())
