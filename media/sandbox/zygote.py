"""The process from which each picture's own process is copied: decoders are loaded once, a picture costs one fork.

It is started clean (no environment of ours, directory `/`, no descriptor but its socket), has one thread, and never
sees a byte of a picture: the worker hands it two pipes by SCM_RIGHTS, it copies itself, and the copy alone reads, under
limits and system calls of its own. So one picture cannot touch the next. The worker gets a pidfd of the copy, to end it
with, and at the end its status and what it used. Who is gone takes the rest along: the zygote ends when its worker
hangs up, the copy when the zygote ends.

Why not the standard library's `multiprocessing` fork server: it keeps its parent's environment, directory and
interpreter options, starts a resource tracker beside it and leaves that one's pipe open in every copy, has each copy
unpickle its work together with the parent's path, arguments and authentication key and import the parent's main
module, and lets the parent end a copy by its number alone, which may be another process's by then.
"""

from __future__ import annotations

import gc
import os
import resource
import select
import signal
import socket
import struct
from collections.abc import Callable
from pathlib import Path

from field_api.platform.system_calls import die_with_parent

BEGIN, BEGUN = b"picture", b"begun"
ENDED = struct.Struct("<idq")
"""Exit status (a signal's number below zero), seconds of CPU time, bytes of memory at most."""


def serve(work: Callable[[], object]) -> None:
    """Run `work` in a process of its own for each pair of pipes (its standard input and output) that comes by the
    socket at descriptor 0. Returns when the worker has hung up."""
    if len(list(Path("/proc/self/task").iterdir())) != 1:
        raise RuntimeError("a second thread's locks would be copied as they happen to stand")
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_IGN)  # a stop meant for all: the worker still finishes its picture
    gc.freeze()  # what is loaded stays: a collection in a copy would touch, and so copy, each page of it
    with socket.socket(fileno=0) as worker:
        while pipes := _pipes(worker):
            if not _run(worker, pipes, work):
                return


def _pipes(worker: socket.socket) -> list[int]:
    _, descriptors, _, _ = socket.recv_fds(worker, len(BEGIN), 2)
    return descriptors


def _run(worker: socket.socket, pipes: list[int], work: Callable[[], object]) -> bool:
    """Whether the worker still was there at the end."""
    own = os.getpid()
    child = os.fork()
    if child == 0:
        _be_the_copy(own, pipes, work)
    for pipe in pipes:
        os.close(pipe)
    watched = os.pidfd_open(child)
    try:
        socket.send_fds(worker, [BEGUN], [watched])
        there = _wait(worker, watched)
        if not there:
            signal.pidfd_send_signal(watched, signal.SIGKILL)
    finally:
        os.close(watched)
    _, status, used = os.wait4(child, 0)
    if there:
        seconds = used.ru_utime + used.ru_stime
        worker.send(ENDED.pack(os.waitstatus_to_exitcode(status), seconds, used.ru_maxrss * 1024))
    return there


def _wait(worker: socket.socket, watched: int) -> bool:
    """Until the copy has ended: True. Or the worker hung up before: it says nothing while a picture is in work."""
    waiting = select.poll()
    waiting.register(watched, select.POLLIN)
    waiting.register(worker, select.POLLIN)
    return watched in {descriptor for descriptor, _ in waiting.poll()}


def _be_the_copy(parent: int, pipes: list[int], work: Callable[[], object]) -> None:
    """Does not return. What goes wrong is told by the status alone: a text could hold anything."""
    status = 1
    try:
        die_with_parent(parent)
        os.dup2(pipes[0], 0)  # in place of the socket
        os.dup2(pipes[1], 1)
        os.closerange(3, resource.getrlimit(resource.RLIMIT_NOFILE)[1])
        work()
        status = 0
    finally:
        os._exit(status)
