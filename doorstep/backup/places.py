"""Directories that appear whole or not at all: written beside their place, synced, and renamed at the end."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from field_api.platform.crash import StartRefused
from field_api.platform.durable_directories import make_directories, sync_directory

STAGED = ".partial-"
_BLOCK_BYTES = 1024 * 1024


class BackupTrouble(StartRefused):
    """The backup or the restore cannot be done, or is not what it must be; the text says what to do."""


@dataclass(frozen=True)
class SavedFile:
    """A file of a backup: its path below the backup's directory, its size and hash."""

    path: str
    size_bytes: int
    sha256: bytes


@contextmanager
def alone_in(directory: Path) -> Iterator[None]:
    """Nobody else backs up to this directory meanwhile; what a killed one left half-written is taken away."""
    make_directories(directory)
    with (directory / ".doorstep.lock").open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise BackupTrouble(f"{directory}: another backup is being written here") from error
        for left in directory.glob(f"{STAGED}*"):
            shutil.rmtree(left)
        yield


@contextmanager
def appearing(place: Path) -> Iterator[Path]:
    """A directory to write into; it gets its name when the block ends well. Raises BackupTrouble."""
    if place.exists():
        raise BackupTrouble(f"{place} is there already")
    make_directories(place.parent)
    staged = place.parent / f"{STAGED}{place.name}"
    staged.mkdir(mode=0o700)
    try:
        yield staged
        for directory, _, _ in os.walk(staged):
            sync_directory(Path(directory))
        staged.rename(place)
        sync_directory(place.parent)
    except BaseException:
        shutil.rmtree(staged, ignore_errors=True)
        raise


def write_file(path: Path, data: bytes) -> None:
    """A new file of this user alone, synced."""
    make_directories(path.parent)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def copy_tree(source: Path, target: Path) -> None:
    """Every finished file below `source`, synced. What vanishes meanwhile was destroyed, and is left out."""
    for path in sorted(source.rglob("*")) if source.exists() else ():
        if path.suffix == ".part" or path.is_symlink() or not path.is_file():
            continue
        goal = target / path.relative_to(source)
        make_directories(goal.parent)
        try:
            while not _copied_as_it_stands(path, goal):
                goal.unlink()
        except FileNotFoundError:
            goal.unlink(missing_ok=True)
    for directory, _, _ in os.walk(target):
        sync_directory(Path(directory))


def _copied_as_it_stands(path: Path, goal: Path) -> bool:
    """False where another file took its place meanwhile: the bytes of a wrapped key that is sealed anew are noise then.
    Raises FileNotFoundError."""
    with path.open("rb") as reader:
        _copy(reader.fileno(), goal)
        return os.path.samestat(os.fstat(reader.fileno()), path.stat())


def _copy(source: int, goal: Path) -> None:
    target = os.open(goal, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        while block := os.read(source, _BLOCK_BYTES):
            view = memoryview(block)
            while view:
                view = view[os.write(target, view) :]
        os.fsync(target)
    finally:
        os.close(target)


def saved_files(directory: Path, *, but: frozenset[str] = frozenset()) -> list[SavedFile]:
    """Every file below `directory` with its hash, read from the disk, by path."""
    found = []
    for path in sorted(directory.rglob("*")):
        name = path.relative_to(directory).as_posix()
        if path.is_file() and name not in but:
            with path.open("rb") as file:
                digest = hashlib.file_digest(file, "sha256").digest()
            found.append(SavedFile(name, path.stat().st_size, digest))
    return found
