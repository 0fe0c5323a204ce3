"""Phones for bench/sync.py: a day's operations sealed and signed as a phone does, and requests signed for the door."""

from __future__ import annotations

import http.client
import json
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from sync.phone import crypto, signatures, wire
from sync.phone.operations import CHAIN, CONTEXT, FIRST_LINK

OPS_PER_CALL = 50
HERE = {"lat": 19.4, "lon": -99.1, "accuracy_m": 8.0, "at": "2026-11-18T16:00:00.000Z"}
PROMISE = {
    "result": "promise", "kind": "partial", "amount": {"minor": 20_000, "currency": "MXN"}, "due_on": "2026-12-01",
}  # fmt: skip


@dataclass
class BenchPhone:
    """One enrolled device and its keys. `visits`: ids as text."""

    agency: str
    device: str
    sealing_public: bytes
    visits: list[str] = field(default_factory=list)
    signing: bytes = field(default_factory=crypto.new_private_key)
    sealing: bytes = field(default_factory=crypto.new_private_key)
    seq: int = 0
    link: bytes = FIRST_LINK

    def day(self) -> Iterator[dict[str, str]]:
        """Five operations a visit: arrived, encounter, check, outcome with a promise, a new telephone."""
        for visit in self.visits:
            yield self.operation("arrived", {"position": HERE}, visit)
            met = wire.uuid7(datetime.now(UTC))
            yield self.operation("encounter", {"relation": "sought"}, visit, op=met)
            answers = {"method": "answers", "passed": True, "kinds": ["birth_date", "account_last4"]}
            yield self.operation("identity_check", answers, visit, deps=[met])
            outcome = {
                "outcome": "client_located", "party": {"relation": "sought"}, "identified_by": "answers",
                "results": [PROMISE], "position": HERE,
            }  # fmt: skip
            yield self.operation("outcome", outcome, visit, deps=[met], size=1_024)
            contacts = [{"kind": "phone", "value": f"+52 55 {self.seq:08}"}]
            yield self.operation("contact", {"contacts": contacts, "source": "sought"}, visit)

    def operation(
        self, kind: str, body: dict[str, Any], visit: str, *, op: str | None = None, deps: list[str] | None = None,
        size: int = 512,
    ) -> dict[str, str]:  # fmt: skip
        self.seq += 1
        now = datetime.now(UTC)
        protected = wire.write_json(
            {
                "v": 1, "agency": self.agency, "device": self.device, "op": op or wire.uuid7(now), "epoch": 1,
                "seq": self.seq, "visit": visit, "av": 1, "prev": crypto.b64u(self.link), "deps": deps or [],
                "photos": [], "anchor": None, "anchor_mono_ms": None, "wall": wire.time_text(now), "mono_ms": self.seq,
                "boot": "boot", "key": crypto.key_id(self.sealing_public), "size": size,
            }
        )  # fmt: skip
        packed = wire.pack({"kind": kind, "body": body}, size)
        sealed = crypto.seal_to(self.sealing_public, CONTEXT + crypto.sha256(protected), packed)
        signature = crypto.sign(self.signing, CONTEXT + protected + crypto.sha256(sealed))
        self.link = crypto.sha256(CHAIN, crypto.sha256(protected), crypto.sha256(sealed))
        return {"protected": crypto.b64u(protected), "ct": crypto.b64u(sealed), "sig": crypto.b64u(signature)}


def batches(operations: list[dict[str, str]]) -> Iterator[bytes]:
    """Bodies of `POST /ops`."""
    for first in range(0, len(operations), OPS_PER_CALL):
        yield json.dumps({"ops": operations[first : first + OPS_PER_CALL]}, separators=(",", ":")).encode()


@dataclass
class Line:
    """One kept connection of one phone to the door. Calls are signed as RFC 9421 wants it."""

    phone: BenchPhone
    door_url: str
    anchor: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)  # of the newest answer

    def __post_init__(self) -> None:
        split = urlsplit(self.door_url)
        self.authority = split.netloc
        self.connection = http.client.HTTPConnection(split.hostname or "", split.port, timeout=60)

    def call(
        self, method: str, path: str, body: bytes | None = None, query: str = "", more: dict[str, str] | None = None
    ) -> tuple[int, bytes, float]:
        """Status, body and seconds of one call, its signing left out. `more`: further headers, names in lower case."""
        headers = self.signed(method, path, body, query, more or {})
        began = time.perf_counter()
        self.connection.request(method, path + (f"?{query}" if query else ""), body, headers)
        response = self.connection.getresponse()
        answered = response.read()
        seconds = time.perf_counter() - began
        self.headers = response.headers
        self.anchor = response.headers.get("Doorstep-Anchor", self.anchor)
        return response.status, answered, seconds

    def signed(self, method: str, path: str, body: bytes | None, query: str, more: dict[str, str]) -> dict[str, str]:
        """The headers of a call, its signature among them."""
        headers = dict(more)
        if body is not None:
            headers = {"content-type": "application/json", "content-digest": signatures.content_digest(body)} | headers
        return headers | signatures.signed_headers(
            method, self.authority, path, query, headers, created=int(time.time()),
            key_id=f"{self.phone.agency}/{self.phone.device}", nonce=self.anchor,
            sign=lambda base: crypto.sign(self.phone.signing, base),
        )  # fmt: skip

    def take_anchor(self) -> None:
        status, answered, _ = self.call("POST", "/phone/v1/anchors")
        if status != 200:
            raise RuntimeError(f"no anchor: {status} {answered!r}")


def percentile(values: list[float], percent: int) -> float:
    return sorted(values)[min(len(values) - 1, len(values) * percent // 100)]
