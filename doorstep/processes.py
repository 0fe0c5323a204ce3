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
    children: set[int] = set()
    stopping = False

    def stop(*_: object) -> None:
        nonlocal stopping
        stopping = True
        for child in children:
            os.kill(child, signal.SIGTERM)

    for sent in (signal.SIGTERM, signal.SIGINT):
        signal.signal(sent, stop)
    for _ in range(number):
        children.add(_forked(work))
    while children:
        child, _ = os.wait()
        children.discard(child)
        if not stopping:
            time.sleep(RESTART_PAUSE_S)
        if not stopping:
            children.add(_forked(work))
        if stopping:  # told so between a fork and its note
            stop()


def _forked(work: Callable[[], None]) -> int:
    child = os.fork()
    if child:
        return child
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
