"""The two stores of uploads, as door and office use them: ciphertext, and apart from it the wrapped keys."""

from __future__ import annotations

from dataclasses import dataclass

from field_api.domain.disclosure import Audience
from field_api.platform.egress import OutletKind, declare
from field_api.platform.settings import Settings
from media.photo_keys import PhotoKeys
from media.records import FORGOTTEN, Upload
from media.sealed_files import SealedFiles

for _name in ("uploads", "photo-keys"):
    declare(OutletKind.OBJECT_KEY, _name, Audience.MACHINE, note="an upload's random id: stores take UUIDs, no texts")


@dataclass(frozen=True)
class Stores:
    files: SealedFiles
    keys: PhotoKeys


def stores_of(settings: Settings) -> Stores:
    return Stores(SealedFiles(settings.door_objects), PhotoKeys(settings.photo_keys))


def forget(stores: Stores, upload: Upload) -> None:
    """Bytes and key of an incomplete upload go, the row stays: it may be created again from nothing."""
    upload.state = FORGOTTEN
    upload.fence += 1
    stores.keys.destroy(upload.agency_id, upload.id)
    stores.files.delete(upload.agency_id, upload.id)
