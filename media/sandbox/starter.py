"""The worker's end of a zygote (media.sandbox.zygote): has it begin processes, ends them, starts it anew if it died.

Each `Starter` has a zygote of its own and one picture in work at a time; threads and workers have one each. A process
that was forked from this one gets none of it: its first picture starts another zygote.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import weakref
from contextlib import suppress
from dataclasses import dataclass

from media.sandbox.zygote import BEGIN, BEGUN, ENDED

COMMAND = (sys.executable, "-I", "-m", "media.sandbox.develop")
START_S = 30.0  # until the decoders are loaded, on a busy machine
END_S = 5.0  # until a killed process has gone
ENVIRONMENT = {"GLIBC_TUNABLES": f"glibc.malloc.hugetlb=1:glibc.malloc.top_pad={16 * 1024 * 1024}"}
"""Nothing of ours. A copy begins without a page of its own, and pixels are tens of megabytes: in pages of 2 MiB and
steps of 16 MiB a photograph costs a sixth less. Other C libraries and kernels pass over it."""


class SandboxLost(RuntimeError):
    """The zygote cannot be started, or ended in the middle of a picture: this machine's trouble, not the picture's."""


class SandboxAbsent(SandboxLost):
    """No process for a picture could be begun at all: of the picture nothing is known."""


@dataclass(frozen=True)
class Used:
    """What one picture's process came to."""

    status: int  # a signal's number below zero
    cpu_s: float
    peak_bytes: int


class Starter:
    def __init__(self, command: tuple[str, ...] = COMMAND) -> None:
        self._command = command
        self._process: subprocess.Popen[bytes] | None = None
        self._socket: socket.socket | None = None
        self._child: int | None = None  # pidfd of the process in work
        _STARTERS.add(self)

    def begin(self, stdin: int, stdout: int) -> None:
        """Have a new process read `stdin` and write `stdout`, descriptors of this process. Raises SandboxAbsent."""
        try:
            self._child = self._ask(stdin, stdout)
        except (OSError, SandboxLost):  # it died since the last picture
            self.close()
            try:
                self._child = self._ask(stdin, stdout)
            except (OSError, SandboxLost) as error:
                self.close()
                raise SandboxAbsent("no process for a picture") from error

    def end(self, deadline: float) -> Used | None:
        """Wait until the process has ended by itself, and what it used; or end it at the deadline (`time.monotonic()`):
        None. Raises SandboxLost."""
        used = self._ended(deadline - time.monotonic())
        if used is None:
            self.kill()
        return used

    def kill(self) -> None:
        """End the process, if there is one in work. Raises SandboxLost where it does not go."""
        if self._child is not None:
            with suppress(ProcessLookupError):  # it has ended by itself
                signal.pidfd_send_signal(self._child, signal.SIGKILL)
            if self._ended(END_S) is None:
                self.close()
                raise SandboxLost("a process could not be ended")

    def close(self) -> None:
        """End the zygote, and with it what is in work. The next picture starts another."""
        self._forget_child()
        if self._socket is not None:
            self._socket.close()
            self._socket = None
        if self._process is not None:
            try:
                self._process.wait(END_S)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
            self._process = None

    def drop_inherited(self) -> None:
        """In a process forked from the owner: the zygote and its pictures are the owner's."""
        self._forget_child()
        if self._socket is not None:
            self._socket.close()
            self._socket = None
        if self._process is not None:
            self._process.returncode = 0  # not this process's child: nothing to wait for, or to warn of
            self._process = None

    def _ask(self, stdin: int, stdout: int) -> int:
        worker = self._socket or self._start()
        worker.settimeout(START_S)
        socket.send_fds(worker, [BEGIN], [stdin, stdout])
        said, descriptors, _, _ = socket.recv_fds(worker, len(BEGUN), 1)
        if said != BEGUN or len(descriptors) != 1:
            raise SandboxLost("the zygote ended")
        return descriptors[0]

    def _start(self) -> socket.socket:
        """No environment of ours, no descriptor but the socket, no directory of ours, no terminal's signals."""
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._socket = ours
        with theirs:
            self._process = subprocess.Popen(
                self._command,
                stdin=theirs.fileno(),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                env=ENVIRONMENT,
                cwd="/",
                close_fds=True,
                start_new_session=True,
            )
        return ours

    def _ended(self, seconds: float) -> Used | None:
        """Raises SandboxLost where the zygote ended first: its death takes the picture's process along."""
        if self._socket is None:
            raise SandboxLost("nothing is in work")
        self._socket.settimeout(max(0.1, seconds))
        try:
            said = self._socket.recv(ENDED.size)
        except TimeoutError:
            return None
        except OSError:
            said = b""
        if len(said) != ENDED.size:
            self.close()
            raise SandboxLost("the zygote ended with a picture in work")
        self._forget_child()
        return Used(*ENDED.unpack(said))

    def _forget_child(self) -> None:
        if self._child is not None:
            os.close(self._child)
            self._child = None


_STARTERS: weakref.WeakSet[Starter] = weakref.WeakSet()


def _drop_all() -> None:
    for starter in list(_STARTERS):
        starter.drop_inherited()


os.register_at_fork(after_in_child=_drop_all)
