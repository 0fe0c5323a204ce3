"""The key store of photographs: one small file per upload with its wrapped key, in a directory apart from all else.

Main backups leave this directory out and its own live at most 7 days, so that a destroyed key stays destroyed
(docs/photo-format.md). What lies here opens nothing by itself: each key is wrapped to a sealing key of the agency.

A file is the wrap as its phone sent it, or, once the office has sealed the key to a newer sealing key, MARK, the id of
that key and the new wrap: it says itself what opens it, so that a crash between file and row mixes nothing up.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import structlog

from field_api.platform.durable_directories import make_directories, sync_directory
from field_api.platform.store_trouble import StoreUnavailable

MARK = b"DSWRAP\x00\x01"  # a wrap as phones send it begins with 04, the form of its public point
KEY_ID_BYTES = 8
PARTIAL, REPLACED = ".part", ".old.part"
"""What is not in its place yet, and what is so no more. Backups leave out whatever ends in `.part`."""


log = structlog.get_logger()


class KeyAbsent(LookupError):
    """No key of this upload: never put, or destroyed."""


class KeyHeld(StoreUnavailable):
    """A key's file cannot be read or written: whoever was to destroy it has not."""


@dataclass(frozen=True)
class StoredWrap:
    """A wrapped key. `key_id`: the sealing key that it was sealed to again; None: as its phone sent it."""

    wrap: bytes
    key_id: str | None = None


class PhotoKeys:
    """`directory`/AGENCY/ab/ID, readable by this system user alone. Whoever writes holds the upload's row lock.

    Needs a file system with hard links: what is replaced keeps a second name until it is overwritten. `get`, `replace`
    and `destroy` raise KeyHeld for a file that cannot be read or written: somebody else's, a broken disk's.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def put(self, agency_id: UUID, upload_id: UUID, wrap: bytes) -> None:
        """Keep the wrapped key, in place of one that an interrupted creation left. Durable when this returns."""
        path = self._path(agency_id, upload_id)
        make_directories(path.parent)
        _write_partial(path, wrap).replace(path)
        sync_directory(path.parent)

    def get(self, agency_id: UUID, upload_id: UUID) -> StoredWrap:
        """The wrapped key. Raises KeyAbsent."""
        with _disk():
            return _read_wrap(_read_standing(self._path(agency_id, upload_id)))

    def replace(self, agency_id: UUID, upload_id: UUID, key_id: str, wrap: bytes) -> None:
        """Put a wrap that was sealed to the key `key_id` in the place of the one that is there; overwrite that one.

        At every moment one whole wrap stands in the place. After a crash in between, `replace` or `clear_leftovers`
        overwrites what is left. Durable when this returns. Raises KeyAbsent, and puts nothing where nothing was.
        """
        path = self._path(agency_id, upload_id)
        self.clear_leftovers(agency_id, upload_id)
        old = path.with_suffix(REPLACED)
        with _disk():
            try:
                os.link(path, old)  # a second name: the old one's bytes can be found until they are overwritten
            except FileNotFoundError as error:
                raise KeyAbsent("no such key") from error
            _write_partial(path, MARK + bytes.fromhex(key_id) + wrap).replace(path)
            sync_directory(path.parent)  # before the old one goes: a power cut must not bring its name back empty
            shred(old)
            sync_directory(path.parent)

    def clear_leftovers(self, agency_id: UUID, upload_id: UUID) -> None:
        """Overwrite and unlink what an interrupted `put` or `replace` left beside the key."""
        path = self._path(agency_id, upload_id)
        old = path.with_suffix(REPLACED)
        with _disk():
            if old.exists() and path.exists() and old.samefile(path):
                old.unlink()  # the crash came before the new one was in its place: these bytes are still needed
            found = [shred(left) for left in (path.with_suffix(PARTIAL), old)]
            if any(found):
                sync_directory(path.parent)

    def destroy(self, agency_id: UUID, upload_id: UUID) -> bool:
        """Overwrite, sync, unlink, sync, leftovers included: gone when this returns. Whether there was anything.

        A copying file system or flash may keep old blocks: the wrap in them still needs the agency's sealing key.
        """
        path = self._path(agency_id, upload_id)
        with _disk():
            found = [shred(each) for each in (path, path.with_suffix(PARTIAL), path.with_suffix(REPLACED))]
            if any(found):
                sync_directory(path.parent)
        return any(found)

    def folders(self, agency_id: UUID) -> Iterator[Path]:
        """The directories that hold the agency's keys: 256 at most."""
        try:
            entries = sorted(os.scandir(self._directory / str(agency_id)), key=lambda entry: entry.name)
        except FileNotFoundError:
            return
        yield from (Path(entry.path) for entry in entries if entry.is_dir(follow_symlinks=False))

    def in_folder(self, folder: Path) -> set[UUID]:
        """Uploads of which a key, or what is left of one, lies in this directory."""
        names = {entry.name.partition(".")[0] for entry in os.scandir(folder) if entry.is_file(follow_symlinks=False)}
        return {UUID(name) for name in names if _is_hex(name) and name[:2] == folder.name}

    def _path(self, agency_id: UUID, upload_id: UUID) -> Path:
        return self._directory / str(agency_id) / upload_id.hex[:2] / upload_id.hex


@contextmanager
def _disk() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        log.error("store-unavailable", store="photo-keys", error=type(error).__name__)
        raise KeyHeld from error


def _is_hex(name: str) -> bool:
    return len(name) == 32 and set(name) <= set("0123456789abcdef")


def _write_partial(path: Path, content: bytes) -> Path:
    """Beside its place, synced."""
    partial = path.with_suffix(PARTIAL)
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    return partial


def _read_standing(path: Path) -> bytes:
    """The bytes of the file that stands in its place while they are read: one that was replaced meanwhile may have been
    overwritten already, so its successor is read."""
    try:
        while True:
            with path.open("rb") as file:
                content = file.read()
                if os.path.samestat(os.fstat(file.fileno()), path.stat()):
                    return content
    except FileNotFoundError as error:
        raise KeyAbsent("no such key") from error


def _read_wrap(content: bytes) -> StoredWrap:
    if not content.startswith(MARK):
        return StoredWrap(content)
    ends = len(MARK) + KEY_ID_BYTES
    return StoredWrap(content[ends:], content[len(MARK) : ends].hex())


def shred(path: Path) -> bool:
    """Overwrite with noise, sync, unlink; False where there is no such file. The caller syncs the directory."""
    try:
        descriptor = os.open(path, os.O_WRONLY)
    except FileNotFoundError:
        return False
    try:
        os.pwrite(descriptor, os.urandom(os.fstat(descriptor).st_size), 0)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    path.unlink(missing_ok=True)
    return True
