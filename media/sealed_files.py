"""Sealed photographs in a local directory: one file per upload, written at its end, safe when `append` returns."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import UUID

from field_api.platform.durable_directories import make_directories, sync_directory
from field_api.platform.store_trouble import DOOR, store_unavailable
from media.sealed_store import SealedAbsent as SealedAbsent
from media.sealed_store import absent

_READ_BYTES = 1024 * 1024


class SealedFiles:
    """`directory`/AGENCY/photos/ab/ID; keeps the promise of `SealedStore`."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def append(self, agency_id: UUID, upload_id: UUID, offset: int, body: bytes) -> None:
        """As the port says; what a broken write left behind is cut off."""
        path = self._path(agency_id, upload_id)
        with _disk():
            if offset == 0:
                make_directories(path.parent)
            elif not path.exists() or path.stat().st_size < offset:
                raise absent(upload_id, "earlier bytes are missing")
            _write_at(path, offset, body)
            if offset == 0:
                sync_directory(path.parent)

    def sha256(self, agency_id: UUID, upload_id: UUID) -> bytes:
        digest = hashlib.sha256()
        with _disk():
            try:
                with self._path(agency_id, upload_id).open("rb") as file:
                    while block := file.read(_READ_BYTES):
                        digest.update(block)
            except FileNotFoundError as error:
                raise absent(upload_id, "no file") from error
        return digest.digest()

    def read(self, agency_id: UUID, upload_id: UUID, max_bytes: int) -> bytes:
        with _disk():
            try:
                with self._path(agency_id, upload_id).open("rb") as file:
                    return file.read(max_bytes + 1)
            except FileNotFoundError as error:
                raise absent(upload_id, "no file") from error

    def delete(self, agency_id: UUID, upload_id: UUID) -> None:
        path = self._path(agency_id, upload_id)
        with _disk():
            try:
                path.unlink()
            except FileNotFoundError:
                return
            sync_directory(path.parent)

    def _path(self, agency_id: UUID, upload_id: UUID) -> Path:
        return self._directory / str(agency_id) / "photos" / upload_id.hex[:2] / upload_id.hex


@contextmanager
def _disk() -> Iterator[None]:
    """A full or broken disk is a store that is away."""
    try:
        yield
    except OSError as error:
        raise store_unavailable(DOOR, error) from error


def _write_at(path: Path, offset: int, body: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT, 0o600)
    try:
        os.ftruncate(descriptor, offset)
        _write_all(descriptor, body, offset)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _write_all(descriptor: int, body: bytes, offset: int) -> None:
    view = memoryview(body)
    while view:
        written = os.pwrite(descriptor, view, offset)
        view, offset = view[written:], offset + written
