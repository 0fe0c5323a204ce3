"""Calls to the phone door: signed, digested, bounded, with time-outs; "later" is never taken for a refusal."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import IO, Any, Protocol

import requests

from sync.phone import crypto, wire
from sync.phone.errors import DoorRefused, Later, PhoneError, Revoked, Untrusted
from sync.phone.handset import Handset
from sync.phone.patience import Patience
from sync.phone.signatures import content_digest, signed_headers
from sync.phone.wiping import obey_wipe_order

TIMEOUT_S = (5.0, 60.0)
MAX_ANSWER_BYTES = 4 * 1024 * 1024  # a feed page of 200 visits has 1.3 MB
MAX_PROBLEM_BYTES = 64 * 1024
STALE_RETRIES = 2
WITHOUT_BODY = frozenset({204, 304})
SAYS_ITS_LENGTH = frozenset({"content-length", "transfer-encoding"})
"""A head that was cut off looks like a whole one with fewer lines, and its answer like an empty one."""
NO_HEADERS: Mapping[str, str] = MappingProxyType({})
LATER = frozenset({429, 500, 502, 503, 504})
NO_DOCUMENT = "no-problem-document"
CODES_OF_HEAD = {404: "not-found", 410: "not-found", 412: "precondition-failed"}
"""410 too: who creates it again is told in so many words that it was destroyed. No copy goes on a bare status."""


class Transport(Protocol):
    """`requests.Session`, or something that answers as it does."""

    def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str | bytes | None],
        data: IO[bytes] | None,
        timeout: tuple[float, float],
        allow_redirects: bool,
        stream: bool,
    ) -> requests.Response: ...


def usual_transport() -> requests.Session:
    """A session that takes nothing from the surroundings: no proxy, no .netrc (which would add an Authorization)."""
    session = requests.Session()
    session.trust_env = False
    return session


@dataclass(frozen=True)
class Answer:
    """`anchor_at` is the verified time of the anchor that came with it. Header names are matched in any case."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    anchor_at: datetime | None

    def json(self) -> Any:
        return wire.read_json(self.body, MAX_ANSWER_BYTES)


class Outgoing(io.BytesIO):
    """A body that tells when half of it is on its way: where a test wants to lose the network or the process."""

    def __init__(self, body: bytes, step: Callable[[str], None]) -> None:
        super().__init__(body)
        self._half, self._step, self._told = len(body) / 2, step, False

    def read(self, size: int | None = -1, /) -> bytes:
        if self.tell() > self._half and not self._told:
            self._told = True
            self._step("send.half")
        return super().read(size)


def send(
    transport: Transport, method: str, url: str, headers: Mapping[str, str], body: Outgoing | None
) -> requests.Response:
    """One exchange, its answer unread. Raises Later `unreachable`, also where the answer's head broke off."""
    fixed = {"accept-encoding": "identity", "user-agent": "doorstep-phone/1"}
    try:
        response = transport.request(
            method, url, headers={**fixed, **headers}, data=body, timeout=TIMEOUT_S, allow_redirects=False, stream=True
        )
    except requests.RequestException as error:
        raise Later("unreachable", type(error).__name__) from error
    if method != "HEAD" and response.status_code not in WITHOUT_BODY and not SAYS_ITS_LENGTH & _names(response):
        response.close()
        raise Later("unreachable", "the answer broke off")
    return response


def _names(response: requests.Response) -> set[str]:
    return {name.lower() for name in response.headers}


def read_body(response: requests.Response, max_bytes: int) -> bytes:
    """The whole body. Raises Later `unreachable` where it breaks off, Untrusted `too-large`."""
    pieces: list[bytes] = []
    size = 0
    for piece in pieces_of(response):
        size += len(piece)
        if size > max_bytes:
            raise Untrusted("too-large", f"an answer of more than {max_bytes} bytes")
        pieces.append(piece)
    return b"".join(pieces)


def pieces_of(response: requests.Response) -> Iterator[bytes]:
    try:
        yield from response.iter_content(64 * 1024)
    except requests.RequestException as error:
        raise Later("unreachable", "the answer broke off") from error


class Door:
    """The door as this phone sees it. Every call may be repeated safely, so every call is."""

    def __init__(self, handset: Handset, transport: Transport, patience: Patience) -> None:
        self.handset, self.transport, self.patience = handset, transport, patience

    def call(
        self, method: str, path: str, query: str = "", body: bytes = b"", headers: Mapping[str, str] = NO_HEADERS
    ) -> Answer:
        """An answer with a 2xx status. Raises DoorRefused, Revoked, Later (after all patience) or Untrusted."""
        return self.patience.insist(lambda: self.once(method, path, query, body, headers))

    def once(
        self, method: str, path: str, query: str = "", body: bytes = b"", headers: Mapping[str, str] = NO_HEADERS
    ) -> Answer:
        """As `call`, but a Later is raised at once."""
        with self.exchange(method, path, query, body, headers) as (response, anchor_at):
            data = b"" if method == "HEAD" else read_body(response, MAX_ANSWER_BYTES)
            return Answer(response.status_code, response.headers, data, anchor_at)

    @contextmanager
    def exchange(
        self, method: str, path: str, query: str, body: bytes, headers: Mapping[str, str]
    ) -> Iterator[tuple[requests.Response, datetime | None]]:
        """One signed exchange with a 2xx answer, its body unread; stale anchors are replaced."""
        if self.handset.nonce is None:
            self._fetch_anchor()
        for attempt in range(STALE_RETRIES + 1):
            with self._send_signed(method, path, query, body, headers, self.handset.nonce) as response:
                anchor_at = self._hear(response)
                if 200 <= response.status_code < 300:
                    yield response, anchor_at
                    return
                refusal = self._refusal(response, head=method == "HEAD")
            if refusal.code != "anchor-stale" or attempt == STALE_RETRIES:
                raise refusal
            if "Doorstep-Anchor" not in response.headers:
                self._fetch_anchor()

    def _fetch_anchor(self) -> None:
        with self._send_signed("POST", "/anchors", "", b"", {}, None) as response:
            if response.status_code != 200:
                self._hear(response)  # a revoked phone's queue is still taken, and needs one
                raise self._refusal(response)
            self.handset.hear_anchor(wire.field(wire.read_json(read_body(response, 4096)), "anchor", str))

    def _send_signed(
        self, method: str, path: str, query: str, body: bytes, extra: Mapping[str, str], nonce: str | None
    ) -> requests.Response:
        handset = self.handset
        headers = dict(extra)
        if body:
            headers["content-digest"] = content_digest(body)
        full_path = handset.address.path + path
        headers |= signed_headers(
            method,
            handset.address.authority,
            full_path,
            query,
            headers,
            created=max(0, int(handset.clock.now().timestamp())),
            key_id=f"{handset.agency}/{handset.device}",
            nonce=nonce,
            sign=lambda message: crypto.sign(handset.keys.signing, message),
        )
        url = f"{handset.address.origin}{full_path}" + (f"?{query}" if query else "")
        return send(self.transport, method, url, headers, Outgoing(body, handset.step) if body else None)

    def _hear(self, response: requests.Response) -> datetime | None:
        fresh = response.headers.get("Doorstep-Anchor")
        return self.handset.hear_anchor(fresh) if fresh else None

    def _refusal(self, response: requests.Response, *, head: bool = False) -> PhoneError:
        problem = {"code": code_of_head(response)} if head else problem_of(response)
        if problem.get("code") == "device-revoked":
            return Revoked(obey_wipe_order(self.handset, problem.get("wipe")))
        if problem.get("code") == "signature-invalid":
            return self._show_certificate()
        return refusal_of(response, problem)

    def _show_certificate(self) -> PhoneError:
        """The door does not know this phone: a server restored from before its enrolment takes it back on the office's
        own word (docs/protocol.md §10). Until then everything is "later", and nothing is lost."""
        handset = self.handset
        body = wire.write_json({"device_certificate": handset.device_certificate})
        url = f"{handset.address.origin}{handset.address.path}/devices"
        headers = {"content-type": "application/json"}
        with send(self.transport, "POST", url, headers, Outgoing(body, handset.step)) as response:
            if response.status_code != 202:
                return refusal_of(response, problem_of(response))
            handset.step("returning")
            return Later("unknown-device", "the office is asked to take this phone back", retry_after_s(response))


def refusal_of(response: requests.Response, problem: Mapping[str, Any]) -> PhoneError:
    """What an answer that is no success means. "Later" is never a refusal of what was sent."""
    status, code = response.status_code, str(problem.get("code", NO_DOCUMENT))
    if status in LATER:
        return Later(code, f"the door answered {status}", retry_after_s(response))
    return DoorRefused(status, code)


def code_of_head(response: requests.Response) -> str:
    """What a refusal of `HEAD`, which has no body, must mean (docs/protocol.md §12)."""
    if response.status_code == 401:  # an anchor comes with every answer to a signature that holds
        return "anchor-stale" if "Doorstep-Anchor" in response.headers else "signature-invalid"
    return CODES_OF_HEAD.get(response.status_code, NO_DOCUMENT)


def problem_of(response: requests.Response) -> dict[str, Any]:
    """The problem document; an answer that is none (a proxy's page) counts as an empty one."""
    try:
        document = wire.read_json(read_body(response, MAX_PROBLEM_BYTES), MAX_PROBLEM_BYTES)
    except Untrusted:
        return {}
    return document if isinstance(document, dict) else {}


def retry_after_s(response: requests.Response) -> float:
    """Seconds; a date (the other form of RFC 9110 §10.2.3) needs a right clock, so it counts as 30 seconds."""
    value = response.headers.get("Retry-After", "")
    return float(value) if value.isascii() and value.isdigit() else 30.0 if value else 0.0
