"""The office's share of problem documents: validation errors name places and never repeat a value."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import marshmallow as ma
from flask import Flask, Response
from werkzeug.exceptions import UnprocessableEntity

from field_api.http.schemas.audiences import EVERYBODY
from field_api.http.schemas.labelled import Schema, internal
from field_api.platform.problems import Problem, problem_response

_MAX_ERRORS = 100
_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")


class PlacedErrorSchema(Schema):
    audiences = EVERYBODY
    at = internal(ma.fields.String(required=True, metadata={"description": "where: json.parties.0.name, query.limit"}))
    problem = internal(ma.fields.String(required=True))


class BrokenPlaceSchema(Schema):
    """What a change of a draft would break: ids, a closed word, a number."""

    audiences = EVERYBODY
    why = internal(ma.fields.String(required=True, metadata={"description": "docs/planning.md lists them"}))
    agent_id = internal(ma.fields.UUID())
    stop_id = internal(ma.fields.UUID(allow_none=True))
    by = internal(ma.fields.Integer(allow_none=True, metadata={"description": "seconds, or stops"}))


class ProblemSchema(Schema):
    """RFC 9457 problem details, for everybody: no text of it says anything of anybody."""

    audiences = EVERYBODY
    type = internal(ma.fields.String(required=True, metadata={"description": "urn:doorstep:problem:CODE"}))
    title = internal(ma.fields.String(required=True))
    status = internal(ma.fields.Integer(required=True))
    code = internal(ma.fields.String(required=True, metadata={"description": "stable; the texts may change"}))
    detail = internal(ma.fields.String())
    at = internal(ma.fields.String(metadata={"description": "the field, header or row that is meant"}))
    errors = internal(ma.fields.List(ma.fields.Nested(PlacedErrorSchema)))
    broken = internal(ma.fields.List(ma.fields.Nested(BrokenPlaceSchema)))
    reason = internal(ma.fields.String(metadata={"description": "of a refused file or row: its code (docs/import.md)"}))
    incident = internal(ma.fields.String(metadata={"description": "of an internal error: quote it to support"}))


def install_validation_problems(app: Flask) -> None:
    """Turn the validation errors of webargs and marshmallow into one shape."""

    @app.errorhandler(UnprocessableEntity)
    def invalid(error: UnprocessableEntity) -> Response:
        messages = (getattr(error, "data", None) or {}).get("messages", {})
        return _invalid_fields(messages)

    @app.errorhandler(ma.ValidationError)
    def invalid_by_hand(error: ma.ValidationError) -> Response:
        return _invalid_fields(error.messages)


def _invalid_fields(messages: Any) -> Response:
    errors = []
    for place, text in _placed(messages, ()):
        errors.append({"at": place, "problem": text})
        if len(errors) == _MAX_ERRORS:
            break
    extra = {"errors": errors} if errors else {}
    return problem_response(Problem("invalid-fields", "the request does not fit its description", extra=extra))


def _placed(messages: Any, path: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    if isinstance(messages, dict):
        for key, inner in messages.items():
            # A key may be the sender's own text: only what looks like a field's name is repeated.
            name = str(key) if _NAME.fullmatch(str(key)) else "?"
            yield from _placed(inner, path if name == "_schema" else (*path, name))
    elif isinstance(messages, list):
        for text in messages:
            yield from _placed(text, path)
    else:
        yield ".".join(path), str(messages)
