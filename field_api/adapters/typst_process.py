"""One process that lays out papers: started with nothing of ours, asked for one paper at a time, ended when it is late.

Messages both ways are 4-byte big-endian length and body. What it answers is believed within bounds only.
"""

from __future__ import annotations

import json
import os
import select
import signal
import struct
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from types import TracebackType
from typing import IO, Any, Self, cast

START_S = 30.0  # until the library and the fonts are loaded, on a busy machine
MAX_HEADER_BYTES = 64 * 1024
MAX_PDF_BYTES = 512 * 1024 * 1024  # a whole day's stack; a creditor's template is held to less where it runs
_COMMAND = [sys.executable, "-I", "-m", "field_api.adapters.typst_worker"]
_BLOCK_BYTES = 256 * 1024
_BARE = {"LC_ALL": "C.UTF-8"}
# Laying out is taking and giving back memory in small pieces. Kept, and in large pages, they cost a tenth less time.
_KEEPS_MEMORY = "glibc.malloc.hugetlb=1:glibc.malloc.trim_threshold=1073741824:glibc.malloc.top_pad=67108864"


class Ended(RuntimeError):
    """The process ended, or had to be. `reason`: too-slow, too-much-memory, too-deep or crashed."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Late(RuntimeError):
    """No answer by the deadline."""


class TypstProcess:
    """Not for two threads at once."""

    def __init__(self, *, sealed: bool, deadline: float) -> None:
        """`sealed`: for code of others, see typst_worker. Raises Ended, or Late at the deadline (time.monotonic())."""
        self._kept: set[str] = set()
        self._process = subprocess.Popen(
            [*_COMMAND, *(["sealed"] if sealed else [])],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,  # read only where it ended: the language's own words for want of memory
            # Nothing inherited: no password file, no home, no keys.
            env=_BARE if sealed else {**_BARE, "GLIBC_TUNABLES": _KEEPS_MEMORY},
            cwd="/",
        )
        pipes = (self._process.stdin, self._process.stdout, self._process.stderr)
        self._in, self._out, self._said = cast("tuple[IO[bytes], IO[bytes], IO[bytes]]", pipes)
        try:
            self._read(deadline, MAX_HEADER_BYTES)  # that it is ready
            self._read(deadline, MAX_HEADER_BYTES)
        except BaseException:
            self.close()
            raise

    def render(
        self, job: Mapping[str, Any], files: Mapping[str, bytes], deadline: float
    ) -> tuple[dict[str, Any], bytes]:
        """The answer's header and the PDF. A file is handed over once. Raises Ended or Late: then it is gone."""
        try:
            for name, body in files.items():
                if name not in self._kept:
                    self._write(json.dumps({"keep": name}).encode(), body)
                    self._kept.add(name)
            self._write(json.dumps({**job, "files": list(files)}).encode())
            header = json.loads(self._read(deadline, MAX_HEADER_BYTES))
            return header, self._read(deadline, MAX_PDF_BYTES)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        self._process.kill()
        for pipe in (self._in, self._out, self._said):
            with suppress(BrokenPipeError):  # what it did not read is nothing to anybody
                pipe.close()
        self._process.wait()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _write(self, *pieces: bytes) -> None:
        """It reads whenever it is not at work on a paper, so that this never waits long."""
        try:
            for piece in pieces:
                self._in.write(struct.pack(">I", len(piece)) + piece)
            self._in.flush()
        except BrokenPipeError as error:
            raise self._ended() from error

    def _read(self, deadline: float, most: int) -> bytes:
        (length,) = struct.unpack(">I", self._bytes(4, deadline))
        if length > most:
            raise Ended("crashed")
        return self._bytes(length, deadline)

    def _bytes(self, count: int, deadline: float) -> bytes:
        pipe, found = self._out.fileno(), bytearray()
        waiting = select.poll()
        waiting.register(pipe, select.POLLIN)
        while len(found) < count:
            if not waiting.poll(max(0.0, deadline - time.monotonic()) * 1000):
                raise Late
            block = os.read(pipe, min(_BLOCK_BYTES, count - len(found)))
            if not block:
                raise self._ended()
            found += block
        return bytes(found)

    def _ended(self) -> Ended:
        said = self._said.read(_BLOCK_BYTES)
        status = self._process.wait()
        if status in (-signal.SIGPROF, -signal.SIGXCPU):
            return Ended("too-slow")
        if b"overflowed its stack" in said:
            return Ended("too-deep")
        if b"memory allocation of" in said or b"MemoryError" in said or status == -signal.SIGKILL:
            return Ended("too-much-memory")
        return Ended("crashed")
