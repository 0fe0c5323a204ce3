"""`/metrics` of a process, on an address of its own: loopback alone, or behind a token; nothing else is served there.

Not a route of door or office: those stand behind proxies, where every caller has the proxy's address.
"""

from __future__ import annotations

import ipaddress
import os
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from hmac import compare_digest
from pathlib import Path
from typing import Any

from waitress.server import create_server

from field_api.platform.crash import StartRefused

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
MIN_TOKEN_CHARACTERS = 20
PORTS_OF_PARTS = ("door", "office", "worker")
"""Of `doorstep serve`: the configured port is the door's, the next two are the others'."""


@dataclass(frozen=True)
class MetricsAt:
    """Where to listen; `token_file` None: for whoever reaches a loopback address."""

    host: str
    port: int
    token_file: Path | None = None


def metrics_at(environment: Mapping[str, str]) -> MetricsAt | None:
    """DOORSTEP_METRICS_LISTEN (HOST:PORT) and DOORSTEP_METRICS_TOKEN_FILE, or None where metrics are not asked for.

    Raises StartRefused for an address that others reach without a token, and for a token that is none.
    """
    where = environment.get("DOORSTEP_METRICS_LISTEN", "")
    named = environment.get("DOORSTEP_METRICS_TOKEN_FILE", "")
    if not where:
        return None
    host, _, port = where.rpartition(":")
    if not host or not port.isdecimal() or not 0 < int(port) < 65_536:
        raise StartRefused("DOORSTEP_METRICS_LISTEN must be HOST:PORT")
    at = MetricsAt(host.strip("[]"), int(port), Path(named) if named else None)
    if at.token_file is not None:
        _token(at.token_file)
    elif not _is_loopback(at.host):
        raise StartRefused("DOORSTEP_METRICS_LISTEN is no loopback address: DOORSTEP_METRICS_TOKEN_FILE is needed")
    return at


def part_environment(environment: Mapping[str, str], part: str) -> dict[str, str]:
    """The two settings for one part of `doorstep serve`, each with a port of its own."""
    at = metrics_at(environment)
    if at is None:
        return {}
    host = f"[{at.host}]" if ":" in at.host else at.host
    found = {"DOORSTEP_METRICS_LISTEN": f"{host}:{at.port + PORTS_OF_PARTS.index(part)}"}
    return found | ({"DOORSTEP_METRICS_TOKEN_FILE": str(at.token_file)} if at.token_file else {})


def serve_metrics(text: Callable[[], str], environment: Mapping[str, str] | None = None) -> None:
    """Serve `text()` in a thread of its own for as long as the process lives, where the settings ask for it."""
    at = metrics_at(os.environ if environment is None else environment)
    if at is None:
        return
    server = create_server(metrics_app(at, text), map={}, host=at.host, port=at.port, threads=1, ident="doorstep")
    threading.Thread(target=server.run, daemon=True, name="metrics").start()


def metrics_app(at: MetricsAt, text: Callable[[], str]) -> Callable[..., Iterable[bytes]]:
    def application(request: Mapping[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        status, body = "200 OK", b""
        if request["PATH_INFO"] != "/metrics" or request["REQUEST_METHOD"] != "GET":
            status = "404 Not Found"
        elif not _may(at, str(request.get("HTTP_AUTHORIZATION", ""))):
            status = "401 Unauthorized"
        else:
            body = text().encode()
        kind = CONTENT_TYPE if body else "text/plain"
        start_response(status, [("Content-Type", kind), ("Content-Length", str(len(body)))])
        return [body]

    return application


def _may(at: MetricsAt, authorization: str) -> bool:
    """The file is read each time: a token is changed by writing it. One that is gone or too short lets nobody in."""
    if at.token_file is None:
        return True
    try:
        wanted = f"Bearer {_token(at.token_file)}"
    except StartRefused:
        return False
    return compare_digest(authorization.encode(), wanted.encode())


def _token(path: Path) -> str:
    try:
        token = path.read_text().strip()
        others = path.stat().st_mode & 0o077
    except (OSError, UnicodeDecodeError) as error:
        raise StartRefused("DOORSTEP_METRICS_TOKEN_FILE cannot be read") from error
    if len(token) < MIN_TOKEN_CHARACTERS or others:
        raise StartRefused(f"DOORSTEP_METRICS_TOKEN_FILE needs {MIN_TOKEN_CHARACTERS} characters and mode 0600")
    return token


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
