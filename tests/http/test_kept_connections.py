"""A phone keeps its connection through answers that have no body."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from http.client import HTTPConnection

import pytest

SERVE = """
import sys
from flask import Flask, request
from doorstep.serve import serve_http

app = Flask("kept")
app.config["MAX_CONTENT_LENGTH"] = 1_000_000

@app.route("/", methods=["PATCH"])
def patch():
    return "", int(request.args["status"]), {"X-Got": str(len(request.get_data()))}

@app.route("/slow")
def slow():
    print("begun", flush=True)
    return sys.stdin.readline()

serve_http(app, "127.0.0.1", int(sys.argv[1]))
"""


@contextmanager
def serving() -> Iterator[tuple[int, subprocess.Popen[str]]]:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        free = listening.getsockname()[1]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen([sys.executable, "-c", SERVE, str(free)], text=True, **pipes) as process:
        deadline = time.monotonic() + 60
        while True:
            try:
                socket.create_connection(("127.0.0.1", free)).close()
                break
            except ConnectionRefusedError:
                assert process.poll() is None and time.monotonic() < deadline
                time.sleep(0.05)
        yield free, process
        process.terminate()


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    with serving() as (port, _):
        yield port


def patch(connection: HTTPConnection, status: int, body: bytes = b"x" * 300_000, **headers: str) -> None:
    connection.request("PATCH", f"/?status={status}", body, headers)
    answer = connection.getresponse()
    assert (answer.status, answer.read(), answer.headers["X-Got"]) == (status, b"", str(len(body)))


@pytest.mark.parametrize("status", [204, 304, 200])
def test_an_answer_without_a_body_ends_no_connection(port: int, status: int) -> None:
    connection = HTTPConnection("127.0.0.1", port, timeout=30)
    patch(connection, status)
    first = connection.sock
    assert first is not None
    for size in (300_000, 1, 0):
        patch(connection, status, b"y" * size)
        assert connection.sock is first
    connection.close()


def test_who_asks_for_the_end_gets_it(port: int) -> None:
    connection = HTTPConnection("127.0.0.1", port, timeout=30)
    patch(connection, 204, Connection="close")
    assert connection.sock is None


def test_what_was_asked_before_the_end_is_answered() -> None:
    """An idle connection does not hold the end up, and nothing is told as an error."""
    with serving() as (port, process), ExitStack() as during:
        assert process.stdin and process.stdout and process.stderr
        idle, asked = (HTTPConnection("127.0.0.1", port, timeout=30) for _ in range(2))
        during.callback(idle.close)
        during.callback(asked.close)
        patch(idle, 204)
        asked.request("GET", "/slow")
        assert process.stdout.readline() == "begun\n"
        process.terminate()
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(0.7)
        process.stdin.write("answered\n")
        process.stdin.flush()
        answer = asked.getresponse()
        assert (answer.status, answer.read()) == (200, b"answered\n")
        assert (process.wait(30), process.stderr.read()) == (0, "")
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", port))
