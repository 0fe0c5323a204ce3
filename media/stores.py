"""The two stores of uploads, as door and office use them: ciphertext, and apart from it the wrapped keys."""

from __future__ import annotations

from dataclasses import dataclass

from field_api.domain.disclosure import Audience
from field_api.platform.egress import OutletKind, declare
from field_api.platform.settings import Settings
from media.photo_keys import PhotoKeys
from media.records import FORGOTTEN, Upload
from media.sealed_files import SealedFiles
from media.sealed_store import SealedStore

for _name in ("uploads", "photo-keys"):
    declare(OutletKind.OBJECT_KEY, _name, Audience.MACHINE, note="an upload's random id: stores take UUIDs, no texts")


@dataclass(frozen=True)
class Stores:
    files: SealedStore
    keys: PhotoKeys


def stores_of(settings: Settings) -> Stores:
    return Stores(sealed_store(settings), PhotoKeys(settings.photo_keys))


def sealed_store(settings: Settings) -> SealedStore:
    """A directory below DOORSTEP_HOME, or the bucket that the settings name. Keys are never in either."""
    if settings.stores.door is None:
        return SealedFiles(settings.door_objects)
    # Loaded where it is wanted alone: 7 MB of a cloud's client are nothing to a door with a directory.
    from field_api.platform.object_stores import object_store
    from field_api.platform.store_trouble import DOOR
    from media.sealed_pieces import SealedPieces

    return SealedPieces(object_store(DOOR, settings.stores.door))


def forget(stores: Stores, upload: Upload) -> None:
    """Bytes and key of an incomplete upload go, the row stays: it may be created again from nothing.

    Bytes first: a store that is away stops it while nothing is lost, and bytes without a key would be of no use.
    """
    upload.state = FORGOTTEN
    upload.fence += 1
    stores.files.delete(upload.agency_id, upload.id)
    stores.keys.destroy(upload.agency_id, upload.id)
