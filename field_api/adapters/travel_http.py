"""Questions to a road engine over HTTP: bounded in time and size, and silent about what was asked.

Coordinates of addresses go to the engine and nowhere else: no error and no log line repeats a question or an answer.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import requests
import structlog
import urllib3

from field_api.platform.bounded_json import BadJson, loads
from field_api.platform.overload import later_s
from field_api.platform.problems import Problem
from field_api.platform.settings import UnsafeSettings

CONNECT_S = 3.0
AT_MOST_S = 60.0
"""From question to the answer's last byte: 200 x 200 take an engine about a second, and one that is busy several."""
MAX_BYTES = 16 * 1024 * 1024
"""200 x 200 pairs in an engine's wordiest form are 8 MB."""
TRY_AGAIN = frozenset({502, 503, 504})
"""What a proxy says while an engine starts anew: worth one more try. An engine that is too slow is not asked twice."""

log = structlog.get_logger()


class EngineAway(Problem):
    """The road engine does not answer, refuses, or answers what cannot be believed. `kind` says which, by a code:
    connection, timeout, status-503, refused-154 (the engine's own number or word), too-large, bad-json, bad-answer."""

    def __init__(self, kind: str) -> None:
        super().__init__(
            "unavailable",
            "the road engine gives no travel times now; its log line says why",
            at="travel",
            headers={"Retry-After": later_s(60, 90)},
        )
        self.kind = kind


class _Broke(Exception):
    """The connection broke before the answer was whole: a kept connection that the engine closed, most often."""


@dataclass(frozen=True)
class Answer:
    status: int
    body: Any  # parsed JSON


@dataclass
class EngineHttp:
    """One engine's address, and a connection that is kept."""

    engine: str
    url: str
    at_most_s: float = AT_MOST_S
    max_bytes: int = MAX_BYTES
    questions: int = 0
    _session: requests.Session = field(default_factory=requests.Session, repr=False)

    def __post_init__(self) -> None:
        parts = urlsplit(self.url)
        if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query or parts.fragment:
            raise UnsafeSettings("DOORSTEP_TRAVEL_URL must be the http(s) address of a road engine")
        if parts.username or parts.password:
            raise UnsafeSettings("DOORSTEP_TRAVEL_URL must hold no user and no password")
        self.url = self.url.rstrip("/")
        self._session.trust_env = False  # no proxy and no .netrc between the office and its engine

    def get(self, path: str, parameters: Mapping[str, str]) -> Answer:
        return self._asked("GET", path, params=parameters)

    def post(self, path: str, body: Mapping[str, Any]) -> Answer:
        return self._asked("POST", path, json=body)

    def failed(self, kind: str) -> EngineAway:
        """To raise: the log names the engine and the kind, and nothing that was asked."""
        log.error("travel-engine-failed", engine=self.engine, kind=kind)
        return EngineAway(kind)

    def _asked(self, method: str, path: str, **about: Any) -> Answer:
        """Status below 500 and parsed JSON. Raises EngineAway."""
        for last in (False, True):
            try:
                answer = self._once(method, path, **about)
            except _Broke:
                if last:
                    raise self.failed("connection") from None
                continue
            if answer.status < 500:
                return answer
            if last or answer.status not in TRY_AGAIN:
                raise self.failed(f"status-{answer.status}")
        raise AssertionError("two tries end with an answer or an error")

    def _once(self, method: str, path: str, **about: Any) -> Answer:
        self.questions += 1
        until = time.monotonic() + self.at_most_s
        try:
            with self._session.request(
                method,
                self.url + path,
                timeout=(CONNECT_S, self.at_most_s),
                stream=True,
                allow_redirects=False,
                **about,
            ) as response:
                if response.status_code >= 500:
                    return Answer(response.status_code, None)
                return Answer(response.status_code, self._parsed(b"".join(self._pieces(response, until))))
        except (requests.Timeout, urllib3.exceptions.TimeoutError):
            timed_out = True
        except (requests.RequestException, urllib3.exceptions.HTTPError):
            timed_out = False
        # Out here: the context of what is raised would be an error whose text quotes the question.
        raise self.failed("timeout") if timed_out else _Broke()

    def _pieces(self, response: requests.Response, until: float) -> Iterator[bytes]:
        """The body as it comes. Raises EngineAway where it is too large, or comes too slowly: a byte now and then never
        lets a time limit per read pass."""
        size = 0
        while piece := response.raw.read1(65_536, decode_content=True):
            size += len(piece)
            if size > self.max_bytes:
                raise self.failed("too-large")
            if time.monotonic() > until:
                raise self.failed("timeout")
            yield piece

    def _parsed(self, body: bytes) -> Any:
        try:
            return loads(body, max_bytes=self.max_bytes, max_depth=8)
        except BadJson:
            raise self.failed("bad-json") from None
