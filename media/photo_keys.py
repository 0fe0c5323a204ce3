"""The key store of photographs: one small file per upload with its wrapped key, in a directory apart from all else.

Main backups leave this directory out and its own live at most 7 days, so that a destroyed key stays destroyed
(docs/photo-format.md). What lies here opens nothing by itself: each key is wrapped to the agency's sealing key.
"""

from __future__ import annotations

import os
from pathlib import Path
from uuid import UUID

from field_api.platform.durable_directories import make_directories, sync_directory


class KeyAbsent(LookupError):
    """No key of this upload: never put, or destroyed."""


class PhotoKeys:
    """`directory`/AGENCY/ab/ID, readable by this system user alone."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def put(self, agency_id: UUID, upload_id: UUID, wrap: bytes) -> None:
        """Keep the wrapped key, in place of one that an interrupted creation left. Durable when this returns."""
        path = self._path(agency_id, upload_id)
        make_directories(path.parent)
        partial = path.with_suffix(".part")
        descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(wrap)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
        sync_directory(path.parent)

    def get(self, agency_id: UUID, upload_id: UUID) -> bytes:
        """The wrapped key. Raises KeyAbsent."""
        try:
            return self._path(agency_id, upload_id).read_bytes()
        except FileNotFoundError as error:
            raise KeyAbsent("no such key") from error

    def destroy(self, agency_id: UUID, upload_id: UUID) -> None:
        """Overwrite, sync, unlink, sync: gone when this returns. An absent key is no error.

        A copying file system or flash may keep old blocks: the wrap in them still needs the agency's sealing key.
        """
        path = self._path(agency_id, upload_id)
        try:
            descriptor = os.open(path, os.O_WRONLY)
        except FileNotFoundError:
            return
        try:
            os.pwrite(descriptor, os.urandom(os.fstat(descriptor).st_size), 0)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        path.unlink(missing_ok=True)
        sync_directory(path.parent)

    def _path(self, agency_id: UUID, upload_id: UUID) -> Path:
        return self._directory / str(agency_id) / upload_id.hex[:2] / upload_id.hex
