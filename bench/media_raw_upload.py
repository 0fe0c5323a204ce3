"""What a piece of an upload cannot do without, each alone."""

from __future__ import annotations

import multiprocessing
import os
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

from waitress import serve

from bench.figures import say, timed
from bench.media_raw import PIECE_BYTES, written
from bench.sync import free_port
from bench.sync_phones import percentile
from field_api.platform import sealing


def raw_upload(directory: Path) -> None:
    """What a call cannot do without, each alone, in milliseconds."""
    private, body = sealing.new_private_key(), os.urandom(PIECE_BYTES)
    public, signature = sealing.public_key_of(private), sealing.sign(private, body[:600])
    with _echo() as port:
        connection = HTTPConnection("127.0.0.1", port)
        for what, work in {
            "signature, made": lambda: sealing.sign(private, body[:600]),
            "signature, verified": lambda: sealing.verify(public, body[:600], signature),
            "SHA-256 of 256 KiB": lambda: sealing.sha256(body),
            "write and fsync of 256 KiB": lambda: written(directory / "raw", 0, body),
            "waitress, which only reads it": lambda: _ask(connection, body),
        }.items():
            runs = []
            for _ in range(50):
                with timed() as seconds:
                    work()
                runs.append(seconds())
            say(f"raw {what}", f"{percentile(runs, 50) * 1000:9.2f} ms, {1 / percentile(runs, 50):,.0f} /s")
        connection.close()


@contextmanager
def _echo() -> Iterator[int]:
    port = free_port()
    process = multiprocessing.Process(target=_serve, args=(port,), daemon=True)
    process.start()
    try:
        deadline = time.monotonic() + 60
        while True:
            try:
                socket.create_connection(("127.0.0.1", port)).close()
                break
            except ConnectionRefusedError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.05)
        yield port
    finally:
        process.terminate()
        process.join()


def _serve(port: int) -> None:
    """With the door's settings of waitress (doorstep/serve.py)."""

    def application(environ: dict[str, Any], start_response: Callable[..., object]) -> list[bytes]:
        environ["wsgi.input"].read()
        start_response("200 OK", [("Content-Length", "0")])
        return []

    serve(application, host="127.0.0.1", port=port, inbuf_overflow=128 * 1024, _quiet=True)


def _ask(connection: HTTPConnection, body: bytes) -> None:
    connection.request("POST", "/", body)
    connection.getresponse().read()
