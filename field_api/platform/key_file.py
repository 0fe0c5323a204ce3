"""One file of keys: read whole, and replaced whole by one rename, by one process at a time."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from field_api.platform.durable_directories import sync_directory
from field_api.platform.keyring import NoKeys

Document = dict[str, Any]


class KeyTrouble(RuntimeError):
    """A key file or a certified answer is not what it has to be. Says what, never a key."""


def read_file(path: Path) -> Document:
    """Raises NoKeys."""
    try:
        return dict(json.loads(path.read_text()))
    except FileNotFoundError as error:
        raise NoKeys(f"no keys at {path.parent.name}/{path.name}") from error


@contextmanager
def changing(path: Path) -> Iterator[Document]:
    """The file's content; what it has become replaces it, whole, by one rename. Nobody else changes it meanwhile."""
    if not path.exists():
        raise NoKeys(f"no keys at {path.parent.name}/{path.name}")
    with os.fdopen(os.open(path.with_suffix(".lock"), os.O_WRONLY | os.O_CREAT, 0o600), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        content = read_file(path)
        before = json.dumps(content)
        yield content
        if json.dumps(content) != before:
            write_file(path, content)


def write_file(path: Path, content: Document) -> None:
    """Either the old or the new content is there after a crash, readable by nobody else."""
    waiting = path.with_suffix(".new")
    waiting.unlink(missing_ok=True)
    descriptor = os.open(waiting, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        json.dump(content, file)
        file.flush()
        os.fsync(file.fileno())
    waiting.replace(path)
    sync_directory(path.parent)
