"""Develop a picture in a process of its own, and believe nothing that comes back beyond its bounds.

The zygotes from which those processes come are kept from picture to picture, one for each thread that develops at the
same time, and end with this process.
"""

from __future__ import annotations

import atexit
import fcntl
import os
import re
import selectors
import signal
import time
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from io import FileIO
from types import TracebackType
from typing import Any, Self

from field_api.platform.bounded_json import BadJson, loads
from media.sandbox.limits import LARGE_PX, MAX_FACTS_BYTES, MAX_INPUT_BYTES, MAX_OUTPUT_BYTES, WALL_S
from media.sandbox.starter import COMMAND, Starter, Used

_REASON = re.compile(r"[a-z][a-z-]{1,39}")
_DHASH = re.compile(r"[0-9a-f]{16}")
_PIPE_BYTES = 1024 * 1024  # the most that Linux gives to everybody: fewer turns between the two processes
_BLOCK_BYTES = 256 * 1024
_JPEG_START, _JPEG_END = b"\xff\xd8\xff", b"\xff\xd9"


class Undevelopable(Exception):
    """The picture cannot be developed; `reason` is a stable code (docs/photo-format.md §7)."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True)
class Renditions:
    large: bytes
    small: bytes
    width: int  # of the large one, pixels
    height: int
    dhash: str
    evidence: dict[str, Any]  # format, captured_at, position, camera: what the file said of itself


def develop_in_sandbox(image: bytes) -> Renditions:
    """Renditions of an untrusted image file. Never hangs, never reads without bound.

    Raises Undevelopable, and SandboxLost where this machine cannot run the sandbox.
    """
    sandbox = _taken()
    try:
        return sandbox.develop(image)
    finally:
        _give_back(sandbox)


class Sandbox:
    """One zygote and at most one picture in work. Not for two threads at once."""

    def __init__(self, command: tuple[str, ...] = COMMAND) -> None:
        self._starter = Starter(command)
        self.used: Used | None = None  # by the last picture; None where it had to be ended

    def develop(self, image: bytes, wall_s: float = WALL_S) -> Renditions:
        """As `develop_in_sandbox`. `wall_s`: seconds from the start of the picture's process."""
        self.used = None
        if len(image) > MAX_INPUT_BYTES:
            raise Undevelopable("too-large")
        with ExitStack() as ends:
            its_input, picture = _pipe(ends)
            answers, its_output = _pipe(ends)
            self._starter.begin(its_input.fileno(), its_output.fileno())
            its_input.close()
            its_output.close()
            try:
                deadline = time.monotonic() + wall_s
                answer = _exchange(picture, answers, image, deadline)
                self.used = self._starter.end(deadline)
            finally:
                self._starter.kill()
        if self.used is None:
            raise Undevelopable("too-slow")  # one that has closed its answer may still sleep
        if self.used.status != 0:
            # SIGXCPU is the CPU limit; what else kills a decoder is a fault of it or of the file.
            raise Undevelopable("too-slow" if self.used.status == -signal.SIGXCPU else "decoder-crashed")
        return _read_answer(answer)

    def close(self) -> None:
        self._starter.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


_idle: list[Sandbox] = []


def _taken() -> Sandbox:
    try:
        return _idle.pop()  # one step for all threads
    except IndexError:
        return Sandbox()


def _give_back(sandbox: Sandbox) -> None:
    _idle.append(sandbox)


@atexit.register
def end_sandboxes() -> None:
    """End the idle zygotes. Whoever develops again begins new ones."""
    while _idle:
        _idle.pop().close()


def _pipe(ends: ExitStack) -> tuple[FileIO, FileIO]:
    """To read from, to write to; both closed with `ends`."""
    reading, writing = os.pipe()
    with suppress(OSError):  # beyond what a user's pipes may hold together: slower, that is all
        fcntl.fcntl(writing, fcntl.F_SETPIPE_SZ, _PIPE_BYTES)
    return ends.enter_context(FileIO(reading, "rb")), ends.enter_context(FileIO(writing, "wb"))


def _exchange(picture: FileIO, answers: FileIO, image: bytes, deadline: float) -> bytes:
    """Feed the picture and collect the answer side by side, so that neither pipe blocks the other."""
    left, answer = memoryview(image), bytearray()
    with selectors.DefaultSelector() as selector:
        for pipe, event in ((picture, selectors.EVENT_WRITE), (answers, selectors.EVENT_READ)):
            os.set_blocking(pipe.fileno(), False)
            selector.register(pipe, event)
        while True:
            ready = selector.select(max(0.0, deadline - time.monotonic()))
            if not ready:
                raise Undevelopable("too-slow")
            for key, _ in ready:
                if key.fileobj is picture:
                    left = _feed(picture.fileno(), left)
                    if not left:
                        selector.unregister(picture)
                        picture.close()
                else:
                    block = os.read(answers.fileno(), _BLOCK_BYTES)
                    answer += block
                    if not block:
                        return bytes(answer)
                    if len(answer) > MAX_OUTPUT_BYTES:
                        raise Undevelopable("answer-too-large")


def _feed(descriptor: int, left: memoryview) -> memoryview:
    try:
        return left[os.write(descriptor, left) :]
    except BrokenPipeError:
        return left[:0]  # it stopped listening: its answer or its status says why


def _read_answer(answer: bytes) -> Renditions:
    length = int.from_bytes(answer[:4], "big")
    if len(answer) < 4 or length > MAX_FACTS_BYTES or len(answer) < 4 + length:
        raise Undevelopable("bad-answer")
    try:
        facts = loads(answer[4 : 4 + length], max_bytes=MAX_FACTS_BYTES)
        if "refused" in facts:
            raise Undevelopable(facts["refused"] if _REASON.fullmatch(facts["refused"]) else "bad-answer")
        return _renditions(facts, answer[4 + length :])
    except (BadJson, KeyError, TypeError, ValueError, AttributeError) as error:
        raise Undevelopable("bad-answer") from error


def _renditions(facts: dict[str, Any], body: bytes) -> Renditions:
    """A decoder that was taken over can say what it likes: sizes and kinds are checked, the rest is a hint."""
    large_bytes, small_bytes = facts.pop("large_bytes"), facts.pop("small_bytes")
    width, height, dhash = facts.pop("width"), facts.pop("height"), facts.pop("dhash")
    if type(large_bytes) is not int or large_bytes + small_bytes != len(body) or large_bytes < 0 or small_bytes < 0:
        raise ValueError("sizes")
    if not (type(width) is type(height) is int and 0 < width <= LARGE_PX and 0 < height <= LARGE_PX):
        raise ValueError("pixels")
    if not _DHASH.fullmatch(dhash):
        raise ValueError("hash")
    large, small = body[:large_bytes], body[large_bytes:]
    if not all(picture.startswith(_JPEG_START) and picture.endswith(_JPEG_END) for picture in (large, small)):
        raise ValueError("not a JPEG")
    return Renditions(large, small, width, height, dhash, facts)
