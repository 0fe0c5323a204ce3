"""Where sealed photographs lie as they came: one file per upload, written at its end, safe when `append` returns."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from uuid import UUID

from field_api.platform.durable_directories import make_directories, sync_directory

_READ_BYTES = 1024 * 1024


class SealedAbsent(LookupError):
    """There is no file of this upload, or it is shorter than the database says."""


class SealedFiles:
    """`directory`/AGENCY/ab/ID. Callers hold the upload's row lock while they write: one writer at a time."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def append(self, agency_id: UUID, upload_id: UUID, offset: int, body: bytes) -> None:
        """Put `body` at `offset` and end the file there; whatever a broken write left behind is cut off.

        When this returns, the bytes survive a power cut. Raises SealedAbsent where earlier bytes are missing, OSError
        where the disk refuses: then the bytes before `offset` are as they were.
        """
        path = self._path(agency_id, upload_id)
        if offset == 0:
            make_directories(path.parent)
        elif not path.exists() or path.stat().st_size < offset:
            raise SealedAbsent("earlier bytes are missing")
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT, 0o600)
        try:
            os.ftruncate(descriptor, offset)
            _write_all(descriptor, body, offset)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        if offset == 0:
            sync_directory(path.parent)

    def sha256(self, agency_id: UUID, upload_id: UUID) -> bytes:
        """The hash of all that is there. Raises SealedAbsent."""
        digest = hashlib.sha256()
        try:
            with self._path(agency_id, upload_id).open("rb") as file:
                while block := file.read(_READ_BYTES):
                    digest.update(block)
        except FileNotFoundError as error:
            raise SealedAbsent("no file") from error
        return digest.digest()

    def read(self, agency_id: UUID, upload_id: UUID, max_bytes: int) -> bytes:
        """The whole file, or its first `max_bytes` + 1 bytes. Raises SealedAbsent."""
        try:
            with self._path(agency_id, upload_id).open("rb") as file:
                return file.read(max_bytes + 1)
        except FileNotFoundError as error:
            raise SealedAbsent("no file") from error

    def delete(self, agency_id: UUID, upload_id: UUID) -> None:
        """Forget the file; an absent one is no error."""
        path = self._path(agency_id, upload_id)
        if path.exists():
            path.unlink(missing_ok=True)
            sync_directory(path.parent)

    def _path(self, agency_id: UUID, upload_id: UUID) -> Path:
        return self._directory / str(agency_id) / "photos" / upload_id.hex[:2] / upload_id.hex


def _write_all(descriptor: int, body: bytes, offset: int) -> None:
    view = memoryview(body)
    while view:
        written = os.pwrite(descriptor, view, offset)
        view, offset = view[written:], offset + written
