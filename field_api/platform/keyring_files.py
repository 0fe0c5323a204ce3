"""Keys by agency, read from the directory of one process; a file that was replaced is read anew within a second."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar
from uuid import UUID

from field_api.platform.key_file import read_file
from field_api.platform.keyring import DoorKeys, OfficeKeys

LOOK_S = 1.0  # how long a process goes on with keys whose file was replaced meanwhile
K = TypeVar("K")


@dataclass
class _Loaded(Generic[K]):
    keys: K
    stamp: tuple[int, int, int]
    looked_at: float


class _Keyring(ABC, Generic[K]):
    """Keys by agency, read from one directory; a file that was replaced is read anew within a second."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._loaded: dict[UUID, _Loaded[K]] = {}

    def of(self, agency_id: UUID) -> K:
        """Raises NoKeys."""
        loaded = self._loaded.get(agency_id)
        if loaded is not None and time.monotonic() - loaded.looked_at < LOOK_S:
            return loaded.keys
        return self.fresh(agency_id)

    def fresh(self, agency_id: UUID) -> K:
        """As the file stands now. Raises NoKeys; keys that were read once outlive their file."""
        path = self._directory / f"{agency_id}.json"
        loaded, stamp = self._loaded.get(agency_id), _stamp(path)
        if loaded is None or stamp not in (None, loaded.stamp):
            keys = self._make(agency_id, path)
            self._loaded[agency_id] = _Loaded(keys, stamp or (0, 0, 0), time.monotonic())
            return keys
        loaded.looked_at = time.monotonic()
        return loaded.keys

    @abstractmethod
    def _make(self, agency_id: UUID, path: Path) -> K:
        """The keys of a file. Raises NoKeys."""


def _stamp(path: Path) -> tuple[int, int, int] | None:
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return found.st_ino, found.st_mtime_ns, found.st_size


class OfficeKeyring(_Keyring[OfficeKeys]):
    """Office keys by agency, from the office's directory."""

    def _make(self, agency_id: UUID, path: Path) -> OfficeKeys:
        return OfficeKeys(agency_id, read_file(path), lambda: read_file(path))

    def agencies(self) -> list[UUID]:
        """Every agency this office holds keys for."""
        return sorted(UUID(path.stem) for path in self._directory.glob("*.json"))


class DoorKeyring(_Keyring[DoorKeys]):
    """Door keys by agency, from the door's directory."""

    def _make(self, agency_id: UUID, path: Path) -> DoorKeys:
        return DoorKeys(agency_id, read_file(path))
