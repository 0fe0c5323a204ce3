"""Conditions over many ids at once."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Uuid, any_, literal
from sqlalchemy.dialects.postgresql import ARRAY


def among(column: Any, ids: Iterable[UUID]) -> ColumnElement[bool]:
    """`column` is one of `ids`, sent as one array: an IN list would meet PostgreSQL's limit of 65,535 parameters."""
    return column == any_(literal(list(ids), ARRAY(Uuid())))
