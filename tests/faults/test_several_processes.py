"""`doorstep serve door --processes 2`: one port, two processes; one that dies is replaced, and none is left behind."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

PROGRAM = """
import sys
from pathlib import Path
from flask import Flask
from doorstep.processes import run_processes, shared_socket
from doorstep.serve import serve_http
import os

app = Flask("two")
app.config["MAX_CONTENT_LENGTH"] = 1000
app.add_url_rule("/", "pid", lambda: str(os.getpid()))
port = int(sys.argv[1])
with shared_socket("127.0.0.1", port):
    run_processes(2, lambda: serve_http(app, "127.0.0.1", port, beside_others=True))
"""


def wait_for(condition: Callable[[], bool], seconds: float = 20) -> None:
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, "did not come to pass"
        time.sleep(0.02)


@pytest.fixture
def port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@pytest.fixture
def served(port: int, tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen([sys.executable, "-c", PROGRAM, str(port)], cwd=Path(__file__).parents[2])
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0


def asked(port: int) -> int | None:
    """Which process answers a new connection."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=5) as line:
            line.sendall(b"GET / HTTP/1.0\r\n\r\n")
            answer = b""
            while piece := line.recv(4096):
                answer += piece
    except ConnectionError:
        return None
    return int(answer.rpartition(b"\n")[2]) if answer else None


def test_both_answer_and_a_dead_one_is_replaced(served: subprocess.Popen[bytes], port: int) -> None:
    seen: set[int] = set()

    def both() -> bool:
        seen.update({pid for pid in (asked(port),) if pid})
        return len(seen) == 2

    wait_for(both)
    killed = min(seen)
    os.kill(killed, signal.SIGKILL)
    seen -= {killed}
    wait_for(both)
    assert killed not in seen


def test_a_taken_port_is_said_at_once(port: int) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", port))
        taken.listen()
        ended = subprocess.run(
            [sys.executable, "-c", PROGRAM, str(port)], cwd=Path(__file__).parents[2], capture_output=True, timeout=60
        )
    assert ended.returncode != 0
    assert b"OSError" in ended.stderr
