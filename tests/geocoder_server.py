"""A geocoding service on this machine: answers of recorded shapes over real sockets, well and badly behaved."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from typing import Any


@dataclass
class Answer:
    """`body`: what is sent as JSON, or text as it is. `headers` go with it."""

    body: Any = None
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    repeated: int = 1  # the body so many times: a giant
    silent: bool = False  # never answers


@dataclass
class Service:
    url: str
    paths: list[str] = field(default_factory=list)  # as asked, with their queries
    agents: list[str] = field(default_factory=list)
    answer: Callable[[str], Answer] = lambda path: Answer([])
    closing: Event = field(default_factory=Event)


@contextmanager
def geocoding_service() -> Iterator[Service]:
    service = Service("")

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            service.paths.append(self.path)
            service.agents.append(self.headers["User-Agent"])
            answer = service.answer(self.path)
            if answer.silent:
                service.closing.wait(30)
                return
            body = answer.body if isinstance(answer.body, str) else json.dumps(answer.body)
            self.send_response(answer.status)
            for name, value in answer.headers.items():
                self.send_header(name, value)
            self.end_headers()
            try:
                for _ in range(answer.repeated):
                    self.wfile.write(body.encode())
            except (BrokenPipeError, ConnectionResetError):
                pass  # who asked has heard enough: that is what the test is about

        def log_message(self, *_: object) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    service.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield service
    finally:
        service.closing.set()
        server.shutdown()
        thread.join()
        server.server_close()
