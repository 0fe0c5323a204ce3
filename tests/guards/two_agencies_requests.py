"""A valid request for every operation of the office, with the places where an id stands in it.

`Ref("visit")` stands for a visit's id: the tests put an own one, a foreign one or an unknown one there. A new operation
needs a row here, a new place for an id a `Ref`; the tests name what is missing, by the OpenAPI document.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from field_api.domain.credentials import WireToken
from tests.office_client import OfficeClient

API = "/api/v1"
EVERYBODY = ""


@dataclass(frozen=True)
class Ref:
    """An id of this kind of row stands here."""

    kind: str


CURSOR = Ref("cursor")
"""`next` of a page of the same list."""


@dataclass(frozen=True)
class Ask:
    """One way to call an operation. `path`, `query`, `json`, `form` and `files` hold Refs where ids stand.

    `only` names the one who asks where it cannot be everybody. `makes` says that answers hold ids made for them.
    """

    path: Mapping[str, Ref] = field(default_factory=dict)
    query: Mapping[str, Any] = field(default_factory=dict)
    json: Any = None
    form: Mapping[str, Any] | None = None
    file: bytes | None = None
    only: str = EVERYBODY
    makes: bool = False
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def places(self) -> dict[str, Ref]:
        """Every place of an id, by its name: `path.visit_id`, `json.references.0`."""
        parts = {"path": self.path, "query": self.query, "json": self.json, "form": self.form}
        return dict(_refs(parts, ""))

    @property
    def place_sets(self) -> list[tuple[str, ...]]:
        """Each place alone, and all of them together."""
        names = tuple(self.places)
        return [*((name,) for name in names), *([names] if len(names) > 1 else [])]

    @property
    def whole(self) -> Ask:
        """The list from its beginning, with as much as comes at once."""
        return replace(
            self, query={name: value for name, value in self.query.items() if name not in {"limit", "after"}}
        )


def _refs(part: Any, place: str) -> Iterator[tuple[str, Ref]]:
    if isinstance(part, Ref):
        yield place, part
    elif isinstance(part, Mapping):
        for name, inner in part.items():
            yield from _refs(inner, f"{place}.{name}" if place else name)
    elif isinstance(part, list):
        for index, inner in enumerate(part):
            yield from _refs(inner, f"{place}.{index}")


def filled(part: Any, ids: Mapping[str, str], place: str = "") -> Any:
    """`part` with the id of each place put in."""
    if isinstance(part, Ref):
        return ids[place]
    if isinstance(part, Mapping):
        return {name: filled(inner, ids, f"{place}.{name}") for name, inner in part.items()}
    if isinstance(part, list):
        return [filled(inner, ids, f"{place}.{index}") for index, inner in enumerate(part)]
    return part


def send(client: OfficeClient, operation: str, ask: Ask, ids: Mapping[str, str], **headers: str) -> Any:
    """Send the request with these ids in its places."""
    method, _, path = operation.partition(" ")
    for name, value in filled(ask.path, ids, "path").items():
        path = path.replace("{" + name + "}", value)
    body: dict[str, Any] = {}
    if ask.json is not None:
        body["json"] = filled(ask.json, ids, "json")
    if ask.form is not None:
        body["data"] = filled(ask.form, ids, "form")
    if ask.file is not None:
        body["data"] = {"file": (io.BytesIO(ask.file), "file.csv")}
    query = filled(ask.query, ids, "query")
    return client.open(path, method=method, query_string=query, headers={**ask.headers, **headers}, **body)


def _path(name: str, kind: str | None = None, **more: Any) -> tuple[Ask, ...]:
    return (Ask({name: Ref(kind or name.removesuffix("_id"))}, **more),)


def _query(kind: str, **more: Any) -> tuple[Ask, ...]:
    return (Ask(query={kind: Ref(kind)}, **more),)


def _list(**filters: Any) -> tuple[Ask, ...]:
    return (Ask(query={"limit": "1", "after": CURSOR}), *((Ask(query=filters),) if filters else ()))


_TIMES = {"starts_at": "09:00", "ends_at": "18:00", "start": {"latitude": 19.4, "longitude": -99.1}}
_REASON = {"reason": "porque sí"}
_CALL = {"id": "c-1", "account": "CT-?", "channel": "call", "at": "2026-11-16", "outcome": "no_answer"}
_LOOKED = {"query": {"dry_run": "true"}, "headers": {"If-Match": "*"}}


def _change(kind: str, **fields: Any) -> Ask:
    """Of a draft, by hand; only looked at, so that the draft stays as it is for the other places."""
    return Ask({"plan_id": Ref("draft")}, json={"kind": kind, **fields}, **_LOOKED)


_PARTY = {"visit_id": Ref("visit"), "person_id": Ref("person")}
_KEPT = {"device_id": Ref("sending device"), "op_id": Ref("kept op")}
_MENDED = {"kind": "note", "body": {"words": "w"}, "visit_id": Ref("visit"), **_REASON}
_PICTURE = b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 2 1"><path d="M0 0h2v1z"/></svg>'
_NAMED = {"language": "es", "jurisdiction": "MX", "currency": "MXN"}
_NEW_AGENT = {"name": "Nueva", "languages": ["es"], "timezone": "America/Mexico_City"}
_SIGN_IN = {"email": "controladora@agency.test", "name": "C", "role": "controller", "password": "correct horse battery"}

# Reads first; what ends or takes back comes last, so that everything is there while it is asked for.
_OPERATIONS: dict[str, tuple[Ask, ...]] = {
    "GET /me": (Ask(),),
    "POST /me/password": (Ask(json={"old_password": "not the one", "new_password": "another horse battery"}),),
    "GET /staff": _list(),
    "GET /tokens": _list(),
    "GET /agents": _list(),
    "GET /agents/{agent_id}": _path("agent_id"),
    "GET /agents/{agent_id}/route": (Ask({"agent_id": Ref("agent")}, {"day": Ref("day")}),),
    "GET /plans": _list(day=Ref("day")),
    "GET /plans/why-not": (Ask(query={"account": Ref("account"), "day": Ref("day")}),),
    "GET /plans/explanation": (Ask(query={"account": Ref("account"), "day": "2026-11-18"}),),
    "GET /plans/{plan_id}": _path("plan_id"),
    "GET /plans/{plan_id}/routes": _path("plan_id"),
    "GET /plans/{plan_id}/changes": (Ask({"plan_id": Ref("plan")}, {"limit": "1", "after": CURSOR}),),
    "GET /plans/{plan_id}/not-planned": (Ask({"plan_id": Ref("plan")}, {"limit": "1", "after": CURSOR}),),
    "GET /creditors": _list(),
    "GET /creditors/{creditor_id}": _path("creditor_id"),
    "GET /creditors/{creditor_id}/brand": _path("creditor_id"),
    "GET /creditors/{creditor_id}/letter-readiness": _path("creditor_id"),
    "GET /agency/letter-particulars": (Ask(),),
    "GET /accounts": _list(creditor=Ref("creditor")),
    "POST /accounts/search": (Ask(json={"creditor_id": Ref("creditor"), "references": [Ref("reference")]}),),
    "GET /accounts/{account_id}": _path("account_id"),
    "GET /visits": (*_list(agent=Ref("agent")), Ask(query={"day": Ref("day")})),
    "GET /visits/{visit_id}": _path("visit_id"),
    "GET /unlocks": _list(visit=Ref("visit"), agent=Ref("agent")),
    "GET /unlock-reviews": _list(),
    "GET /attempts": (Ask(query={"after": Ref("attempt number")}),),
    "GET /promises": _list(account=Ref("account")),
    "GET /disputes": _list(account=Ref("account")),
    "GET /contact-candidates": _list(),
    "GET /holds": _list(account=Ref("held account")),
    "GET /addresses/without-coordinates": _list(),
    "GET /routes/{route_id}/sheet": _path("route_id"),
    "GET /routes/{route_id}/letters": _path("route_id"),
    "GET /letters/{letter_id}/document": _path("letter_id"),
    "GET /letters/{letter_id}/custody": _path("letter_id"),
    "GET /papers/chase": (Ask(query={"why": "unprinted", "limit": "1", "after": CURSOR}),),
    "GET /papers/chase/overview": (Ask(),),
    "GET /legend-cards/{language}": (Ask(),),
    "GET /photos": _list(visit=Ref("visit")),
    "GET /photos/expected": (Ask(query={"visit": Ref("visit")}),),
    "GET /photos/{photo_id}/alike": _path("photo_id"),
    "GET /photos/{photo_id}": _path("photo_id"),
    "GET /photos/{photo_id}/rendition": (Ask({"photo_id": Ref("photo")}, {"link": Ref("large link")}),),
    "GET /photos/{photo_id}/original": (Ask({"photo_id": Ref("photo")}, {"link": Ref("original link")}),),
    "POST /photos/{photo_id}/links": _path("photo_id", json={"size": "large"}),
    "POST /photos/{photo_id}/original": _path("photo_id", json=_REASON),
    "GET /devices": _list(),
    "GET /sync-health": _list(),
    "GET /quarantine": _list(),
    "GET /quarantine/bytes": _list(),
    "GET /quarantine/{device_id}/{op_id}": (Ask(_KEPT),),
    "GET /quarantine/{device_id}/{op_id}/content": (Ask(_KEPT),),
    "GET /quarantine/bytes/{bytes_id}/content": _path("bytes_id", "odd bytes"),
    "POST /agents": (Ask(json={"code": Ref("new code"), **_NEW_AGENT}, makes=True),),
    "PATCH /agents/{agent_id}": _path("agent_id", json={"skills": ["sign-language"]}),
    "PUT /agents/{agent_id}/languages": _path("agent_id", json={"languages": ["es", "en"]}),
    "PUT /agents/{agent_id}/shifts/{weekday}": _path("agent_id", json=_TIMES),
    "POST /agents/{agent_id}/absences": _path(
        "agent_id", json={"first_day": "2027-02-01", "last_day": "2027-02-02"}, makes=True
    ),
    "POST /creditors": (Ask(json={"name": Ref("new name"), **_NAMED}, makes=True),),
    "PATCH /creditors/{creditor_id}": _path("creditor_id", json={"phone": "+52 55 0000 0009"}),
    "GET /creditors/{creditor_id}/letter-templates": (
        Ask({"creditor_id": Ref("creditor")}, {"limit": "1", "after": CURSOR}),
    ),
    "POST /creditors/{creditor_id}/letter-templates": _path("creditor_id", json={"source": "#let outer = 1"}),
    "POST /letter-templates/{template_id}/preview": _path("template_id", json={"jurisdiction": "MX"}),
    "PUT /letter-templates/{template_id}/state": _path("template_id", json={"state": "retired"}),
    "PUT /creditors/{creditor_id}/brand": _path(
        "creditor_id", json={"signature_name": "R. Inventada"}, headers={"If-Match": "*"}
    ),
    "POST /creditors/{creditor_id}/brand/images": _path("creditor_id", file=_PICTURE),
    "PATCH /agency/letter-particulars": (Ask(json={"registration": "REG-00"}),),
    "POST /creditors/{creditor_id}/imports": _path("creditor_id", file=b"not;a;portfolio\n1;2;3\n"),
    "PATCH /accounts/{account_id}": _path("account_id", json={"product": "línea blanca"}),
    "PATCH /addresses/{address_id}": _path("address_id", json={"latitude": 19.43, "longitude": -99.13}),
    "PATCH /addresses/{address_id}/visit-needs": _path("address_id", json={"skills": ["sign-language"]}),
    "POST /addresses/{address_id}/opt-out": _path("address_id", json={"wanted": True}),
    "POST /attempts": (Ask(json={"creditor_id": Ref("creditor"), "attempts": [_CALL]}),),
    "POST /holds": (
        Ask(json={"kind": "clarification", "reason": "r", "account_id": Ref("held account")}, makes=True),
        Ask(json={"kind": "deceased", "reason": "r", "person_id": Ref("held person")}, makes=True),
    ),
    "POST /holds/{hold_id}/lift": _path("hold_id", json=_REASON),
    "POST /contact-candidates/{candidate_id}/accept": _path("candidate_id"),
    "POST /contact-candidates/{candidate_id}/reject": _path("candidate_id"),
    "POST /unlock-reviews/{review_id}/decision": _path("review_id", json={"state": "accepted", "note": "visto"}),
    "POST /plans": (Ask(json={"day": "2026-12-23"}, makes=True),),
    "POST /plans/{plan_id}/changes": (
        _change("move", stop_id=Ref("draft stop"), agent_id=Ref("another agent")),
        _change("reorder", agent_id=Ref("agent"), order=[Ref("draft stop")]),
        _change("reassign", agent_id=Ref("agent"), to_agent_id=Ref("another agent")),
        _change("add", account_id=Ref("held account")),
    ),
    "POST /plans/{plan_id}/optimise": (
        Ask({"plan_id": Ref("draft")}, json={"seed": 1}, headers={"If-Match": "*"}, makes=True),
    ),
    "POST /plans/{plan_id}/papers": _path("plan_id"),
    "POST /plans/{plan_id}/publish": _path("plan_id"),
    "POST /plans/{plan_id}/replan": (
        Ask({"plan_id": Ref("plan")}, json={"ill": [Ref("agent")], "preview": True}),
        Ask({"plan_id": Ref("plan")}, json={"late": [{"agent_id": Ref("agent"), "minutes": 9}], "preview": True}),
        Ask({"plan_id": Ref("plan")}, json={"add": [Ref("account")], "preview": True}),
    ),
    "POST /routes/{route_id}/prints": _path("route_id"),
    "POST /plans/{plan_id}/prints": _path("plan_id"),
    "POST /letters/{letter_id}/prints": _path("letter_id", json=_REASON),
    "POST /letters/{letter_id}/moves": _path("letter_id"),
    "POST /agents/{agent_id}/hand-ins": _path("agent_id", json={"on": "2026-11-18"}),
    "GET /routes/{route_id}/paper-sheet": _path("route_id"),
    "GET /plans/{plan_id}/sheets": _path("plan_id"),
    "POST /visits/{visit_id}/letters": (
        Ask(
            {"visit_id": Ref("visit")},
            json={"kind": "promise_confirmation", "account_id": Ref("account")},
            makes=True,
        ),
    ),
    "POST /letters/{letter_id}/custody": _path("letter_id", json={"state": "returned"}),
    "POST /visits/{visit_id}/codes/{person_id}/disclose": (Ask(_PARTY, json=_REASON),),
    "POST /visits/{visit_id}/codes/{person_id}/reissue": (Ask(_PARTY, json=_REASON),),
    "POST /visits/{visit_id}/reassign": (Ask({"visit_id": Ref("visit")}, json={"agent_id": Ref("another agent")}),),
    "POST /visits/{visit_id}/withdraw": _path("visit_id", json=_REASON),
    "POST /routes/{route_id}/paper-sheet": (
        Ask({"route_id": Ref("route")}, json={"rows": [{"row": "1", "phone": "+52 55 0000 0009"}]}, makes=True),
    ),
    "POST /photos/{photo_id}/allow": _path("photo_id", json=_REASON),
    "POST /photos/{photo_id}/destroy": _path("photo_id", json={"reason": "not-needed"}),
    "POST /quarantine/{device_id}/{op_id}/decision": (Ask(_KEPT, json={"action": "dismiss", **_REASON}),),
    "POST /quarantine/bytes/{bytes_id}/decision": _path("bytes_id", "odd bytes", json={"action": "release", **_REASON}),
    "POST /quarantine/{device_id}/{op_id}/mend": (Ask(_KEPT, json=_MENDED),),
    "POST /quarantine/bytes/{bytes_id}/mend": _path("bytes_id", "odd bytes", json=_MENDED),
    "POST /quarantine/retry": (Ask(json={"code": "unknown-visit", **_REASON}),),
    "POST /devices": (Ask(json={"agent_id": Ref("agent")}, makes=True),),
    "POST /devices/{device_id}/revoke": _path("device_id", "spare device", json={"reason": "lost"}),
    "DELETE /agents/{agent_id}/shifts/{weekday}": _path("agent_id"),
    "POST /staff": (Ask(json={**_SIGN_IN, "creditor_id": Ref("creditor")}, makes=True),),
    "POST /staff/{staff_id}/password": _path("staff_id", json={"new_password": "another horse battery"}),
    "DELETE /staff/{staff_id}": _path("staff_id"),
    "POST /tokens": (Ask(json={"name": "n", "permissions": ["visits.read"]}, makes=True),),
    "DELETE /tokens/{token_id}": _path("token_id"),
}

_PAGES: dict[str, tuple[Ask, ...]] = {
    "GET /healthz": (Ask(),),
    "GET /readyz": (Ask(),),
    "GET /style.css": (Ask(),),
    "GET /console/": (Ask(query={"day": Ref("day")}),),
    "GET /console/papers": (Ask(),),
    "GET /console/paper-sheets": (Ask(query={"day": Ref("day")}),),
    "GET /console/paper-sheet": _query("route"),
    "POST /console/paper-sheet": _query("route", form={"1.phone": "+52 55 0000 0009"}),
    "GET /console/photos": (Ask(query={"visit": Ref("visit")}),),
    "GET /console/photo": _query("photo"),
    "POST /console/photo/allow": _query("photo", form=_REASON),
    "POST /console/photo/original": _query("photo", form=_REASON),
    "POST /console/photo/destroy": _query("photo", form={"reason": "not-needed"}),
    "GET /sign-in": (Ask(only="anonymous"),),
    "POST /sign-in": (Ask(json={"email": "nobody@agency.test", "password": "not the one"}, only="anonymous"),),
    "POST /sign-out": (Ask(only="anonymous"),),
    "GET /api/v1/openapi.json": (Ask(),),
}

OPERATIONS: dict[str, tuple[Ask, ...]] = {
    **_PAGES,
    **{operation.replace(" ", f" {API}", 1): asks for operation, asks in _OPERATIONS.items()},
}
FIXED = {"{language}": "es", "{weekday}": "2"}
"""What stands in paths and is no id."""


def path_of(operation: str) -> str:
    for name, value in FIXED.items():
        operation = operation.replace(name, value)
    return operation


def documented_places(document: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """(operation, place) of every id that the OpenAPI document lists: UUIDs anywhere in a request, and cursors."""
    for path, item in document["paths"].items():
        for method, operation in item.items():
            if method == "parameters":
                continue
            name = f"{method.upper()} {path}"
            for parameter in (*item.get("parameters", []), *operation.get("parameters", [])):
                if _is_id(parameter["schema"]) or _is_cursor(parameter):
                    yield name, f"{parameter['in']}.{parameter['name']}"
            content = operation.get("requestBody", {}).get("content", {})
            for place in _body_places(document, content.get("application/json", {}).get("schema", {}), "json"):
                yield name, place


def _body_places(document: Mapping[str, Any], schema: Mapping[str, Any], place: str) -> Iterator[str]:
    for reference in (schema.get("$ref"), *(each.get("$ref") for each in schema.get("allOf", ()))):
        if reference:
            named = document["components"]["schemas"][reference.rpartition("/")[2]]
            yield from _body_places(document, named, place)
    if _is_id(schema):
        yield place
    for name, inner in schema.get("properties", {}).items():
        if not inner.get("readOnly"):
            yield from _body_places(document, inner, f"{place}.{name}")
    if "items" in schema:
        yield from _body_places(document, schema["items"], f"{place}.0")


def _is_id(schema: Mapping[str, Any]) -> bool:
    return schema.get("format") == "uuid"


def _is_cursor(parameter: Mapping[str, Any]) -> bool:
    """Numbers that count attempts are named `after` as well, and point to nobody's row."""
    return parameter["name"] == "after" and "string" in _types(parameter["schema"])


def _types(schema: Mapping[str, Any]) -> list[str]:
    found = schema.get("type", [])
    return [found] if isinstance(found, str) else list(found)


def with_parts(wire: str, **parts: Any) -> str:
    """An API token with another agency or token id in it."""
    token = WireToken.parse(wire)
    assert token is not None
    return str(WireToken(parts.get("agency_id", token.agency_id), parts.get("token_id", token.token_id), token.secret))
