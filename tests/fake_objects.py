"""Objects in memory, keeping the port's promise: for tests that are not about disks."""

from __future__ import annotations

import secrets
from uuid import UUID

from field_api.domain.ports import ObjectAbsent
from field_api.platform.tenancy import current_agency


class MemoryObjects:
    def __init__(self) -> None:
        self._kept: dict[tuple[UUID, str], bytes] = {}

    def put(self, body: bytes) -> str:
        key = secrets.token_hex(16)
        self._kept[current_agency(), key] = bytes(body)
        return key

    def get(self, key: str) -> bytes:
        try:
            return self._kept[current_agency(), key]
        except KeyError as error:
            raise ObjectAbsent("no such object") from error

    def delete(self, key: str) -> None:
        self._kept.pop((current_agency(), key), None)
