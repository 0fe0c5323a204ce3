"""Sealed photographs in a cloud's store, which cannot append: each body an object of its own, named by its offset.

What counts is the chain: the object at 0, the one at its end, and so on. An object is there whole or not at all, and is
there for good when the store has answered. A body that was stored and whose offset was not committed is overwritten
when it comes again, or taken away by the next append; so nothing has to be undone after a crash. When there are many
pieces they become one at offset 0: as soon as that is stored, the chain goes past the others, which may go at leisure.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from uuid import UUID

from field_api.platform.object_stores import NoObject, ObjectStore
from media.sealed_store import absent

MANY = 64
"""Twelve MiB come in 48 bodies of 256 KiB; who sends smaller ones makes this machine write them again."""
AT_ONCE = 8
"""Each request waits for the store: a photograph of 48 pieces is read in six waits."""


class SealedPieces:
    """AGENCY/photos/ab/ID/OFFSET below the store's prefix; keeps the promise of `SealedStore`."""

    def __init__(self, store: ObjectStore) -> None:
        self._store = store

    def append(self, agency_id: UUID, upload_id: UUID, offset: int, body: bytes) -> None:
        below = _below(agency_id, upload_id)
        sizes = self._sizes(below)
        pieces = _chain(sizes, offset)
        if sum(pieces.values()) != offset:
            raise absent(upload_id, "earlier bytes are missing")
        self._store.delete([_piece(below, beyond) for beyond in sizes if beyond > offset])
        if len(pieces) >= MANY:
            self._compose(upload_id, below, pieces)
        self._store.put(_piece(below, offset), body)

    def sha256(self, agency_id: UUID, upload_id: UUID) -> bytes:
        digest = hashlib.sha256()
        for body in self._bodies(agency_id, upload_id):
            digest.update(body)
        return digest.digest()

    def read(self, agency_id: UUID, upload_id: UUID, max_bytes: int) -> bytes:
        read = bytearray()
        for body in self._bodies(agency_id, upload_id, max_bytes + 1):
            read += body
        return bytes(read[: max_bytes + 1])

    def delete(self, agency_id: UUID, upload_id: UUID) -> None:
        self._store.delete_below(_below(agency_id, upload_id))

    def uploads(self) -> Iterator[tuple[UUID, UUID]]:
        """Agency and id of everything that is here, each once: for a backup."""
        seen: set[tuple[UUID, UUID]] = set()
        for path in self._store.paths():
            agency, _, _, upload, _ = path.split("/")
            found = UUID(agency), UUID(upload)
            if found not in seen:
                seen.add(found)
                yield found

    def _bodies(self, agency_id: UUID, upload_id: UUID, end: int | None = None) -> Iterator[bytes]:
        """Of the chain, in order, until `end` is reached. Raises SealedAbsent."""
        below = _below(agency_id, upload_id)
        pieces = _chain(self._sizes(below), end)
        if not pieces:
            raise absent(upload_id, "no pieces")
        yield from self._together(upload_id, below, pieces)

    def _together(self, upload_id: UUID, below: str, pieces: dict[int, int]) -> Iterator[bytes]:
        pool = ThreadPoolExecutor(AT_ONCE)
        try:
            # Each call in a context of its own, so that trouble is counted where the running application counts.
            calls = [pool.submit(copy_context().run, self._store.get, _piece(below, offset)) for offset in pieces]
            yield from (call.result() for call in calls)
        except NoObject as error:  # deleted since it was listed
            raise absent(upload_id, "a piece is missing") from error
        finally:
            pool.shutdown(cancel_futures=True)  # one that fails: the others need not be waited for

    def _sizes(self, below: str) -> dict[int, int]:
        """Offset -> size in bytes of all that is there."""
        return {int(path.rpartition("/")[2]): size for path, size in self._store.sizes(below).items()}

    def _compose(self, upload_id: UUID, below: str, pieces: dict[int, int]) -> None:
        self._store.put(_piece(below, 0), b"".join(self._together(upload_id, below, pieces)))
        self._store.delete([_piece(below, offset) for offset in pieces if offset])


def _chain(sizes: dict[int, int], end: int | None) -> dict[int, int]:
    """What counts of it, in order, as far as `end`."""
    chain: dict[int, int] = {}
    at = 0
    while sizes.get(at) and (end is None or at < end):
        chain[at] = sizes[at]
        at += sizes[at]
    return chain


def _below(agency_id: UUID, upload_id: UUID) -> str:
    return f"{agency_id}/photos/{upload_id.hex[:2]}/{upload_id.hex}"


def _piece(below: str, offset: int) -> str:
    return f"{below}/{offset:012d}"
