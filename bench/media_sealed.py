"""Photographs that wait for the worker, sealed in the store and with their rows; and away with them."""

from __future__ import annotations

import os
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from itertools import cycle
from uuid import UUID

from sqlalchemy import select, update

from bench.sync import Bench
from bench.sync_phones import BenchPhone
from field_api.platform import sealing
from field_api.platform.database import transaction
from field_api.platform.ids import new_id
from media.door.uploads import upload_id_of
from media.office.records import Photo
from media.records import COMPLETE, Upload
from media.sealed_photo import PhotoName, seal_photo
from media.stores import stores_of


def store(bench: Bench, phones: list[BenchPhone], files: Iterable[bytes]) -> None:
    """As if phones had uploaded them and operations declared them with a permission."""
    stores, now = stores_of(bench.settings), datetime.now(UTC)
    with bench.app.app_context(), transaction(bench.agency) as session:
        for phone, data in zip(cycle(phones), files):
            device, photo_id, key = UUID(phone.device), new_id(), os.urandom(32)
            name = PhotoName(bench.agency, device, photo_id)
            sealed = seal_photo(key, name, "image/jpeg", data)
            wrap, digest = sealing.seal_to(phone.sealing_public, name.key_info, key), sealing.sha256(sealed)
            upload_id = upload_id_of(device, digest)
            stores.files.append(bench.agency, upload_id, 0, sealed)
            stores.keys.put(bench.agency, upload_id, wrap)
            size = {"length_bytes": len(sealed), "received_bytes": len(sealed)}
            times = {"created_at": now, "completed_at": now, "taken_at": now, "expires_at": now + timedelta(days=7)}
            session.add(Upload(
                id=upload_id, device_id=device, photo_id=photo_id, sha256=digest, wrap_sha256=sealing.sha256(wrap),
                sealing_key_id=sealing.key_id_of(phone.sealing_public), state=COMPLETE, **size, **times,
            ))  # fmt: skip
            session.add(Photo(
                visit_id=UUID(phone.visits[0]), op_id=photo_id, device_id=device, upload_id=upload_id, sha256=digest,
                subject="facade", received_at=now, latitude=19.4, longitude=-99.1, accuracy_m=8.0, captured_at=now,
            ))  # fmt: skip


def forget(bench: Bench, number: int) -> None:
    """Free the disk, and take the hashes out: real photographs are not the same eight again and again."""
    stores = stores_of(bench.settings)
    with bench.app.app_context(), transaction(bench.agency) as session:
        photos = session.scalars(select(Photo).where(Photo.dhash.is_not(None))).all()
        if len(photos) != number or any(photo.state != "developed" or not photo.width for photo in photos):
            raise RuntimeError("not all were developed")
        for photo in photos:
            for key in (photo.large_key, photo.small_key):
                bench.app.extensions["doorstep.objects"].delete(key or "")
            stores.files.delete(bench.agency, photo.upload_id)
        session.execute(update(Photo).values(dhash=None))
