"""Objects in a local directory: sealed under the agency's key, written whole or not at all, kept through power cuts."""

from __future__ import annotations

import os
import re
import secrets
from pathlib import Path

from field_api.domain.disclosure import Audience, Label
from field_api.domain.ports import ObjectAbsent
from field_api.platform.durable_directories import make_directories, sync_directory
from field_api.platform.egress import Closed, EgressRefused, OutletKind, declare, passed
from field_api.platform.keyring_files import OfficeKeyring
from field_api.platform.tenancy import current_agency

_KEY = re.compile(r"[0-9a-f]{32}")
OBJECT_KEYS = declare(
    OutletKind.OBJECT_KEY,
    "office",
    Audience.MACHINE,
    shape=Closed(Label.INTERNAL, _KEY),
    note="32 random hex digits: neither name nor order nor time of anything",
)


class LocalObjects:
    """`directory`/AGENCY/ab/abcd…: two hex digits spread the files, so that no directory grows without bound."""

    def __init__(self, directory: Path, keyring: OfficeKeyring) -> None:
        self._directory = directory
        self._keyring = keyring

    def put(self, body: bytes) -> str:
        key = secrets.token_hex(16)
        # The key is bound into the seal: one object's bytes moved to another's place do not open.
        _write(self._path(key), self._keyring.of(current_agency()).seal_at_rest(_place(key), body))
        return key

    def get(self, key: str) -> bytes:
        try:
            sealed = self._path(key).read_bytes()
        except FileNotFoundError as error:
            raise ObjectAbsent("no such object") from error
        return self._keyring.of(current_agency()).open_at_rest(_place(key), sealed)

    def delete(self, key: str) -> None:
        path = self._path(key)
        if path.exists():
            path.unlink(missing_ok=True)
            sync_directory(path.parent)

    def _path(self, key: str) -> Path:
        try:
            passed(OBJECT_KEYS, key)
        except EgressRefused as error:
            raise ObjectAbsent("no such object") from error  # nothing else reaches the disk, as a file's name
        return self._directory / str(current_agency()) / key[:2] / key


def _place(key: str) -> str:
    return f"object:{key}"


def _write(path: Path, sealed: bytes) -> None:
    make_directories(path.parent)
    partial = path.with_suffix(".part")
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(sealed)
        file.flush()
        os.fsync(file.fileno())
    partial.replace(path)
    sync_directory(path.parent)
