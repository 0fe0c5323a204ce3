"""Refusals: one closed catalogue with stable codes, one mapping to HTTP status, RFC 9457 on the wire.

Whatever is not in the catalogue becomes a bare 500 with an incident id and nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from flask import Flask, Response, json
from werkzeug.exceptions import HTTPException

from field_api.platform.crash import log_incident

STATUS: dict[str, int] = {
    "bad-request": 400,
    "invalid-json": 400,
    "invalid-fields": 422,
    "invalid-file": 422,
    "not-signed-in": 401,
    "signature-required": 401,
    "signature-invalid": 401,
    "anchor-stale": 401,
    "not-permitted": 403,
    "enrolment-refused": 403,
    "device-revoked": 403,
    "not-found": 404,
    "method-not-allowed": 405,
    "conflict": 409,
    "idempotency-mismatch": 409,
    "already-done": 409,
    "cannot-be-kept": 409,  # a change by hand after which hours, a shift or an agent's abilities would not hold
    "rule-refuses": 409,
    "invalid-change": 422,
    "resync-required": 410,
    "gone": 410,
    "precondition-failed": 412,
    "precondition-required": 428,
    "too-large": 413,
    "media-type": 415,
    "range-not-satisfiable": 416,
    "digest-mismatch": 460,  # tus 1.0.0 checksum extension
    "hold-in-force": 409,
    "quota-exceeded": 413,
    "rate-limited": 429,
    "internal": 500,
    "unavailable": 503,
}
"""Every code a client may meet. Codes are stable; texts may change."""


@dataclass
class Problem(Exception):
    """A refusal. `detail` is for a person and holds no secret; `at` names the place (a field, a row)."""

    code: str
    detail: str = ""
    at: str | None = None
    headers: dict[str, str] = field(default_factory=dict)
    extra: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.code not in STATUS:
            raise ValueError(f"{self.code} is not in the catalogue")
        Exception.__init__(self, self.code)

    @property
    def status(self) -> int:
        return STATUS[self.code]


def problem_response(problem: Problem) -> Response:
    body: dict[str, Any] = {
        "type": f"urn:doorstep:problem:{problem.code}",
        "title": problem.code.replace("-", " "),
        "status": problem.status,
        "code": problem.code,
    }
    if problem.detail:
        body["detail"] = problem.detail
    if problem.at:
        body["at"] = problem.at
    body.update(problem.extra)
    response = Response(json.dumps(body), status=problem.status, mimetype="application/problem+json")
    response.headers.update(problem.headers)
    return response


_HTTP_CODES = {
    400: "bad-request",
    401: "not-signed-in",
    403: "not-permitted",
    404: "not-found",
    405: "method-not-allowed",
    413: "too-large",
    415: "media-type",
    416: "range-not-satisfiable",
    422: "invalid-fields",
    429: "rate-limited",
}


def install_problem_handlers(app: Flask) -> None:
    """Every error that leaves this application is a problem document; unknown ones carry an incident id only."""

    @app.errorhandler(Problem)
    def known(problem: Problem) -> Response:
        return problem_response(problem)

    @app.errorhandler(HTTPException)
    def http_error(error: HTTPException) -> Response:
        if isinstance(error.response, Response):
            return error.response
        code = _HTTP_CODES.get(error.code or 500)
        if code is None:
            return unknown(error)
        fields = getattr(error, "data", None) or {}
        extra = {"errors": fields["messages"]} if "messages" in fields else {}
        response = problem_response(Problem(code, HTTPStatus(error.code or 500).phrase, extra=extra))
        for name, value in error.get_headers():
            if name.lower() in {"allow", "retry-after", "www-authenticate"}:
                response.headers[name] = value
        return response

    @app.errorhandler(Exception)
    def unknown(error: Exception) -> Response:
        # The traceback may quote values: it goes to the labelled log only, by type and place, never by text.
        return problem_response(Problem("internal", extra={"incident": log_incident(error)}))
