"""The phone door's gate: every answer is a listed JSON shape or ciphertext, under listed headers, or it does not leave.

The door's answers are for MACHINE: phones open what is sealed, whoever else reads them learns nothing. The modules that
make the routes declare their answers; the application asks once at its start-up whether every route has one, and each
response passes `check` as the last thing before the server writes it.
"""

from __future__ import annotations

import re
import secrets
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import structlog
from flask import Flask, Response, json, request

from field_api.domain.disclosure import Audience, Label
from field_api.platform.egress import (
    Closed,
    EgressRefused,
    Outlet,
    OutletKind,
    Shape,
    check_declared,
    declare,
    outlet,
    passed,
)
from field_api.platform.overload import Load
from field_api.platform.problems import STATUS, Problem, problem_response
from field_api.platform.records import MEDIA_TYPE, BadRecords, read_records

log = structlog.get_logger()


def closed(form: str) -> Closed:
    """A text of this form that says nothing about anybody."""
    return Closed(Label.INTERNAL, re.compile(form))


NUMBER = closed(r"-?\d{1,19}|True|False")
UUID_TEXT = closed(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
SEALED = closed(r"[A-Za-z0-9_-]+")
"""base64url: ciphertext, signatures, signed statements of ids and numbers."""
ANCHOR = closed(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")
MOMENT = closed(r"\d{4}-\d\d-\d\dT[0-9:.]{8,15}Z")
HASHES = frozenset(range(256))

PROBLEM_TYPE = "application/problem+json"
PROBLEMS = declare(
    OutletKind.DOOR_ROUTE,
    "problems",
    Audience.MACHINE,
    shape={
        "type": closed("urn:doorstep:problem:(" + "|".join(STATUS) + ")"),
        "title": closed("|".join(code.replace("-", " ") for code in STATUS)),
        "status": NUMBER,
        "code": closed("|".join(STATUS)),
        "detail": closed(r"[ -~]{1,160}"),  # a guard test holds that the door's own are constants of the code
        "at": closed(r"[A-Za-z-]{1,40}"),
        "incident": closed(r"[0-9a-f]{16}"),
        "wipe": {
            "order": SEALED,
            "sig": SEALED,
            "keys": {
                "roots": [{"root": SEALED, "old": SEALED, "new": SEALED}],
                "certificates": [{"cert": SEALED, "sig": SEALED}],
            },
        },
    },
)
_HEADERS: dict[str, re.Pattern[str]] = {
    name: re.compile(form)
    for name, form in {
        "content-type": r"application/(json|problem\+json|octet-stream)|text/html; charset=utf-8",
        "content-length": r"\d+",
        "content-range": r"bytes (\d+-\d+|\*)/\d+",
        "accept-ranges": "bytes",
        "allow": r"[A-Z]+(, [A-Z]+)*",
        "cache-control": "no-store",
        "date": r"[A-Za-z]{3}, [0-9A-Za-z: ]+ GMT",
        "etag": r'"[A-Za-z0-9_-]{43}"',
        "retry-after": r"\d+",
        "doorstep-anchor": ANCHOR.form.pattern,
        "location": r"/phone/v1/photos/" + UUID_TEXT.form.pattern,
        "tus-resumable": r"1\.0\.0",
        "tus-version": r"1\.0\.0",
        "tus-extension": r"[a-z-]+(,[a-z-]+)*",
        "tus-checksum-algorithm": "sha256",
        "tus-max-size": r"\d+",
        "upload-offset": r"\d+",
        "upload-length": r"\d+",
        "upload-expires": r"[A-Za-z]{3}, [0-9A-Za-z: ]+ GMT",
        "upload-state": "complete|quarantined",
    }.items()
}


@dataclass(frozen=True)
class RecordShape:
    """One kind of record of a body: its JSON, whether it is signed, and which lengths its ciphertext may have."""

    name: str
    document: Shape
    signed: bool = True
    sealed: frozenset[int] = frozenset({0})


@dataclass(frozen=True)
class Answers:
    """What one route of the door answers: JSON shapes by status, sealed bodies by status, records by status and kind,
    statuses without a body; and whose slots a call of it takes.

    Refusals are problem documents and need no line here.
    """

    method: str
    path: str
    json: Mapping[int, Shape] = field(default_factory=dict)
    sealed: Mapping[int, frozenset[int]] = field(default_factory=dict)
    records: Mapping[int, Mapping[int, RecordShape]] = field(default_factory=dict)
    empty: frozenset[int] = frozenset()
    load: Load = Load.SMALL

    @property
    def name(self) -> str:
        return f"{self.method} {self.path}"


_ANSWERS: dict[str, Answers] = {}


def declare_answers(*answers: Answers) -> None:
    """Declare routes of the door as outlets for machines. Raises UndeclaredOutlet for a label they may not see."""
    for each in answers:
        shape: dict[str, Shape] = {str(status): shape for status, shape in each.json.items()}
        for status, kinds in each.records.items():
            shape[str(status)] = {kind.name: [kind.document] for kind in kinds.values()}
        declare(OutletKind.DOOR_ROUTE, each.name, Audience.MACHINE, shape=shape)
        _ANSWERS[each.name] = each


class GatedFlask(Flask):
    """An application whose every response passes the gate, whoever made it."""

    def process_response(self, response: Response) -> Response:
        """Flask's last step, after every `after_request`: what does not pass becomes a bare 500 with an incident."""
        try:
            response = super().process_response(response)
            check(response)
        # Flask would send a response whose processing failed, while it answers an error: nothing goes out unchecked.
        except Exception as error:  # noqa: BLE001  # argued above
            incident = secrets.token_hex(8)
            place = error.place if isinstance(error, EgressRefused) else type(error).__name__
            log.error("egress-refused", incident=incident, place=place, endpoint=request.endpoint)
            return problem_response(Problem("internal", extra={"incident": incident}))
        return response


def check_door_routes(app: Flask) -> None:
    """For the start-up. Raises UndeclaredOutlet naming every route without declared answers."""
    check_declared((OutletKind.DOOR_ROUTE, name) for name in route_names(app))


def route_names(app: Flask) -> Iterator[str]:
    """`METHOD /path` of each route; the HEAD and OPTIONS that Flask adds by itself are left out."""
    for rule in app.url_map.iter_rules():
        methods = rule.methods or set()
        added = {"OPTIONS"} if getattr(rule, "provide_automatic_options", True) else set()
        added |= {"HEAD"} if "GET" in methods else set()
        yield from (f"{method} {rule.rule}" for method in sorted(methods - added))


def check(response: Response) -> None:
    """Raises EgressRefused unless the running request's response is one that its route declared."""
    _check_headers(response.headers.items())
    if response.mimetype == PROBLEM_TYPE:
        passed(PROBLEMS, json.loads(response.get_data()))
        return
    name = _route_name()
    if name is None:
        if response.get_data():
            raise EgressRefused("door", "answers by no route")
        return
    _check_body(outlet(OutletKind.DOOR_ROUTE, name), _ANSWERS[name], response)


def load_of_request() -> Load:
    """Whose slots the running request takes; what is no route of ours is soon refused, and counts as small."""
    name = _route_name()
    return _ANSWERS[name].load if name else Load.SMALL


def _route_name() -> str | None:
    """The declared name of the running route, or None where Flask answers by itself (OPTIONS, an unknown path)."""
    if request.url_rule is None:
        return None
    for method in (request.method, "GET" if request.method == "HEAD" else request.method):
        if f"{method} {request.url_rule.rule}" in _ANSWERS:
            return f"{method} {request.url_rule.rule}"
    return None


def _check_body(way: Outlet, answers: Answers, response: Response) -> None:
    status = response.status_code
    if response.mimetype == "application/json" and status in answers.json:
        _check_json(way, status, response.get_data())
    elif response.mimetype == MEDIA_TYPE and status in answers.records:
        _check_records(way, answers, status, response.get_data())
    elif status in answers.sealed:
        if response.get_data().translate(None, bytes(answers.sealed[status])):
            raise EgressRefused(way.place, "holds what ciphertext has not", f"{status}")
    elif status not in answers.empty or (status != 304 and response.get_data()):  # of a 304 the server sends no body
        raise EgressRefused(way.place, "is not what this route declared", f"{status}")


def check_records(status: int, body: bytes) -> None:
    """For a view that may send a part of a body of records. Raises EgressRefused unless the whole is as declared."""
    name = _route_name() or ""
    _check_records(outlet(OutletKind.DOOR_ROUTE, name), _ANSWERS[name], status, body)


def _check_records(way: Outlet, answers: Answers, status: int, body: bytes) -> None:
    kinds, documents = answers.records[status], defaultdict(list)
    try:
        for record in read_records(body):
            kind = kinds[record.kind]
            if bool(record.signature) != kind.signed or len(record.sealed) not in kind.sealed:
                raise EgressRefused(way.place, "holds a record of other lengths", kind.name)
            documents[kind.name].append(json.loads(record.document))
    except (BadRecords, KeyError, ValueError) as error:
        raise EgressRefused(way.place, "holds something beside its records", f"{status}") from error
    passed(way, {str(status): documents})


def _check_json(way: Outlet, status: int, body: bytes) -> None:
    if request.method == "HEAD" and not body:
        return
    passed(way, {str(status): json.loads(body)})


def _check_headers(headers: Iterable[tuple[str, Any]]) -> None:
    for name, value in headers:
        form = _HEADERS.get(name.lower())
        if form is None or not form.fullmatch(str(value)):
            raise EgressRefused("door", "is not a header of the door", name if form is None else f"{name}:value")
