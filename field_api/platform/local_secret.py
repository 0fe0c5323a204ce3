"""Secrets that one machine makes for itself, such as the key that signs session cookies."""

from __future__ import annotations

import os
import secrets
from contextlib import suppress
from pathlib import Path


def local_secret(path: Path) -> str:
    """The 256-bit secret in `path`, made on first use, readable by its owner alone. Several processes get the same."""
    with suppress(FileNotFoundError):
        return path.read_text().strip()
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    candidate = path.with_name(f"{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    descriptor = os.open(candidate, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(secrets.token_hex(32))
        file.flush()
        os.fsync(file.fileno())
    # A link is all or nothing: whoever is first wins, nobody reads half a secret.
    with suppress(FileExistsError):
        os.link(candidate, path)
    candidate.unlink()
    return path.read_text().strip()
