"""Work ahead in a thread: the next items are made while the present one waits for the database."""

from __future__ import annotations

import threading
from collections.abc import Generator, Iterable
from queue import SimpleQueue
from typing import TypeVar

T = TypeVar("T")


def ahead(items: Iterable[T], depth: int = 1) -> Generator[T]:
    """The same items in the same order, up to `depth` of them made in advance by a thread; errors come through.

    Closing it waits for the item being made and makes no further one: then `items` is at rest and may be closed.
    """
    room = threading.Semaphore(depth)
    stopped = threading.Event()
    made: SimpleQueue[tuple[T, ...] | BaseException] = SimpleQueue()

    def work() -> None:
        try:
            source = iter(items)
            while room.acquire() and not stopped.is_set():
                made.put((next(source),))
        except StopIteration:
            made.put(())
        except BaseException as error:  # noqa: BLE001 - whatever it is, it is raised where the items are used
            made.put(error)

    worker = threading.Thread(target=work, name="ahead", daemon=True)
    worker.start()
    try:
        while item := made.get():
            if isinstance(item, BaseException):
                raise item
            yield item[0]
            room.release()
    finally:
        stopped.set()
        room.release()
        worker.join()
