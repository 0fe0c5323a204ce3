"""Waitress, ended in order: what was asked is answered before the doors close.

Its own `close()` takes the pipe away by which threads tell the loop of an answer, so that a request under way at that
moment ends in an error of the server.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from waitress import wasyncore
from waitress.channel import HTTPChannel
from waitress.server import BaseWSGIServer, create_server

LISTEN_S = 0.5
"""So long after `stop` at most the loop looks up, where nothing else wakes it."""
FINISH_S = 5.0
"""For requests under way; a phone repeats what was not answered."""


class HttpServer:
    """A WSGI application on one or several sockets, until `stop`."""

    def __init__(self, app: Callable[..., Any], **settings: Any) -> None:
        self._map: dict[int, Any] = {}
        self._server = create_server(app, map=self._map, **settings)
        self._stopping = False

    @property
    def port(self) -> int:
        """Of the first socket: chosen by the system where 0 was asked for."""
        return int(self._listening()[0].effective_port)

    def run(self) -> None:
        """Serve until `stop`; then listen no more, finish what is under way, and close every connection."""
        while not self._stopping:
            self._turn(LISTEN_S)
        for listening in self._listening():
            wasyncore.dispatcher.close(listening)  # not its own close(): the trigger is needed until the end
        until = time.monotonic() + FINISH_S
        while any(_under_way(entry) for entry in list(self._map.values())) and time.monotonic() < until:
            self._turn(0.05)
        self._server.task_dispatcher.shutdown(timeout=FINISH_S)
        wasyncore.close_all(self._map)

    def stop(self) -> None:
        """For a signal handler: takes no lock. `run` returns once it is done."""
        self._stopping = True

    def stop_at_once(self) -> None:
        """From another thread than the one that runs it: wakes the loop."""
        self._listening()[0].trigger.pull_trigger(self.stop)

    def _listening(self) -> list[BaseWSGIServer]:
        return [entry for entry in self._map.values() if isinstance(entry, BaseWSGIServer)]

    def _turn(self, longest_s: float) -> None:
        # select() ends at 1,024 descriptors
        wasyncore.loop(timeout=longest_s, use_poll=True, map=self._map, count=1)


def _under_way(entry: object) -> bool:
    """A request handed over or an answer not yet sent; not one that is still coming in."""
    return isinstance(entry, HTTPChannel) and bool(entry.requests or entry.total_outbufs_len)


@contextmanager
def served_beside(app: Callable[..., Any], **settings: Any) -> Iterator[int]:
    """Served by a thread of its own meanwhile. Yields the port."""
    server = HttpServer(app, **settings)
    thread = threading.Thread(target=server.run, name="http", daemon=True)
    thread.start()
    try:
        yield server.port
    finally:
        server.stop_at_once()
        thread.join(3 * FINISH_S)
        if thread.is_alive():
            raise RuntimeError("the HTTP server did not end")
