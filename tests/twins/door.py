"""The phone door's routes as an enrolled, an unknown, a forging and an unsigned phone asks them; feeds opened."""

from __future__ import annotations

import base64
import json
import random
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid5

from flask import Flask
from werkzeug.test import TestResponse

from tests.door_client import Phone, b64u, page_of, sha256, snapshot_of, un64, unpacked
from tests.sync_day import nul, opened, sheet_keys
from tests.twins.hidden import Hidden
from tests.twins.requests import Operation, Unbuildable
from tests.twins.sides import TwinWorld
from tests.twins.world import Known

DOOR = ("phone", "unknown", "forged", "unsigned")
PHOTO_BYTES = 400
AT_THE_DOOR = 3_000_000
"""From this number on an operation is well formed: one more is an outcome at the second visit, four more at the first."""
_SEALED = re.compile(r"[A-Za-z0-9_-]{43,}")  # 32 bytes and more in base64url, and no UUID


def door_operations(app: Flask) -> list[Operation]:
    """Every method on every path of the door, HEAD and OPTIONS where a view answers them itself."""
    found = []
    for rule in app.url_map.iter_rules():
        view = app.view_functions[rule.endpoint]
        own = set(rule.methods or ()) - ({"HEAD"} if "GET" in (rule.methods or ()) else set())
        if getattr(view, "provide_automatic_options", None) is not False and not rule.endpoint.endswith("offered"):
            own -= {"OPTIONS"}
        found += [Operation(method, rule.rule) for method in own]
    return sorted(found, key=str)


@dataclass(frozen=True)
class DoorRequest:
    """One request to the door, sent to both twins; an operation's sealed body holds each twin's own secrets."""

    operation: Operation
    world: TwinWorld
    chance: random.Random
    name: str

    def __post_init__(self) -> None:
        object.__setattr__(self, "drawn", self.chance.random())
        if str(self.operation) not in _BUILDERS:
            raise Unbuildable(f"{self.operation} of the door")

    def send(self, phone: Phone, who: str, hidden: Hidden) -> TestResponse:
        built = _BUILDERS[str(self.operation)](self, phone, hidden)
        path, body, query, headers = (*built, None, "", {})[:4] if len(built) < 4 else built
        if who == "unsigned":
            sent = {"Content-Type": "application/json", **headers} if body is not None else headers
            address = path + (f"?{query}" if query else "")
            return phone.client.open(address, method=self.operation.method, data=body, headers=sent)
        if phone.anchor is None and who == "phone":
            phone.take_anchor()
        answer = phone.call(self.operation.method, path, body, query=query, headers=headers)
        if who == "phone" and answer.status_code == 401:
            answer = phone.call(self.operation.method, path, body, query=query, headers=headers)
        return answer

    def pick(self, *options: Any) -> Any:
        return options[int(self.drawn * len(options))]  # type: ignore[attr-defined]  # set once, frozen afterwards


def _plain(path: str) -> Any:
    return lambda request, phone, hidden: (path, None, "", {})


def _feed(request: DoorRequest, phone: Phone, hidden: Hidden) -> Any:
    query = request.pick("", "limit=1", "limit=3", "limit=200", "limit=0", "after=x", "after=1.0.AAAA", "limit=5")
    return "/phone/v1/feed", None, query, {}


def _snapshot(request: DoorRequest, phone: Phone, hidden: Hidden) -> Any:
    span = request.pick(None, "bytes=0-99", "bytes=100-", "bytes=999999-", "bytes=-10")
    return "/phone/v1/feed/snapshot", None, "", {"Range": span} if span else {}


def _tile(request: DoorRequest, phone: Phone, hidden: Hidden) -> Any:
    return f"/phone/v1/log/tile/{request.pick(0, 0, 1, 9)}/{request.pick(0, 0, 0, 5)}", None, "", {}


def _anchors(request: DoorRequest, phone: Phone, hidden: Hidden) -> Any:
    return "/phone/v1/anchors", None, "", {}


def _ops(request: DoorRequest, phone: Phone, hidden: Hidden) -> Any:
    if request.drawn < 0.2 and int(request.name) < AT_THE_DOOR:  # type: ignore[attr-defined]  # set once
        return "/phone/v1/ops", b'{"ops": [{"protected": "x"}]}', "", {}
    known = request.world.known
    visit = known.visits[int(request.name) % 4]
    kind, body = (
        ("encounter", {"party": {"relation": "relative"}}),
        ("outcome", {"outcome": "client_located", "party": {"relation": "sought"}, "identified_by": "answers",
                     "results": [{"result": "promise", "kind": "partial", "due_on": hidden.day("promises").isoformat(),
                                  "amount": {"minor": hidden.number("promises", 10**6), "currency": "MXN"}}]}),
        ("identity_check", {"method": "answers", "passed": True, "kinds": ["postcode", "tax_id"]}),
    )[int(request.name) % 3]  # fmt: skip
    op = uuid5(known.agency, f"op {request.name}")
    body_of = json.dumps({"ops": [phone.operation(kind, body, visit=visit, av=1, op=op)]}).encode()
    return "/phone/v1/ops", body_of, "", {}


def _enrol(request: DoorRequest, phone: Phone, hidden: Hidden) -> Any:
    body = {"hash": b64u(sha256(request.name.encode())), "request": b64u(b"{}"), "mac": b64u(bytes(32))}
    return "/phone/v1/enrolments", json.dumps(request.pick(body, body, {}, [])).encode(), "", {}


def _devices(request: DoorRequest, phone: Phone, hidden: Hidden) -> Any:
    stranger = {"agency": str(request.world.known.agency), "device": str(UUID(int=int(request.name)))}
    shown = {"cert": b64u(json.dumps(stranger).encode()), "sig": b64u(bytes(64))}
    return "/phone/v1/devices", json.dumps({"device_certificate": request.pick(shown, shown, {}, [])}).encode(), "", {}


def _enrolment(request: DoorRequest, phone: Phone, hidden: Hidden) -> Any:
    return f"/phone/v1/enrolments/{UUID(int=int(request.name))}", None, "", {}


_TUS = {"Tus-Resumable": "1.0.0"}


def _photo(request: DoorRequest) -> bytes:
    return sha256(str(int(request.name) % 7).encode()) * (PHOTO_BYTES // 32)


def _create(request: DoorRequest, phone: Phone, hidden: Hidden) -> Any:
    sealed = _photo(request)
    metadata = {
        "photo": str(uuid5(request.world.known.agency, "photo op")), "sha256": b64u(sha256(sealed)),
        "key": b64u(bytes(113)), "keyid": "0" * 16,
    }  # fmt: skip
    text = ",".join(f"{name} {base64.b64encode(value.encode()).decode()}" for name, value in metadata.items())
    return "/phone/v1/photos", None, "", {**_TUS, "Upload-Length": str(len(sealed)), "Upload-Metadata": text}


def _upload_path(known: Known, request: DoorRequest) -> str:
    from field_api.platform.tenancy import acting_for
    from media.door.uploads import upload_id_of

    with acting_for(known.agency):
        return f"/phone/v1/photos/{upload_id_of(known.device, sha256(_photo(request)))}"


def _upload(request: DoorRequest, phone: Phone, hidden: Hidden) -> Any:
    return _upload_path(request.world.known, request), None, "", dict(_TUS)


def _patch(request: DoorRequest, phone: Phone, hidden: Hidden) -> Any:
    piece = _photo(request)[: request.pick(100, PHOTO_BYTES)]
    headers = {
        **_TUS, "Content-Type": "application/offset+octet-stream", "Upload-Offset": "0",
        "Upload-Checksum": f"sha256 {base64.b64encode(sha256(piece)).decode()}",
    }  # fmt: skip
    return _upload_path(request.world.known, request), piece, "", headers


_BUILDERS: dict[str, Any] = {
    "GET /healthz": _plain("/healthz"),
    "GET /readyz": _plain("/readyz"),
    "POST /phone/v1/anchors": _anchors,
    "GET /phone/v1/feed": _feed,
    "GET /phone/v1/feed/snapshot": _snapshot,
    "GET /phone/v1/log/checkpoint": _plain("/phone/v1/log/checkpoint"),
    "GET /phone/v1/log/tile/<int:level>/<int:index>": _tile,
    "POST /phone/v1/ops": _ops,
    "GET /phone/v1/ops/state": _plain("/phone/v1/ops/state"),
    "POST /phone/v1/enrolments": _enrol,
    "POST /phone/v1/devices": _devices,
    "GET /phone/v1/enrolments/<uuid:enrolment_id>": _enrolment,
    "OPTIONS /phone/v1/photos": _plain("/phone/v1/photos"),
    "POST /phone/v1/photos": _create,
    "OPTIONS /phone/v1/photos/<uuid:upload_id>": _upload,
    "HEAD /phone/v1/photos/<uuid:upload_id>": _upload,
    "PATCH /phone/v1/photos/<uuid:upload_id>": _patch,
    "DELETE /phone/v1/photos/<uuid:upload_id>": _upload,
}


def opened_feed(phone: Phone, response: TestResponse) -> Any:
    """What the device reads in its feed or snapshot with its own keys: the open parts; of locks only the outside."""
    if response.data[:1] == b"\x05":
        parts = snapshot_of(response.data)
        manifest = json.loads(parts.manifest)
        keys = sheet_keys(phone, manifest["sheet_keys"])
        bound = (manifest["agency"], manifest["device"], manifest["epoch"], manifest["seq"])
        lines = [
            _outside(keys[key], ct, nul(b"doorstep-snapshot-v1", *bound, index))
            for index, (key, ct) in enumerate(parts.lines)
        ]
        return {"lines": lines, "digest": _digest(keys, manifest)}
    page = page_of(response.data)
    keys = sheet_keys(phone, page["sheet_keys"])
    items = [(un64(item["h"]), un64(item["ct"])) for item in page["items"]]
    read = [_outside(keys[json.loads(head)["key"]], ct, sha256(head)) for head, ct in items]
    signed = page["digest"]
    return {"items": read, "digest": _digest(keys, json.loads(un64(signed["statement"]))) if signed else None}


def _digest(keys: Mapping[str, bytes], signed: Mapping[str, Any]) -> str:
    """What the sealed digest says of the sheet: made of ids and numbers, so the same for both twins."""
    bound = (signed["agency"], signed["device"], signed["epoch"], signed["seq"])
    return opened(keys[signed["key"]], un64(signed["sheet"]), nul(b"doorstep-digest-v1", *bound)).hex()


def _outside(key: bytes, ct: bytes, associated: bytes) -> Any:
    """The item as the phone reads it without any unlocking: what is sealed inside by its length alone."""
    content = unpacked(opened(key, ct, associated))
    if content["body"].get("locks"):
        content["body"]["locks"] = _sealed_by_length(content["body"]["locks"])
    return {**content, "bytes": len(ct)}


def _sealed_by_length(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _sealed_by_length(part) for name, part in value.items()}
    if isinstance(value, list):
        return [_sealed_by_length(part) for part in value]
    return f"{len(value)} characters" if isinstance(value, str) and _SEALED.fullmatch(value) else value


__all__ = ["DOOR", "DoorRequest", "door_operations", "opened_feed"]
