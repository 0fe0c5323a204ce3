"""A schema as a check of what is about to leave: nothing but its fields, of its types, however deep.

A check is made once per schema and audience, from the fields that this audience may see, and is then a few dictionary
look-ups per value: it runs over every answer of the office.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from typing import Any

import marshmallow as ma

from field_api.domain.disclosure import Audience, may_see
from field_api.http.schemas.labelled import Schema, is_free, label_of

Check = Callable[[Any], None]
"""Returns None or raises OutOfShape. A missing value (null) says nothing and always passes."""

_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_DATE = re.compile(r"\d{4}-\d\d-\d\d")
_TIME = re.compile(r"\d\d:\d\d(:\d\d(\.\d{1,6})?)?")
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?([+-]\d\d:\d\d|Z)")


class OutOfShape(Exception):
    """Something that the schema does not list. Holds the schema's name, and nothing of the answer."""


class Unreadable(TypeError):
    """A schema with a field that no check can be made for; raised at the start, never while a request runs."""


def shape_of(schema: Schema, audience: Audience) -> Check:
    """The check of a schema's output for one audience. Raises Unreadable."""
    if schema.only or schema.exclude:
        raise Unreadable(f"{type(schema).__name__} is cut down where it is used: make it a class of its own")
    check = _object(type(schema), audience)
    return _array(check, type(schema).__name__) if schema.many else check


@cache
def _object(schema: type[Schema], audience: Audience) -> Check:
    name = schema.__name__
    members: dict[str, Check] = {}
    for key, field in schema._declared_fields.items():
        label = label_of(field)
        if not field.load_only and label is not None and may_see(audience, label):
            members[field.data_key or key] = _value(field, audience, f"{name}.{key}")

    def check(value: Any) -> None:
        if value is None:
            return
        if type(value) is not dict:
            raise OutOfShape(name)
        for key, inner in value.items():
            member = members.get(key)
            if member is None:
                raise OutOfShape(name)
            member(inner)

    return check


def _array(inner: Check, place: str) -> Check:
    def check(value: Any) -> None:
        if value is None:
            return
        if type(value) is not list:
            raise OutOfShape(place)
        for item in value:
            inner(item)

    return check


def _mapping(inner: Check | None, place: str) -> Check:
    def check(value: Any) -> None:
        if value is None:
            return
        if type(value) is not dict:
            raise OutOfShape(place)
        if inner is not None:
            for item in value.values():
                inner(item)

    return check


def _value(field: ma.fields.Field[Any], audience: Audience, place: str) -> Check:
    if isinstance(field, ma.fields.Nested):
        check = _object(type(field.schema), audience)
        return _array(check, place) if field.many else check
    if isinstance(field, ma.fields.List):
        return _array(_value(field.inner, audience, place), place)
    if isinstance(field, ma.fields.Mapping):
        return _mapping(None if is_free(field) else _value(field.value_field, audience, place), place)
    for kind, make in _PLAIN:
        if isinstance(field, kind):
            return make(place)
    raise Unreadable(f"{place}: a {type(field).__name__} field has no check")


def _text(form: re.Pattern[str] | None) -> Callable[[str], Check]:
    def make(place: str) -> Check:
        def check(value: Any) -> None:
            if value is not None and (type(value) is not str or (form is not None and not form.fullmatch(value))):
                raise OutOfShape(place)

        return check

    return make


def _typed(*types: type) -> Callable[[str], Check]:
    def make(place: str) -> Check:
        def check(value: Any) -> None:
            if value is not None and type(value) not in types:
                raise OutOfShape(place)

        return check

    return make


# In this order: a UUID field is a String as well, an AwareDateTime a DateTime.
_PLAIN: tuple[tuple[type[ma.fields.Field[Any]], Callable[[str], Check]], ...] = (
    (ma.fields.UUID, _text(_UUID)),
    (ma.fields.String, _text(None)),
    (ma.fields.Time, _text(_TIME)),
    (ma.fields.Date, _text(_DATE)),
    (ma.fields.AwareDateTime, _text(_MOMENT)),
    (ma.fields.Integer, _typed(int)),
    (ma.fields.Float, _typed(float, int)),
    (ma.fields.Boolean, _typed(bool)),
)
