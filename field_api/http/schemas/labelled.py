"""Every field that crosses the office's wire carries a label, and every schema names the audiences that it is for.

    class AgentSchema(Schema):
        audiences = OFFICE
        id = internal(ma.fields.UUID())
        name = open_(ma.fields.String())

A class is refused where it is written: a field without a label, a label that one of its audiences may not see, a nested
schema for fewer audiences than it stands in, a field whose inside nobody could check. Labels are shown in the OpenAPI
document as `x-label`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar, TypeVar

import marshmallow as ma
from marshmallow.schema import SchemaMeta

from field_api.domain.disclosure import Audience, Label, may_see

LABEL = "x-label"
"""The key of a field's metadata; apispec shows what begins with `x-`."""

FieldT = TypeVar("FieldT", bound=ma.fields.Field[Any])

_WITHOUT_SHAPE = (ma.fields.Function, ma.fields.Method, ma.fields.Pluck)


class SchemaRefused(TypeError):
    """A schema that could show an audience what it may not see. Raised at import, naming class and field."""


def open_(field: FieldT) -> FieldT:
    """The name of the person sought, names of agents and staff."""
    return _with(field, Label.OPEN)


def on_request(field: FieldT) -> FieldT:
    """The agency's name."""
    return _with(field, Label.ON_REQUEST)


def place(field: FieldT) -> FieldT:
    """Addresses, coordinates, hints how to find a door."""
    return _with(field, Label.PLACE)


def personal(field: FieldT) -> FieldT:
    """Phones, e-mails, birth dates, identity answers, photographs."""
    return _with(field, Label.PERSONAL)


def confidential(field: FieldT) -> FieldT:
    """That a debt exists, whose, how much; what was said about it."""
    return _with(field, Label.CONFIDENTIAL)


def internal(field: FieldT) -> FieldT:
    """Ids, versions, times and states that say nothing about a debt."""
    return _with(field, Label.INTERNAL)


def _with(field: FieldT, label: Label) -> FieldT:
    if LABEL in field.metadata:
        raise SchemaRefused("a field has one label")
    field.metadata = {**field.metadata, LABEL: label.value}
    return field


def label_of(field: ma.fields.Field[Any]) -> Label | None:
    """The field's own label; None where it has none."""
    value = field.metadata.get(LABEL)
    return Label(value) if value is not None else None


class _CheckedAtCreation(SchemaMeta):
    """marshmallow's metaclass, and the check once the class has its fields (`__init_subclass__` would be too early)."""

    def __init__(self, name: str, bases: tuple[type, ...], attrs: dict[str, Any]) -> None:
        super().__init__(name, bases, attrs)
        if attrs.get("__module__") != __name__:  # the base itself has no audience
            _check(self)


class Schema(ma.Schema, metaclass=_CheckedAtCreation):
    """The base of all request and response schemas of the office. `audiences`: every one that may meet it."""

    audiences: ClassVar[frozenset[Audience]] = frozenset()


def _check(schema: Any) -> None:
    name, audiences = schema.__name__, schema.audiences
    if not audiences:
        raise SchemaRefused(f"{name} names no audiences")
    if schema.opts.fields:
        raise SchemaRefused(f"{name}: fields are declared one by one, with a label each")
    for field_name, field in schema._declared_fields.items():
        _check_field(f"{name}.{field_name}", field, audiences)


def _check_field(at: str, field: ma.fields.Field[Any], audiences: frozenset[Audience]) -> None:
    label = label_of(field)
    if label is None:
        raise SchemaRefused(f"{at} has no label")
    blind = sorted(audience.value for audience in audiences if not may_see(audience, label))
    if blind:
        raise SchemaRefused(f"{at} is {label.value}, which is not for {', '.join(blind)}")
    for part in parts_of(field):
        if isinstance(part, _WITHOUT_SHAPE):
            raise SchemaRefused(f"{at}: nobody can tell what a {type(part).__name__} field holds; give it a type")
        if is_free(part) and label is not Label.CONFIDENTIAL:
            raise SchemaRefused(f"{at} is free-form: it may hold anything, so it is confidential")
        if isinstance(part, ma.fields.Nested):
            _check_nested(at, part, audiences)


def _check_nested(at: str, field: ma.fields.Nested, audiences: frozenset[Audience]) -> None:
    if not isinstance(field.nested, (type, Schema)):
        raise SchemaRefused(f"{at}: name the nested schema's class, so that it can be checked here")
    nested = field.schema
    if not isinstance(nested, Schema):
        raise SchemaRefused(f"{at}: {type(nested).__name__} is no labelled schema")
    if missing := audiences - nested.audiences:
        names = ", ".join(sorted(audience.value for audience in missing))
        raise SchemaRefused(f"{at}: {type(nested).__name__} is not for {names}")


def parts_of(field: ma.fields.Field[Any]) -> Iterator[ma.fields.Field[Any]]:
    """The field and what stands inside of it: a list's items, a mapping's values."""
    yield field
    if isinstance(field, ma.fields.List):
        yield from parts_of(field.inner)
    elif isinstance(field, ma.fields.Mapping) and field.value_field is not None:
        yield from parts_of(field.value_field)


def is_free(field: ma.fields.Field[Any]) -> bool:
    """Whether its content has no declared shape: a mapping of anything, or no type at all."""
    untyped = type(field) in (ma.fields.Raw, ma.fields.Field)
    return untyped or (isinstance(field, ma.fields.Mapping) and field.value_field is None)
