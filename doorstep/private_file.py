"""Files with letters in them: for their owner alone, whole or not there."""

from __future__ import annotations

import os
from pathlib import Path


def write_private(path: Path, body: bytes) -> None:
    """Put `body` at `path` with mode 0600, also where a file or a link is that others may read."""
    part = path.with_name(path.name + ".part")
    part.unlink(missing_ok=True)
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(body)
    part.replace(path)
