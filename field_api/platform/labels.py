"""Columns that say how secret they are: `name: Mapped[str] = open_()` is a `mapped_column` with a label.

The types of field_api.platform.columns bring their label with them and stay plain `mapped_column`s. A column without a
label, and a secret one whose value in Python is not Confidential, fail tests/guards/test_column_labels.py.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Column
from sqlalchemy.orm import MappedColumn, mapped_column

from field_api.domain.disclosure import Label

LABEL = "label"
"""The key of a column's `info` under which its label stands."""


def open_(*args: Any, **options: Any) -> MappedColumn[Any]:
    """The name of the person sought, the agent's name."""
    return _labelled(Label.OPEN, args, options)


def on_request(*args: Any, **options: Any) -> MappedColumn[Any]:
    """The agency's name and how to reach it."""
    return _labelled(Label.ON_REQUEST, args, options)


def place(*args: Any, **options: Any) -> MappedColumn[Any]:
    """Where somebody lives or something lies."""
    return _labelled(Label.PLACE, args, options)


def personal(*args: Any, **options: Any) -> MappedColumn[Any]:
    """Contact data and what identifies somebody."""
    return _labelled(Label.PERSONAL, args, options)


def confidential(*args: Any, **options: Any) -> MappedColumn[Any]:
    """That there is a debt, and everything about it; also what signs people in and what opens sealed things."""
    return _labelled(Label.CONFIDENTIAL, args, options)


def internal(*args: Any, **options: Any) -> MappedColumn[Any]:
    """Ids, versions, counts, states that say nothing about a debt, ciphertext and its hashes."""
    return _labelled(Label.INTERNAL, args, options)


def label_of(column: Column[Any]) -> Label | None:
    """The column's own label, or the one that its type brings; None where there is neither."""
    found = column.info.get(LABEL) or getattr(column.type, "label", None)
    return found if isinstance(found, Label) else None


def _labelled(label: Label, args: tuple[Any, ...], options: dict[str, Any]) -> MappedColumn[Any]:
    info = {**(options.pop("info", None) or {}), LABEL: label}
    return mapped_column(*args, info=info, **options)
