"""The door of the small office as a `requests`-like transport: verifies every signature, and can lose things."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import requests
from http_message_signatures import HTTPMessageVerifier, HTTPSignatureKeyResolver
from http_message_signatures.algorithms import HTTPSignatureAlgorithm
from small_office import SmallOffice, dumps, record

from field_api.platform import sealing
from field_api.platform.sealing import b64u, from_b64u, sha256

COVERED = [
    "content-digest",
    "content-type",
    "upload-offset",
    "upload-length",
    "upload-metadata",
    "upload-checksum",
    "tus-resumable",
]


class _Es256(HTTPSignatureAlgorithm):
    algorithm_id = "ecdsa-p256-sha256"

    def __init__(self, public_key: bytes = b"", private_key: None = None) -> None:
        self.public_key = public_key

    def verify(self, signature: bytes, message: bytes) -> None:
        sealing.verify(self.public_key, message, signature)


class _Verifier(HTTPMessageVerifier):
    def validate_created_and_expires(self, sig_input: Any, max_age: Any = None) -> None:
        return None


class _Key(HTTPSignatureKeyResolver):
    def __init__(self, key: bytes) -> None:
        self.key = key

    def resolve_public_key(self, key_id: str) -> bytes:
        return self.key

    def resolve_private_key(self, key_id: str) -> bytes:
        raise NotImplementedError


class _Message:
    def __init__(self, method: str, url: str, headers: Any) -> None:
        self.method, self.url, self.headers = method, url, headers


class SmallDoor:
    """`lose_next_answer` drops the answer after everything took effect; `script` answers instead of the door."""

    def __init__(self, office: SmallOffice) -> None:
        self.office = office
        self.ops: dict[str, dict[str, Any]] = {}
        self.op_calls: list[int] = []
        self.requests: list[tuple[str, str, bytes, dict[str, str]]] = []
        self.asked: list[tuple[str, str]] = []  # path and query
        self.lose_next_answer = 0
        self.script: list[Callable[[str, str], requests.Response | None]] = []
        self.live_anchors: set[str] = set()
        self.revoked: dict[str, Any] | None = None
        self.photos: dict[str, dict[str, Any]] = {}
        self.cut_snapshot_at: int | None = None
        self.enrolments = 0

    def request(self, method: str, url: str, **options: Any) -> requests.Response:
        parts = urlsplit(url)
        body = options["data"].read() if options.get("data") else b""
        path = parts.path.removeprefix("/phone/v1")
        headers = requests.structures.CaseInsensitiveDict(options["headers"])
        self.requests.append((method, path, body, dict(headers)))
        self.asked.append((path, parts.query))
        if self.script and (scripted := self.script.pop(0)(method, path)) is not None:
            return without_body(scripted) if method == "HEAD" else scripted
        answer = self._answer(method, path, parse_qs(parts.query), body, headers, url)
        if self.lose_next_answer and path == "/ops":
            self.lose_next_answer -= 1
            raise requests.ConnectionError("lost")
        return without_body(answer) if method == "HEAD" else answer

    def _answer(self, method: str, path: str, query: Any, body: bytes, headers: Any, url: str) -> requests.Response:
        if path.startswith("/enrolments"):
            return self._enrol(path, body)
        problem = self._refuse(method, path, body, headers, url)
        response = self._route(method, path, query, body, headers) if problem is None else problem
        response.headers["Doorstep-Anchor"] = self._fresh()
        return response

    def _fresh(self) -> str:
        anchor = self.office.anchor()
        self.live_anchors.add(anchor)
        return anchor

    def _refuse(self, method: str, path: str, body: bytes, headers: Any, url: str) -> requests.Response | None:
        verifier = _Verifier(signature_algorithm=_Es256, key_resolver=_Key(self.office.phone_signing))
        (result,) = verifier.verify(
            _Message(method, url, headers), expect_tag="doorstep-phone-v1", expect_label="doorstep"
        )
        present = [f'"{name}"' for name in COVERED if name in headers]
        assert list(result.covered_components)[:-1] == ['"@method"', '"@authority"', '"@path"', '"@query"', *present]
        wanted = (
            ["created", "keyid", "alg", "tag"] if path == "/anchors" else ["created", "keyid", "alg", "nonce", "tag"]
        )
        assert list(result.parameters) == wanted
        if body:
            assert headers["content-digest"] == f"sha-256=:{_b64(sha256(body))}:"
        if path != "/anchors" and result.parameters["nonce"] not in self.live_anchors:
            return answer(401, {"code": "anchor-stale"})
        if self.revoked is not None and path != "/ops" and not path.startswith("/photos"):
            return answer(403, {"code": "device-revoked", "wipe": self.revoked})
        return None

    def _enrol(self, path: str, body: bytes) -> requests.Response:
        if body:
            asked = json.loads(body)
            assert from_b64u(asked["hash"]) == sha256(b"doorstep-enrol-v1" + self.office.secret)
            self.request_bytes = from_b64u(asked["request"])
            key = sealing.derive(self.office.secret, b"doorstep-enrol-request-v1")
            assert from_b64u(asked["mac"]) == sealing.mac(key, self.request_bytes)
            self.enrolments += 1
            return answer(202, {"enrolment": self.office.device})
        return answer(200, self.office.enrolment_answer(self.request_bytes))

    def _route(self, method: str, path: str, query: Any, body: bytes, headers: Any) -> requests.Response:
        match method, path.split("/")[1:]:
            case "POST", ["anchors"]:
                return answer(200, {"anchor": self._fresh()})
            case "GET", ["feed"]:
                return self._feed(query)
            case "GET", ["feed", "snapshot"]:
                return self._snapshot(headers)
            case "POST", ["ops"]:
                return self._take_ops(body)
            case "GET", ["ops", "state"]:
                return self._state()
            case _, ["photos", *_]:
                return self._photo(method, path, body, headers)
        return answer(404, {"code": "not-found"})

    def _feed(self, query: Any) -> requests.Response:
        office, after = self.office, 0
        if "after" in query:
            epoch, seq, roll = query["after"][0].split(".")
            after = int(seq)
            known = office.roll if after == len(office.items) else None
            if int(epoch) != office.epoch or after > len(office.items) or (known and b64u(known) != roll):
                return answer(410, {"code": "resync-required"})
        limit = int(query["limit"][0])
        page = office.items[after : after + limit]
        more = after + len(page) < len(office.items)
        signed = [(1, office.sheet_key_statement())] if page else []
        durable = [(3, statement)] if (statement := office.durable()) else []
        records = [
            *(record(kind, from_b64u(one["sig"]), from_b64u(one["statement"])) for kind, one in signed),
            *(record(2, *(from_b64u(item[name]) for name in ("sig", "h", "ct"))) for item in page),
            *(record(kind, from_b64u(one["sig"]), from_b64u(one["statement"])) for kind, one in durable),
            record(4, b"", dumps({"more": more})),
        ]
        return raw(200, b"".join(records), {})

    def _snapshot(self, headers: Any) -> requests.Response:
        if not hasattr(self, "snapshot_bytes"):
            self.snapshot_bytes = self.office.snapshot()
        start = int(headers["range"].removeprefix("bytes=").removesuffix("-")) if "range" in headers else 0
        data = self.snapshot_bytes[start:]
        response = raw(206 if start else 200, data, {"ETag": '"s"'})
        if self.cut_snapshot_at is not None:
            response.raw = _Cut(data[: self.cut_snapshot_at])
            self.cut_snapshot_at = None
        return response

    def _take_ops(self, body: bytes) -> requests.Response:
        ops = json.loads(body)["ops"]
        assert len(ops) <= 50 and len(body) <= 256 * 1024
        self.op_calls.append(len(ops))
        receipts = []
        for op in ops:
            claims, _ = self.office.read_op(op)
            receipt = self.ops.setdefault(
                claims["op"], {"op": op, "seq": claims["seq"], "receipt": self.office.receipt(op)}
            )
            assert receipt["op"] == op, "the same id with other bytes"
            receipts.append(receipt["receipt"])
        return answer(200, {"receipts": receipts})

    def _state(self) -> requests.Response:
        held = sorted(kept["seq"] for kept in self.ops.values())
        contiguous = 0
        while contiguous + 1 in held:
            contiguous += 1
        ranges = [[seq, seq] for seq in held if seq > contiguous]
        return answer(200, {"epoch": self.office.epoch, "contiguous": contiguous, "ranges": ranges})

    def _photo(self, method: str, path: str, body: bytes, headers: Any) -> requests.Response:
        if method == "POST":
            pairs = dict(part.split(" ") for part in headers["upload-metadata"].split(","))
            values = {name: _unb64(value).decode() for name, value in pairs.items()}
            self.photos.setdefault(
                values["sha256"], {**values, "length": int(headers["upload-length"]), "data": b"", "gone": False}
            )
            return raw(201, b"", {"Location": f"/phone/v1/photos/{values['photo']}", "Upload-Offset": "0"})
        found = [p for p in self.photos.values() if p["photo"] == path.split("/")[2]]
        if not found:
            return answer(404, {"code": "not-found"})
        (photo,) = found
        if photo["gone"]:
            return answer(410, {"code": "gone"})
        if method == "PATCH":
            assert _unb64(headers["upload-checksum"].split(" ")[1]) == sha256(body) and len(body) <= 262_144
            if int(headers["upload-offset"]) != len(photo["data"]):
                return answer(409, {"code": "conflict"})
            photo["data"] += body
        state = {"Upload-Offset": str(len(photo["data"])), "Upload-Length": str(photo["length"])}
        if len(photo["data"]) == photo["length"]:
            state["Upload-State"] = "complete" if b64u(sha256(photo["data"])) == photo["sha256"] else "quarantined"
        return raw(204, b"", state)


class _Cut(io.BytesIO):
    """A connection that breaks after its bytes."""

    def read(self, size: int | None = -1, /) -> bytes:
        data = super().read(size)
        if not data:
            raise requests.ConnectionError("cut")
        return data


def answer(status: int, value: Any, headers: dict[str, str] | None = None) -> requests.Response:
    return raw(status, dumps(value), headers or {})


def without_body(response: requests.Response) -> requests.Response:
    """As servers answer `HEAD`: a refusal's document is not sent either."""
    response.raw = io.BytesIO()
    return response


def raw(status: int, data: bytes, headers: dict[str, str]) -> requests.Response:
    response = requests.Response()
    response.status_code = status
    response.raw = io.BytesIO(data)
    response.headers = requests.structures.CaseInsensitiveDict({"Content-Length": str(len(data)), **headers})
    return response


def _b64(data: bytes) -> str:
    import base64

    return base64.b64encode(data).decode()


def _unb64(data: str) -> bytes:
    import base64

    return base64.b64decode(data)
