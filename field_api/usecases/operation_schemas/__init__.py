"""Reading the bodies of operations: bounded, closed vocabularies, one schema per kind (docs/outcomes.md)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from marshmallow import Schema, ValidationError

from field_api.domain.operations import UnreadableOperation
from field_api.domain.vocabulary import OpKind
from field_api.platform.bounded_json import canonical
from field_api.usecases.operation_schemas.kinds import KINDS
from field_api.usecases.operation_schemas.outcomes import OUTCOMES

MAX_BODY_BYTES = 64 * 1024  # more than the largest bucket of docs/protocol.md §8 unpacks to in honest use

_SCHEMAS: dict[OpKind, Schema] = {kind: schema() for kind, schema in KINDS.items()}
_OUTCOMES: dict[str, Schema] = {kind.value: schema() for kind, schema in OUTCOMES.items()}


def read_body(kind: OpKind, body: Any) -> dict[str, Any]:
    """The body as typed values (enums, UUIDs, dates), unknown fields included. Raises UnreadableOperation."""
    if not isinstance(body, dict):
        raise UnreadableOperation("invalid-body")
    _check_size(body)
    try:
        loaded: dict[str, Any] = _schema(kind, body).load(body)
    except ValidationError as error:
        raise UnreadableOperation("invalid-body", first_place(error.normalized_messages())) from None
    return loaded


def _schema(kind: OpKind, body: Mapping[str, Any]) -> Schema:
    if kind is not OpKind.OUTCOME:
        return _SCHEMAS[kind]
    chosen = body.get("outcome")
    if not isinstance(chosen, str) or chosen not in _OUTCOMES:
        raise UnreadableOperation("invalid-body", "outcome")
    return _OUTCOMES[chosen]


def _check_size(body: dict[str, Any]) -> None:
    try:
        size = len(canonical(body))
    except (ValueError, TypeError, RecursionError) as error:  # lone surrogates, NaN, depth: no JSON that can be kept
        raise UnreadableOperation("invalid-body") from error
    if size > MAX_BODY_BYTES:
        raise UnreadableOperation("too-large")


def first_place(messages: Mapping[Any, Any], path: str = "") -> str:
    """The first place that an error names, dotted: field names and positions alone, never a value."""
    for key, value in messages.items():
        here = path if key == "_schema" else f"{path}.{key}".lstrip(".")
        return first_place(value, here) if isinstance(value, Mapping) else here
    return path
