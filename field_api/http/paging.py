"""Cursor pagination: the next page starts after a row, not at a number, so nothing is skipped or shown twice.

A cursor is opaque and signed, bound to its route and to whose rows were listed; it holds ids, times and names of the
ordering, never anything confidential (a cursor travels in addresses and logs).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

import marshmallow as ma
from flask import current_app, g, request
from itsdangerous import BadSignature, URLSafeSerializer
from sqlalchemy import Select, tuple_
from sqlalchemy.orm import InstrumentedAttribute, Session

from field_api.http.schemas.audiences import EVERYBODY
from field_api.http.schemas.labelled import Schema, internal
from field_api.platform.columns import ConfidentialAmount, ConfidentialDate, ConfidentialText, Sealed
from field_api.platform.problems import Problem

MAX_LIMIT = 200
_SECRET_TYPES = (ConfidentialAmount, ConfidentialDate, ConfidentialText, Sealed)
_READ: dict[type, Any] = {UUID: UUID, datetime: datetime.fromisoformat, date: date.fromisoformat, int: int, str: str}


class PageArguments(Schema):
    """Query parameters of every list."""

    audiences = EVERYBODY
    limit = internal(ma.fields.Integer(load_default=50, validate=ma.validate.Range(1, MAX_LIMIT)))
    after = internal(
        ma.fields.String(
            load_default=None,
            validate=ma.validate.Length(1, 1000),
            metadata={"description": "`next` of the page before; opaque"},
        )
    )


def page_schema(item: type[Schema]) -> type[Schema]:
    """The schema of a page of `item`, for the same audiences: `items`, and `next` where there is more."""
    name = item.__name__.removesuffix("Schema") + "PageSchema"
    body: dict[str, Any] = {
        # How many there are says what kind of thing they are, and no more: its fields have labels of their own.
        "items": internal(ma.fields.List(ma.fields.Nested(item), required=True)),
        "next": internal(
            ma.fields.String(
                required=True, allow_none=True, metadata={"description": "send as `after`; null at the end"}
            )
        ),
        "audiences": item.audiences,
    }
    return type(name, (Schema,), body)


@dataclass(frozen=True)
class Page:
    """Up to `limit` items, and the cursor of the next page or None at the end."""

    items: list[Any]
    next: str | None


def paged(
    session: Session,
    statement: Select[Any],
    keys: Sequence[InstrumentedAttribute[Any]],
    *,
    limit: int,
    after: str | None,
    descending: bool = False,
) -> Page:
    """Run `statement` ordered by `keys` (unique together, not null), from after the cursor. One SQL statement.

    A statement of one entity gives entities, any other one rows. Raises Problem `bad-request` for a foreign cursor.
    """
    if any(isinstance(key.type, _SECRET_TYPES) for key in keys):
        raise TypeError("a cursor must not hold a confidential value")
    single = len(statement.column_descriptions) == 1
    statement = statement.add_columns(*keys).order_by(*(key.desc() if descending else key for key in keys))
    if after is not None:
        place = tuple_(*_read(after, keys))
        here = tuple_(*keys)
        statement = statement.where(here < place if descending else here > place)
    rows = session.execute(statement.limit(limit + 1)).all()
    more = len(rows) > limit
    rows = rows[:limit]
    items = [row[0] if single else row[: -len(keys)] for row in rows]
    return Page(items, _written(rows[-1][-len(keys) :]) if more else None)


def _serializer() -> URLSafeSerializer:
    # A cursor of another agency, or of another creditor's controller, is no cursor at all, as one that was made up.
    whose = f"{g.actor.agency_id}:{g.actor.creditor_id}"
    return URLSafeSerializer(current_app.secret_key or "", salt=f"cursor:{request.endpoint}:{whose}")


def _written(values: Sequence[Any]) -> str:
    plain = [
        value if isinstance(value, int) else value.isoformat() if hasattr(value, "isoformat") else str(value)
        for value in values
    ]
    written = _serializer().dumps(plain)
    return written if isinstance(written, str) else written.decode()


def _read(cursor: str, keys: Sequence[InstrumentedAttribute[Any]]) -> list[Any]:
    try:
        values = _serializer().loads(cursor)
        return [_READ[key.type.python_type](value) for key, value in zip(keys, values, strict=True)]
    except (BadSignature, ValueError, TypeError, KeyError) as error:
        raise Problem("bad-request", "this cursor is not from this list", at="after") from error
