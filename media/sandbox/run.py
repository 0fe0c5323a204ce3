"""Develop a picture in a process of its own, and believe nothing that comes back beyond its bounds."""

from __future__ import annotations

import os
import re
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from field_api.platform.bounded_json import BadJson, loads
from media.sandbox.limits import LARGE_PX, MAX_FACTS_BYTES, MAX_OUTPUT_BYTES, WALL_S

COMMAND = (sys.executable, "-I", "-m", "media.sandbox.develop")
_REASON = re.compile(r"[a-z][a-z-]{1,39}")
_DHASH = re.compile(r"[0-9a-f]{16}")
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


def develop_in_sandbox(image: bytes, *, wall_s: float = WALL_S, command: tuple[str, ...] = COMMAND) -> Renditions:
    """Renditions of an untrusted image file. Raises Undevelopable; never hangs, never reads without bound."""
    deadline = time.monotonic() + wall_s
    with _sandbox(command) as process:
        answer = _exchange(process, image, deadline)
        status = _end(process, deadline)
    if status != 0:
        # SIGXCPU is the CPU limit; what else kills a decoder is a fault of it or of the file.
        raise Undevelopable("too-slow" if status == -signal.SIGXCPU else "decoder-crashed")
    return _read_answer(answer)


@contextmanager
def _sandbox(command: tuple[str, ...]) -> Iterator[subprocess.Popen[bytes]]:
    """No environment, no descriptor beyond its pipes, no directory of ours; killed whatever happens here."""
    with subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={},
        cwd="/",
        close_fds=True,
        start_new_session=True,
    ) as process:
        try:
            yield process
        finally:
            if process.poll() is None:
                process.kill()


def _exchange(process: subprocess.Popen[bytes], image: bytes, deadline: float) -> bytes:
    """Feed the picture and collect the answer side by side, so that neither pipe blocks the other."""
    if process.stdin is None or process.stdout is None:
        raise RuntimeError("the sandbox has no pipes")
    left, answer = memoryview(image), bytearray()
    with selectors.DefaultSelector() as selector:
        for pipe, event in ((process.stdin, selectors.EVENT_WRITE), (process.stdout, selectors.EVENT_READ)):
            os.set_blocking(pipe.fileno(), False)
            selector.register(pipe, event)
        while process.stdout in {key.fileobj for key in selector.get_map().values()}:
            ready = selector.select(max(0.0, deadline - time.monotonic()))
            if not ready:
                raise Undevelopable("too-slow")
            for key, _ in ready:
                if key.fileobj is process.stdin:
                    left = _feed(process.stdin.fileno(), left)
                    if not left:
                        selector.unregister(process.stdin)
                        process.stdin.close()
                else:
                    block = os.read(process.stdout.fileno(), 65_536)
                    answer += block
                    if not block:
                        selector.unregister(process.stdout)
                    elif len(answer) > MAX_OUTPUT_BYTES:
                        raise Undevelopable("answer-too-large")
    return bytes(answer)


def _end(process: subprocess.Popen[bytes], deadline: float) -> int:
    """Its status. One that has closed its answer may still sleep."""
    try:
        return process.wait(max(0.1, deadline - time.monotonic()))
    except subprocess.TimeoutExpired as error:
        raise Undevelopable("too-slow") from error


def _feed(descriptor: int, left: memoryview) -> memoryview:
    try:
        return left[os.write(descriptor, left[:65_536]) :]
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
