"""Objects in a local directory: sealed under the agency's key, written whole or not at all, kept through power cuts."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from field_api.adapters.object_names import absent, checked, new_key, seal, unseal
from field_api.platform.durable_directories import make_directories, sync_directory
from field_api.platform.keyring_files import OfficeKeyring
from field_api.platform.store_trouble import OFFICE, store_unavailable
from field_api.platform.tenancy import current_agency


class LocalObjects:
    """`directory`/AGENCY/ab/abcd…: two hex digits spread the files, so that no directory grows without bound."""

    def __init__(self, directory: Path, keyring: OfficeKeyring) -> None:
        self._directory = directory
        self._keyring = keyring

    def put(self, body: bytes) -> str:
        key = new_key()
        sealed = seal(self._keyring.of(current_agency()), key, body)
        try:
            _write(self._path(key), sealed)
        except OSError as error:
            raise store_unavailable(OFFICE, error) from error
        return key

    def get(self, key: str) -> bytes:
        path = self._path(key)
        try:
            sealed = path.read_bytes()
        except FileNotFoundError as error:
            raise absent(key) from error
        except OSError as error:
            raise store_unavailable(OFFICE, error) from error
        return unseal(self._keyring.of(current_agency()), key, sealed)

    def delete(self, key: str) -> None:
        path = self._path(key)
        try:
            path.unlink()
            sync_directory(path.parent)
        except FileNotFoundError:
            return
        except OSError as error:
            raise store_unavailable(OFFICE, error) from error

    def _path(self, key: str) -> Path:
        return self._directory / str(current_agency()) / key[:2] / checked(key)


def _write(path: Path, sealed: bytes) -> None:
    make_directories(path.parent)
    partial = path.with_suffix(".part")
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(sealed)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
        sync_directory(path.parent)
    except OSError:
        with suppress(OSError):  # a full disk's last room, under a name that nobody is told
            partial.unlink(missing_ok=True)
            path.unlink(missing_ok=True)
        raise
