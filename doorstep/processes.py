"""Several processes behind one port: Python serves with one core each, and signatures are what a phone door works on.

Each binds the port itself (SO_REUSEPORT), so the kernel deals connections out, and a process that dies takes only its
own with it; phones send again.
"""

from __future__ import annotations

import os
import signal
import socket
import sys
import time
from collections.abc import Callable

RESTART_PAUSE_S = 1.0

_own_number = 0


def own_number() -> int:
    """Which of the port's processes this is, from 0; one that takes a dead one's place takes its number as well."""
    return _own_number


def shared_socket(host: str, port: int) -> socket.socket:
    """A bound socket whose port other processes of this user may bind as well. Raises OSError."""
    family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    bound = socket.socket(family, kind, protocol)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        bound.bind(address)
    except OSError:
        bound.close()
        raise
    return bound


def run_processes(number: int, work: Callable[[], None]) -> None:
    """Run `work` in so many forks until SIGTERM or SIGINT; start again what ends by itself. Call before any thread."""
    children: dict[int, int] = {}
    stopping = False

    def stop(*_: object) -> None:
        nonlocal stopping
        stopping = True
        for child in children:
            os.kill(child, signal.SIGTERM)

    for sent in (signal.SIGTERM, signal.SIGINT):
        signal.signal(sent, stop)
    for place in range(number):
        children[_forked(work, place)] = place
    while children:
        child, _ = os.wait()
        place = children.pop(child, 0)
        if not stopping:
            time.sleep(RESTART_PAUSE_S)
        if not stopping:
            children[_forked(work, place)] = place
        if stopping:  # told so between a fork and its note
            stop()


def _forked(work: Callable[[], None], number: int) -> int:
    global _own_number
    child = os.fork()
    if child:
        return child
    _own_number = number
    status = 1
    try:
        for sent in (signal.SIGTERM, signal.SIGINT):
            signal.signal(sent, signal.SIG_DFL)
        work()
        status = 0
    except BaseException:
        sys.excepthook(*sys.exc_info())
        raise
    finally:
        os._exit(status)
