"""Requests made up from the OpenAPI document and the URL map: valid ones, slightly wrong ones, foreign ids.

A new operation comes in by itself. One whose path, query or body has a place that nothing here knows how to fill
raises Unbuildable: then this table learns the place, or the operation is not compared and the test fails.
"""

from __future__ import annotations

import random
import string
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from flask import Flask

from field_api.http.guard import routes
from field_api.http.openapi import document_of, documented_path
from tests.twins.world import DAY, Known


class Unbuildable(LookupError):
    """No request can be made for this operation: nobody said what stands in one of its places."""


@dataclass(frozen=True)
class Operation:
    """One method on one path. `described` is its part of the OpenAPI document, empty outside of it."""

    method: str
    path: str  # as OpenAPI writes it
    described: Mapping[str, Any] = field(default_factory=dict, hash=False, compare=False)

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


@dataclass(frozen=True)
class Request:
    operation: Operation
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    json: Any = None
    file: bytes | None = None

    def kwargs(self) -> dict[str, Any]:
        import io

        sent: dict[str, Any] = {"query_string": self.query, "headers": self.headers}
        if self.file is not None:
            sent["data"] = {"file": (io.BytesIO(self.file), "cartera.csv")}
            sent["content_type"] = "multipart/form-data"
        elif self.json is not None:
            sent["json"] = self.json
        return sent


IDS = {
    "staff_id": "staff", "token_id": "token", "agent_id": "agent", "agent": "agent", "plan_id": "plan",
    "route_id": "route", "route": "route", "creditor_id": "creditor", "creditor": "creditor", "account_id": "account",
    "account": "account", "ill": "agent", "add": "account", "visit_id": "visit", "visit": "visit", "person_id": "person", "person": "person",
    "hold_id": "hold", "address_id": "address", "address": "address", "candidate_id": "candidate",
    "letter_id": "letter", "photo_id": "photo", "photo": "photo", "device_id": "device", "device": "device", "plan": "plan",
    "stop_id": "stop", "order": "stop", "to_agent_id": "agent",
    "op": "hold", "op_id": "hold", "event_id": "hold", "review_id": "visit", "bytes_id": "hold", "template_id": "hold",
}  # fmt: skip
"""Which of a world's ids a name in a path, query or body asks for."""

TEXTS = {
    "language": "es", "timezone": "America/Mexico_City", "jurisdiction": "MX", "currency": "MXN",
    "password": "correct horse battery", "new_password": "correct horse battery 2", "permissions": "visits.read",
    "link": "made-up", "languages": "es", "email": "neu@agency.test",
}  # fmt: skip
NEVER = {("POST", "/sign-out"), ("POST", "/sign-in")}
"""Ends the very session of the comparison; compared for the anonymous alone."""
CSV = "contrato,nombre,saldo\nZZ-1,Ñandú Inventado,{amount}\n"


def of_page(path: str) -> list[dict[str, Any]]:
    """What stands in the address of a page, which no document lists."""
    if path == "/console/paper-sheet":
        return [{"in": "query", "name": "route", "required": True, "schema": {"type": "string", "format": "uuid"}}]
    if not path.startswith("/console/photo"):
        return []
    name, required = ("visit", False) if path == "/console/photos" else ("photo", True)
    return [{"in": "query", "name": name, "required": required, "schema": {"type": "string", "format": "uuid"}}]


def operations(app: Flask) -> list[Operation]:
    """Every route of the office: the OpenAPI document's, and the few outside of it."""
    document = document_of(app)
    found = []
    for route in routes(app):
        path = documented_path(route)
        item = document["paths"].get(path, {})
        described = dict(item.get(route.method.lower(), {}))
        described["parameters"] = [*item.get("parameters", []), *described.get("parameters", []), *of_page(path)]
        if route.path.startswith("/api/v1/") and "responses" not in described and "openapi" not in route.path:
            raise Unbuildable(f"{route.method} {route.path} is not in the document")
        found.append(Operation(route.method, path, described))
    return sorted(found, key=str)


@dataclass
class Requests:
    """Makes up requests for one world. `document` resolves references."""

    document: Mapping[str, Any]
    known: Known
    chance: random.Random
    wrong: float = 0.25  # how many places hold something that does not belong there

    def build(self, operation: Operation) -> Request:
        path, query, headers = operation.path, {}, {}
        for parameter in operation.described.get("parameters", []):
            parameter = self._resolved(parameter)
            name, schema = parameter["name"], self._resolved(parameter.get("schema", {}))
            if parameter["in"] == "path":
                path = path.replace("{" + name + "}", str(self._placed(name, schema, operation)))
            elif parameter["in"] == "query" and (parameter.get("required") or self.chance.random() < 0.4):
                query[name] = self._query(name, schema, operation)
            elif name == "If-Match" and self.chance.random() < 0.8:
                headers[name] = "*"
        if "{" in path:
            raise Unbuildable(f"{operation}: nothing describes a place in its path")
        if self.chance.random() < 0.05:
            query["unheard_of"] = "1"
        json, file = self._body(operation)
        return Request(operation, path, query, headers, json, file)

    def _placed(self, name: str, schema: Mapping[str, Any], operation: Operation) -> Any:
        if schema.get("format") == "uuid" or name.endswith("_id"):
            return self._id(name, operation)
        if "enum" in schema:
            return self.chance.choice(schema["enum"])
        if schema.get("type") == "integer":
            return self.chance.randrange(0, 8)
        if name in TEXTS:
            return self.chance.choice((TEXTS[name], "xx"))
        raise Unbuildable(f"{operation}: what stands in {{{name}}}?")

    def _id(self, name: str, operation: Operation) -> str:
        kind = IDS.get(name)
        if kind is None or kind not in self.known.ids:
            raise Unbuildable(f"{operation}: whose id is {name}?")
        if self.chance.random() < self.wrong / 2:
            return str(UUID(int=self.chance.getrandbits(128), version=4))
        if self.chance.random() < self.wrong / 4:
            other = self.chance.choice(sorted(self.known.ids))
            return self.chance.choice(self.known.ids[other])
        return self.chance.choice(self.known.ids[kind])

    def _query(self, name: str, schema: Mapping[str, Any], operation: Operation) -> str:
        if self.chance.random() < self.wrong:
            return self.chance.choice(("", "-1", "0", "x" * 30, "2026-13-01", "null", "1e9", "ñ"))
        value = self._value(name, schema, operation)
        return str(value).lower() if isinstance(value, bool) else str(value)

    def _body(self, operation: Operation) -> tuple[Any, bytes | None]:
        content = self._resolved(operation.described.get("requestBody") or {}).get("content", {})
        if not content:
            return None, None
        if "multipart/form-data" in content:
            return None, CSV.format(amount=self.chance.randrange(10**6)).encode()
        if "application/json" not in content:
            raise Unbuildable(f"{operation}: a body of {', '.join(content)}")
        if self.chance.random() < self.wrong / 5:
            return self.chance.choice(([], "x", {"unheard_of": 1}, None)), None
        return self._value("", content["application/json"]["schema"], operation), None

    def _value(self, name: str, schema: Mapping[str, Any], operation: Operation) -> Any:
        schema = self._resolved(schema)
        kinds = schema.get("type", "object" if "properties" in schema else None)
        kinds = [kinds] if isinstance(kinds, str) else list(kinds or ["string"])
        if "null" in kinds and (len(kinds) == 1 or self.chance.random() < 0.2):
            return None
        (kind, *_) = [kind for kind in kinds if kind != "null"]
        if "enum" in schema:
            return self.chance.choice([value for value in schema["enum"] if value is not None])
        if kind == "object":
            return self._object(schema, operation)
        if kind == "array":
            return [self._value(name, schema.get("items", {}), operation) for _ in range(self.chance.randrange(1, 3))]
        if kind == "boolean":
            return self.chance.random() < 0.5
        if kind in {"integer", "number"}:
            low, high = int(schema.get("minimum", 0)), int(schema.get("maximum", 10**6))
            return self.chance.choice((low, high, self.chance.randint(low, min(high, low + 10**6))))
        return self._text(name, schema, operation)

    def _object(self, schema: Mapping[str, Any], operation: Operation) -> dict[str, Any]:
        required = set(schema.get("required", []))
        made = {}
        for name, part in schema.get("properties", {}).items():
            part = self._resolved(part)
            if part.get("readOnly"):
                continue
            missing = self.chance.random() < self.wrong / 8
            if (name in required and not missing) or self.chance.random() < 0.5:
                made[name] = self._value(name, part, operation)
        if made and self.chance.random() < self.wrong / 3:
            made[self.chance.choice(sorted(made))] = self.chance.choice((None, [], -1, "x" * 3000, {"a": 1}))
        return made

    def _text(self, name: str, schema: Mapping[str, Any], operation: Operation) -> str:
        form = schema.get("format")
        if form == "uuid":
            return self._id(name, operation)
        if form == "date":
            return self.chance.choice((DAY.isoformat(), "2026-11-19", "2027-02-01"))
        if form == "date-time":
            return "2026-11-18T16:00:00+00:00"
        if form == "time":
            return self.chance.choice(("09:00:00", "18:00:00"))
        if name in TEXTS:
            return TEXTS[name]
        length = max(int(schema.get("minLength", 0)), min(12, int(schema.get("maxLength", 12))))
        return "".join(self.chance.choice(string.ascii_letters) for _ in range(length))

    def _resolved(self, schema: Mapping[str, Any]) -> Mapping[str, Any]:
        return resolved(self.document, schema)


def resolved(document: Mapping[str, Any], schema: Mapping[str, Any]) -> Mapping[str, Any]:
    """The schema with its reference followed; what stands beside the reference stays."""
    for single in ("allOf", "anyOf", "oneOf"):
        options = [one for one in schema.get(single, []) if one != {"type": "null"}]
        if len(options) == 1:
            schema = {**{name: value for name, value in schema.items() if name != single}, **options[0]}
    while "$ref" in schema:
        found: Any = document
        for part in schema["$ref"].removeprefix("#/").split("/"):
            found = found[part]
        schema = {**found, **{name: value for name, value in schema.items() if name != "$ref"}}
    return schema


def everybody(operation: Operation) -> Iterator[str]:
    """Whoever can ask."""
    yield "anonymous"
    if (operation.method, operation.path) not in NEVER:
        yield from ("agent", "admin", "dispatcher", "manager", "controller", "controller elsewhere", "integrator")
