"""The response gate: the last thing between the office and the wire.

Whatever made a response (a view, an error handler, the sign-in's library, a stored answer), it leaves only where it
fits what its operation declared for the audience that the request ran for: media type, shape, headers, file name,
metadata. Anything else becomes a 500 with an incident id. The log says which rule refused and at which operation; it
says nothing of the body.
"""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import structlog
from flask import Flask, Response, g, request

from field_api.domain.disclosure import Audience, Label, may_see
from field_api.http.bodies import JPEG, JSON, PDF, Body
from field_api.http.documents import NotNeutral, check_jpeg, check_pdf
from field_api.http.header_rules import HeaderRefused, check_headers
from field_api.http.problems import ProblemSchema
from field_api.http.response_headers import KEPT_AN_HOUR, with_headers
from field_api.http.shapes import Check, OutOfShape, Unreadable, shape_of
from field_api.platform.problems import STATUS, Problem, problem_response

log = structlog.get_logger()

PROBLEM_TYPE = "application/problem+json"
_PASSED = "doorstep.passed"
_NOTHING_THERE = {204, 304}
_PLACE = re.compile(r"[A-Za-z0-9_.?*-]+( \d{1,7})?")
_HEADER = re.compile(r"[^\x00-\x1f\x7f]{1,200}")
_REASONS_OF_COLUMNS = {
    "column-missing", "column-twice", "not-a-constant", "not-a-header", "not-allowed", "not-an-object", "not-text",
    "unknown-field", "unknown-key", "unknown-status",
}  # fmt: skip
"""Of field_api.domain.column_map: their place is a key or a header that the sender wrote."""
_REASON = re.compile(r"[A-Za-z0-9_-]{1,64}")
_INCIDENT = re.compile(r"[0-9a-f]{16}")
_MAX_DETAIL = 400


class Withheld(Exception):
    """The response stays here. `rule` is a word of this module, `place` a name of the code; no part of the answer."""

    def __init__(self, rule: str, place: str = "") -> None:
        super().__init__(rule)
        self.rule, self.place = rule, place


@dataclass(frozen=True)
class Operation:
    """What one method of one endpoint may answer, with the check of its JSON for each audience that it answers."""

    bodies: dict[str | None, Body]
    shapes: dict[Audience, Check]


def operation(bodies: Iterable[Body], audiences: Iterable[Audience]) -> Operation:
    """Raises Unreadable for a schema that cannot be checked, so that the start fails and not the request."""
    by_type: dict[str | None, Body] = {}
    for body in bodies:
        if by_type.setdefault(body.mimetype, body) != body:
            raise Unreadable(f"two kinds of {body.mimetype} in one operation")
    schema = by_type[JSON].schema if JSON in by_type else None
    return Operation(by_type, {who: shape_of(schema, who) for who in audiences} if schema is not None else {})


def install_gate(app: Flask, operations: dict[tuple[str, str], Operation]) -> None:
    """Put the gate around all that the application answers. `operations` are by endpoint and method."""
    make = app.process_response  # after-request functions, and the session's cookie

    def gated(response: Response) -> Response:
        try:
            response = make(response)
            _check(app, response, operations)
        # Flask would send a response whose processing failed: here nothing goes out unchecked, whatever failed.
        except Exception as error:  # noqa: BLE001  # argued above
            response = _withheld(error)
        request.environ[_PASSED] = True
        return response

    app.process_response = gated  # type: ignore[method-assign]  # the one place that every response passes
    app.wsgi_app = _only_what_passed(app.wsgi_app)  # type: ignore[method-assign]  # Flask's documented way


def _check(app: Flask, response: Response, operations: dict[tuple[str, str], Operation]) -> None:
    if response.is_streamed or response.direct_passthrough:
        raise Withheld("streamed")
    check_headers(app, response)
    if response.status_code >= 400:
        _check_problem(response)
    elif _carries_nothing(response):
        if response.get_data() and response.status_code != 304:
            raise Withheld("body")
    else:
        _check_body(response, operations)


def _carries_nothing(response: Response) -> bool:
    moved = 300 <= response.status_code < 400
    return moved or response.status_code in _NOTHING_THERE or request.method == "OPTIONS"


def _check_body(response: Response, operations: dict[tuple[str, str], Operation]) -> None:
    who: Audience | None = g.get("audience")
    method = "GET" if request.method == "HEAD" else request.method
    declared = operations.get((request.endpoint or "", method))
    if who is None or declared is None:
        raise Withheld("no-audience")
    if who is not Audience.MACHINE and response.headers.get("Cache-Control") == KEPT_AN_HOUR:
        raise Withheld("cache-control")
    body = declared.bodies.get(response.mimetype)
    if body is None:
        raise Withheld("content-type")
    _check_name(response, body)
    if body.mimetype == JSON and body.schema is not None:
        if who not in declared.shapes:
            raise Withheld("no-audience")
        declared.shapes[who](_parsed(response.get_data()))
    elif body.mimetype == PDF and not body.as_it_came:
        check_pdf(response.get_data(), inside=Label.CONFIDENTIAL in body.labels)
    elif body.mimetype == JPEG and not body.as_it_came:
        check_jpeg(response.get_data())


def _check_name(response: Response, body: Body) -> None:
    """A downloaded file has the one name that its operation declared, whatever is in it."""
    disposition = response.headers.get("Content-Disposition")
    ways = ("attachment",) if body.as_it_came else ("attachment", "inline")
    names = {f'{how}; filename="{body.name}"' for how in ways} if body.name else {None}
    if disposition not in names:
        raise Withheld("content-disposition")


def _check_problem(response: Response) -> None:
    """Errors are problem documents, whoever asked; the texts are constants of the code (tests/guards)."""
    if response.mimetype != PROBLEM_TYPE or "Content-Disposition" in response.headers:
        raise Withheld("problem-type")
    said = _parsed(response.get_data())
    _PROBLEM(said)
    code = said.get("code")
    right = (
        STATUS.get(code) == response.status_code == said.get("status")
        and said.get("type") == f"urn:doorstep:problem:{code}"
        and said.get("title") == code.replace("-", " ")
        and len(said.get("detail", "")) <= _MAX_DETAIL
        and (said.get("at") is None or _PLACE.fullmatch(said["at"]) or _names_a_column(said))
        and (said.get("reason") is None or _REASON.fullmatch(said["reason"]))
        and (said.get("incident") is None or _INCIDENT.fullmatch(said["incident"]))
    )
    if not right:
        raise Withheld("problem")


def _names_a_column(said: dict[str, Any]) -> bool:
    """A header of a creditor's file or map, as it was sent: told only to those who may see such a file."""
    who: Audience | None = g.get("audience")
    may = who is not None and may_see(who, Label.CONFIDENTIAL)
    return may and said.get("reason") in _REASONS_OF_COLUMNS and _HEADER.fullmatch(said["at"]) is not None


def _parsed(data: bytes) -> Any:
    try:
        return json.loads(data, object_pairs_hook=_without_repetition)
    except (ValueError, RecursionError) as error:
        raise Withheld("json") from error


def _without_repetition(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Of a key that stands there twice only the last would be looked at, and both would be sent."""
    found = dict(pairs)
    if len(found) < len(pairs):
        raise Withheld("json")
    return found


def _withheld(error: Exception) -> Response:
    incident = secrets.token_hex(8)
    log.error("egress-refused", incident=incident, place=_place(error), endpoint=request.endpoint)
    return with_headers(problem_response(Problem("internal", extra={"incident": incident})))


def _place(error: Exception) -> str:
    """The rule that refused; of an error of another kind its type. Neither is part of the answer."""
    if isinstance(error, Withheld):
        return error.rule
    if isinstance(error, (OutOfShape, HeaderRefused, NotNeutral)):
        return f"{type(error).__name__}:{error}"
    return type(error).__name__


def _only_what_passed(wsgi_app: Callable[..., Any]) -> Callable[..., Any]:
    """Nothing that went around the gate reaches the server, by whatever way a later change may find."""

    def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        began: list[tuple[Any, ...]] = []

        def hold(*arguments: Any) -> None:
            began.append(arguments)

        answer = wsgi_app(environ, hold)
        if environ.get(_PASSED):
            start_response(*began[-1])
            return answer  # type: ignore[no-any-return]  # what WSGI applications return
        getattr(answer, "close", lambda: None)()
        start_response("500 INTERNAL SERVER ERROR", [("Content-Length", "0")])
        return [b""]

    return application


_PROBLEM = shape_of(ProblemSchema(), Audience.MACHINE)
