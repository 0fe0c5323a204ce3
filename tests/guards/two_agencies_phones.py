"""A valid call for every route of the phone door, with the places where an id of somebody else's can stand in it."""

from __future__ import annotations

import json
import os
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from flask import Flask

from tests.door_client import Phone, b64u, page_of, sha256, un64
from tests.guards.two_agencies_house import House
from tests.photo_phone import TUS, base64_text, piece_headers

PHONE = "/phone/v1"
PHOTOS = f"{PHONE}/photos"
Ids = Mapping[str, str]


@dataclass(frozen=True)
class Call:
    """One signed call. `places` names each place of an id with its kind; `make` gives the request with ids in it."""

    make: Callable[[Phone, Ids], dict[str, Any]]
    places: Mapping[str, str] = field(default_factory=dict)
    made: tuple[str, ...] = ()
    """Names of JSON keys and headers whose values follow from the ids that were sent, or from chance."""


def _plain(path: str, **more: Any) -> Call:
    return Call(lambda _phone, _ids: {"path": PHONE + path, **more})


def _feed(_phone: Phone, ids: Ids) -> dict[str, Any]:
    return {"path": f"{PHONE}/feed", "query": f"after={ids['query.after']}&limit=1"}


def _upload(**more: Any) -> Call:
    def make(_phone: Phone, ids: Ids) -> dict[str, Any]:
        return {"path": f"{PHOTOS}/{ids['path.upload_id']}", "headers": TUS, **more}

    return Call(make, {"path.upload_id": "upload"})


def _create(_phone: Phone, ids: Ids) -> dict[str, Any]:
    metadata = {
        "photo": ids["metadata.photo"],
        "sha256": ids["metadata.sha256"] or b64u(os.urandom(32)),  # another picture each time
        "key": b64u(b"k" * 113),
        "keyid": ids["metadata.keyid"],
    }
    pairs = ",".join(f"{name} {base64_text(value)}" for name, value in metadata.items())
    return {"path": PHOTOS, "headers": {**TUS, "Upload-Length": "1000", "Upload-Metadata": pairs}}


def _piece(_phone: Phone, ids: Ids) -> dict[str, Any]:
    return {
        "path": f"{PHOTOS}/{ids['path.upload_id']}",
        "headers": piece_headers(0, b"x"),
        "body": b"x",
    }


def _ops(phone: Phone, ids: Ids) -> dict[str, Any]:
    """An operation that names an agency, a device, a visit, an operation it waits for: in the clear, signed."""
    seq, link = phone.seq, phone.link
    claimed = {"agency": ids["protected.agency"], "device": ids["protected.device"]}
    op, dep = (uuid.UUID(ids[place]) if ids[place] else uuid.uuid4() for place in ("protected.op", "protected.deps"))
    operation = phone.operation(
        "arrived", {}, visit=uuid.UUID(ids["protected.visit"]), av=1, op=op,
        deps=(dep,), **claimed,
    )  # fmt: skip
    phone.seq, phone.link = seq, link  # each is the next one after the same: their numbers tell nothing
    return {"path": f"{PHONE}/ops", "body": json.dumps({"ops": [operation]}).encode()}


OPS_PLACES = {
    "protected.agency": "agency", "protected.device": "device", "protected.visit": "visit", "protected.op": "inbox op",
    "protected.deps": "inbox op",
}  # fmt: skip
METADATA = {"metadata.photo": "photo", "metadata.sha256": "digest", "metadata.keyid": "key id"}


def _snapshot(_phone: Phone, ids: Ids) -> dict[str, Any]:
    return {"path": f"{PHONE}/feed/snapshot", "headers": {"If-None-Match": f'"{ids["header.if_none_match"]}"'}}


SIGNED: dict[str, Call] = {
    f"GET {PHONE}/feed": Call(_feed, {"query.after": "cursor"}),
    f"GET {PHONE}/feed/snapshot": Call(_snapshot, {"header.if_none_match": "etag"}),
    f"GET {PHONE}/log/checkpoint": _plain("/log/checkpoint"),
    f"GET {PHONE}/log/tile/<int:level>/<int:index>": _plain("/log/tile/0/0"),
    f"GET {PHONE}/ops/state": _plain("/ops/state"),
    f"POST {PHONE}/anchors": _plain("/anchors", anchored=False),
    f"HEAD {PHOTOS}/<uuid:upload_id>": _upload(),
    f"PATCH {PHOTOS}/<uuid:upload_id>": Call(_piece, {"path.upload_id": "upload"}),
    f"POST {PHOTOS}": Call(_create, METADATA, ("Location",)),
    f"POST {PHONE}/ops": Call(_ops, OPS_PLACES, ("receipt", "sig")),
    f"DELETE {PHOTOS}/<uuid:upload_id>": _upload(),
}
"""By method and rule. What ends something comes last."""

UNSIGNED: dict[str, tuple[str, str]] = {
    f"OPTIONS {PHOTOS}": ("OPTIONS", PHOTOS),
    f"OPTIONS {PHOTOS}/<uuid:upload_id>": ("OPTIONS", PHOTOS + "/{upload}"),
    f"POST {PHONE}/enrolments": ("POST", f"{PHONE}/enrolments"),
    f"POST {PHONE}/devices": ("POST", f"{PHONE}/devices"),
    f"GET {PHONE}/enrolments/<uuid:enrolment_id>": ("GET", PHONE + "/enrolments/{enrolment}"),
    "GET /healthz": ("GET", "/healthz"),
    "GET /readyz": ("GET", "/readyz"),
}
"""Without a signature: what says nothing of anybody, and enrolment, where knowing the id or the hash is the right.
A certificate that is shown is kept for the office, which alone can tell whether it is its own."""


def door_routes(door: Flask) -> set[str]:
    """`METHOD rule`; the HEAD and OPTIONS that Flask answers by itself are left out."""
    found = set()
    for rule in door.url_map.iter_rules():
        methods = set(rule.methods or ())
        methods -= {"HEAD"} if "GET" in methods else set()
        methods -= {"OPTIONS"} if rule.provide_automatic_options else set()
        found |= {f"{method} {rule.rule}" for method in methods}
    return found


class PhoneIds:
    """What stands at a place for a branch, and what stands there for nobody."""

    def __init__(self, house: House) -> None:
        self.house = house
        self._cursors: dict[str, str] = {}

    def of(self, branch: str, kind: str) -> str:
        known = self.house.branches[branch]
        if kind == "agency":
            return str(known.agency)
        if kind == "cursor":
            return self._cursor(branch)
        if kind in ("digest", "key id"):
            return known.id(f"upload {kind}")
        if kind == "etag":
            return known.id("snapshot etag")
        return known.id(kind)

    def unknown(self, kind: str) -> str:
        if kind == "cursor":
            return f"1.1.{b64u(os.urandom(32))}"
        if kind in ("digest", "etag"):
            return b64u(os.urandom(32))
        if kind == "key id":
            return os.urandom(8).hex()
        return str(uuid.uuid4())

    def _cursor(self, branch: str) -> str:
        """After the first item of this branch's phone."""
        if branch not in self._cursors:
            page = self.house.phones[branch].call("GET", f"{PHONE}/feed", query="limit=1")
            (item,) = page_of(page.data)["items"]
            head, ct = un64(item["h"]), un64(item["ct"])
            claims = json.loads(head)
            roll = sha256(b"doorstep-roll-v1" + un64(claims["prev"]) + sha256(head) + sha256(ct))
            self._cursors[branch] = f"{claims['epoch']}.{claims['seq']}.{b64u(roll)}"
        return self._cursors[branch]


def claims_of(receipt: str) -> dict[str, Any]:
    """A receipt's body without what follows from the operation that was sent."""
    body: dict[str, Any] = json.loads(un64(receipt))
    return {name: value for name, value in body.items() if name not in ("op", "link")}


__all__ = ["SIGNED", "UNSIGNED", "Call", "PhoneIds", "claims_of", "door_routes"]
