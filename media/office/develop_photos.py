"""Develop several photographs of an agency: while one is settled in the database, the next is decoded already.

Claims and settlements stay in order and in one thread, so each photograph's hints know those before it; opening,
decoding, sealing and storing run beside them, two photographs at a time.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack
from contextvars import copy_context
from datetime import datetime
from uuid import UUID

from media.office.darkroom import Darkroom
from media.office.develop_photo import Kept, claimed, outcome_of, settled

IN_FLIGHT = 2  # one decodes while another waits for the disk or the database; each may take a sandbox's memory


def develop_photos(
    agency_id: UUID,
    photo_ids: Iterable[UUID],
    now: datetime,
    room: Darkroom,
    over_one: Callable[[], AbstractContextManager[None]],
) -> int:
    """How many were settled. `over_one` stands around the work on each and may swallow its errors; what it lets through
    is raised when those in flight are settled, too."""
    with ThreadPoolExecutor(IN_FLIGHT, thread_name_prefix="develop") as threads, ExitStack() as at_last:
        flight = _Flight(agency_id, now, room, over_one, threads)
        for _ in range(IN_FLIGHT):
            at_last.callback(flight.settle_oldest)
        for photo_id in photo_ids:
            flight.begin(photo_id)
            if len(flight.begun) == IN_FLIGHT:
                flight.settle_oldest()
    return flight.done


class _Flight:
    def __init__(
        self,
        agency_id: UUID,
        now: datetime,
        room: Darkroom,
        over_one: Callable[[], AbstractContextManager[None]],
        threads: ThreadPoolExecutor,
    ) -> None:
        self._agency_id, self._now, self._room, self._over_one = agency_id, now, room, over_one
        self._threads = threads
        self.begun: deque[tuple[UUID, Future[Kept | str]]] = deque()
        self.done = 0

    def begin(self, photo_id: UUID) -> None:
        upload = claimed(self._agency_id, photo_id, self._now)
        if upload is not None:
            # With what this work has declared: its audience, its application.
            begun = self._threads.submit(copy_context().run, outcome_of, self._room, upload)
            self.begun.append((photo_id, begun))

    def settle_oldest(self) -> None:
        if self.begun:
            photo_id, begun = self.begun.popleft()
            with self._over_one():
                settled(self._agency_id, photo_id, begun.result, self._now, self._room)
                self.done += 1
