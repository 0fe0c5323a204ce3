"""The phone door with a witness: whatever it receives and serves is also written to a file, to be searched afterwards.

Run as `python -m doorstep.demo.recorded_door FILE` with the door's environment, by the demonstration and tests alone.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, BinaryIO

from doorstep.door import door_app
from doorstep.serve import bind_of, serve_http
from field_api.platform.log import configure_logging
from field_api.platform.settings import settings_from

StartResponse = Callable[..., Any]


class Witness:
    """WSGI middleware: appends request line, headers, response status, headers and body of every exchange."""

    def __init__(self, application: Callable[..., Iterable[bytes]], file: BinaryIO) -> None:
        self._application = application
        self._file = file
        self._lock = threading.Lock()

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Iterator[bytes]:
        seen: list[bytes] = [f"{environ['REQUEST_METHOD']} {environ['PATH_INFO']}?{environ['QUERY_STRING']}\n".encode()]
        seen += [f"{name}: {value}\n".encode() for name, value in environ.items() if name.startswith("HTTP_")]

        def starting(status: str, headers: list[tuple[str, str]], *rest: Any) -> Any:
            seen.append(f"{status}\n".encode() + b"".join(f"{name}: {value}\n".encode() for name, value in headers))
            return start_response(status, headers, *rest)

        body = self._application(environ, starting)
        try:
            for part in body:
                seen.append(part)
                yield part
        finally:
            close = getattr(body, "close", None)
            if close:
                close()
            with self._lock:
                self._file.writelines([*seen, b"\n\n"])
                self._file.flush()


def main() -> None:
    configure_logging()
    settings = settings_from()
    app = door_app(settings)
    with Path(sys.argv[1]).open("ab") as file:
        app.wsgi_app = Witness(app.wsgi_app, file)  # type: ignore[method-assign]  # Flask's documented way to wrap
        serve_http(app, *bind_of(settings.door_url))


if __name__ == "__main__":
    main()
