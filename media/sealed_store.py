"""The port to where sealed photographs lie as they came; `SealedFiles` and `SealedPieces` keep its promise."""

from __future__ import annotations

from typing import Protocol
from uuid import UUID

from field_api.platform.store_trouble import DOOR, MISSING, note_flaw


class SealedAbsent(LookupError):
    """There is nothing of this upload, or less than the database says."""


class SealedStore(Protocol):
    """One run of bytes per upload, written at its end. Callers hold the upload's row lock while they write: one writer
    at a time. Every verb raises StoreUnavailable where the store is away or full: then nothing has changed that counts.
    """

    def append(self, agency_id: UUID, upload_id: UUID, offset: int, body: bytes) -> None:
        """Put `body` at `offset` and end the upload there; whatever a broken write left behind counts no more.

        When this returns, the bytes survive a power cut. Raises SealedAbsent where earlier bytes are missing.
        """
        ...

    def sha256(self, agency_id: UUID, upload_id: UUID) -> bytes:
        """The hash of all that is there. Raises SealedAbsent."""
        ...

    def read(self, agency_id: UUID, upload_id: UUID, max_bytes: int) -> bytes:
        """All that is there, or its first `max_bytes` + 1 bytes. Raises SealedAbsent."""
        ...

    def delete(self, agency_id: UUID, upload_id: UUID) -> None:
        """Forget the upload's bytes, also those that never counted; absent ones are no error."""
        ...


def absent(upload_id: UUID, why: str) -> SealedAbsent:
    """To raise; noted, since a row refers to these bytes."""
    note_flaw(DOOR, MISSING, str(upload_id))
    return SealedAbsent(why)
