"""Two answers, compared: whole, or without what the one who asked may see.

Whoever may see secrets of the office (dispatcher, manager, a creditor's controller, integrator) is compared without
the values that the OpenAPI document labels confidential or personal: status, headers, order, ids, counts and every
other field must be the same. For everybody else all of it must be: each header, each byte.
"""

from __future__ import annotations

import base64
import binascii
import json
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from werkzeug.test import TestResponse

from field_api.domain.disclosure import Label
from tests.door_client import records
from tests.twins.requests import Operation, resolved

ENTITLED = frozenset({"dispatcher", "manager", "controller", "controller elsewhere", "integrator"})
"""Who may see confidential and personal values. Written down here, not asked of the product."""
SECRET = {Label.CONFIDENTIAL.value, Label.PERSONAL.value}
INSIDES = frozenset(
    {
        "/api/v1/letters/{letter_id}/document",
        "/api/v1/letters/{letter_id}/prints",
        "/api/v1/routes/{route_id}/prints",
        "/api/v1/plans/{plan_id}/prints",
    }
)
"""Paper that holds a letter's inside, which goes into a sealed envelope: for the entitled its bytes may differ."""
PAGES = frozenset({"/console/papers"})
"""Pages that show the entitled what is confidential, letters' serial numbers and states: no schema says where."""
OF_LENGTH = frozenset({"content-length", "etag"})


@dataclass(frozen=True)
class Difference:
    """What a third party could tell the twins apart by."""

    where: str  # operation and who asked
    what: str  # status, header NAME, body, log, ...
    left: str
    right: str

    def __str__(self) -> str:
        left, right = excerpts(self.left, self.right)
        return f"{self.where}: {self.what}: {left!r} / {right!r}"


def excerpts(left: str, right: str, before: int = 80, most: int = 300) -> tuple[str, str]:
    """Both texts from a little before where they part: of a page, its beginning would tell nothing."""
    parting = (at for at, (one, two) in enumerate(zip(left, right, strict=False)) if one != two)
    same = next(parting, min(len(left), len(right)))
    return left[max(0, same - before) :][:most], right[max(0, same - before) :][:most]


@dataclass(frozen=True)
class Answer:
    """An answer as it may be compared."""

    parts: Mapping[str, Any]

    def differences(self, other: Answer, where: str) -> list[Difference]:
        names = [*self.parts, *(name for name in other.parts if name not in self.parts)]
        pairs = [(name, self.parts.get(name), other.parts.get(name)) for name in names]
        return [
            Difference(where, f"{name}{place}", str(one), str(two))
            for name, left, right in pairs
            if left != right
            for place, one, two in [first_difference(left, right)]
        ]


def first_difference(left: Any, right: Any, place: str = "") -> tuple[str, Any, Any]:
    """The first place inside where two values differ."""
    if isinstance(left, dict) and isinstance(right, dict):
        if list(left) != list(right):
            return f"{place} (keys)", list(left), list(right)
        for name in left:
            if left[name] != right[name]:
                return first_difference(left[name], right[name], f"{place}.{name}")
    if isinstance(left, list) and isinstance(right, list):
        if len(left) != len(right):
            return f"{place} (length)", len(left), len(right)
        for index, (one, two) in enumerate(zip(left, right, strict=True)):
            if one != two:
                return first_difference(one, two, f"{place}.{index}")
    return place, left, right


def office_answer(
    document: Mapping[str, Any], operation: Operation, who: str, response: TestResponse, log: str
) -> Answer:
    headers = [(name.lower(), value) for name, value in response.headers.items()]
    body: Any = response.data
    if who in ENTITLED and response.status_code < 300:
        shape = _shape_of(document, operation, response)
        if shape is not None:
            body, headers = masked(document, shape, response.json), _without_length(headers)
        elif operation.path in INSIDES | PAGES:
            body, headers = None, _without_length(headers)
    return Answer({"status": response.status_code, "headers": headers, "body": body, "log": log})


def _without_length(headers: list[tuple[str, str]]) -> list[tuple[str, str]]:
    return [(name, "" if name in OF_LENGTH else value) for name, value in headers]


def _shape_of(document: Mapping[str, Any], operation: Operation, response: TestResponse) -> Any:
    if not response.is_json or not response.data:
        return None
    described = operation.described.get("responses", {}).get(str(response.status_code), {})
    content = resolved(document, described).get("content", {})
    return content.get("application/json", {}).get("schema")


def masked(document: Mapping[str, Any], schema: Mapping[str, Any], value: Any) -> Any:
    """The value without what its schema labels confidential or personal."""
    schema = resolved(document, schema)
    if schema.get("x-label") in SECRET:
        return f"<{schema['x-label']}>"
    if isinstance(value, dict) and "properties" in schema:
        return {name: masked(document, schema["properties"].get(name, {}), part) for name, part in value.items()}
    if isinstance(value, dict) and isinstance(schema.get("additionalProperties"), dict):
        return {name: masked(document, schema["additionalProperties"], part) for name, part in value.items()}
    if isinstance(value, list):
        return [masked(document, schema.get("items", {}), part) for part in value]
    return value


DRAWN_BY_OPENSSL = frozenset(
    {
        "ct", "sig", "prev", "roll", "wrapped", "link", "sha256", "root", "key", "receipt_sig", "ct_sha256", "leaf", "kid",
        "sheet",
    }
)  # fmt: skip
"""Names whose bytes are ciphertexts, signatures or hashes of such: compared by length. A sheet's digest is sealed under a
drawn key with a drawn nonce; it is opened and compared by `opened_feed`."""
WRITTEN = frozenset({"h", "statement", "receipt", "cert", "checkpoint", "protected", "m", "anchor", "next"})
"""Names whose bytes are JSON (or a dotted row of such parts): opened, then compared."""


def door_answer(response: TestResponse, log: str) -> Answer:
    """The door's answer: JSON inside of JSON opened, what OpenSSL drew at random by length, all else as it is."""
    headers = [
        (name.lower(), spelled("anchor", value) if name in {"Doorstep-Anchor"} else _etag(name, value))
        for name, value in response.headers.items()
    ]
    body: Any = response.data
    if response.is_json and response.data:
        body = spelled("", response.json)
    elif response.mimetype == "application/octet-stream" and (found := _records(response)) is not None:
        body = found
    elif response.mimetype == "application/octet-stream":
        body = f"{len(response.data)} bytes"
    return Answer({"status": response.status_code, "headers": headers, "body": body, "log": log})


def _records(response: TestResponse) -> list[Any] | None:
    """Of the feed and of a whole snapshot every record: kind, JSON, and the lengths of the rest. Tiles are hashes."""
    if response.status_code != 200:
        return None
    try:
        found = records(response.data)
        return [[kind, len(sig), spelled("", json.loads(said)), len(sealed)] for kind, sig, said, sealed, _ in found]
    except (struct.error, AssertionError, ValueError):
        return None


def _etag(name: str, value: str) -> str:
    return f"{len(value)} characters" if name.lower() == "etag" else value


def spelled(name: str, value: Any) -> Any:
    if isinstance(value, dict):
        return {key: spelled(key, part) for key, part in value.items()}
    if isinstance(value, list):
        return [spelled(name, part) for part in value]
    if isinstance(value, str) and name in DRAWN_BY_OPENSSL:
        return f"{len(value)} characters"
    if isinstance(value, str) and name in WRITTEN:
        return [_part(part) for part in value.split(".")]
    return value


def _part(text: str) -> Any:
    if len(text) < 40:
        return text
    try:
        return spelled("", json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))))
    except (ValueError, binascii.Error):
        return f"{len(text)} characters"
