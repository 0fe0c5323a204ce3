"""The first keys of an agency: its root, and one of each role that the root certifies."""

from __future__ import annotations

import json
import os
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from field_api.platform import sealing
from field_api.platform.certificates import certify
from field_api.platform.sealing import b64u


def create_agency_keys(home: Path, agency_id: UUID, now: datetime) -> None:
    """Make root, office and door keys of a new agency below `home`/keys. Raises FileExistsError if there are any."""
    root, signing, opening, door = (sealing.new_private_key() for _ in range(4))

    def entry(role: str, private: bytes) -> dict[str, str]:
        certificate = certify(root, agency_id, role, sealing.public_key_of(private), now)
        return {"kid": certificate.key_id, "private": b64u(private), **certificate.wire()}

    door_entry = entry("door", door)
    office = {
        "root_public": b64u(sealing.public_key_of(root)),
        "signing": entry("office", signing),
        "sealing": [entry("sealing", opening)],
        "door": {name: door_entry[name] for name in ("cert", "sig")},  # the public half: phones get it at enrolment
        "column": b64u(os.urandom(32)),
    }
    _write(home / "keys" / "root" / f"{agency_id}.json", {"private": b64u(root)})
    _write(home / "keys" / "office" / f"{agency_id}.json", office)
    _write(home / "keys" / "door" / f"{agency_id}.json", door_entry)


def _write(path: Path, content: dict[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        json.dump(content, file)
        file.flush()
        os.fsync(file.fileno())
