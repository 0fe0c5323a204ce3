"""Labels on frozen values: `name: Annotated[str, Label.OPEN]`, and the shape that follows for what leaves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, is_dataclass
from types import NoneType
from typing import Annotated, Any, TypeAlias, cast, get_args, get_origin, get_type_hints

from field_api.domain.disclosure import Label

_PLAIN = (str, int, float, bool, NoneType)


@dataclass(frozen=True)
class Whole:
    """Plain data of any depth whose every part has this label."""

    label: Label


Labels: TypeAlias = "Label | Whole | dict[str, Labels] | list[Labels]"


def labels_of(kind: type) -> dict[str, Labels]:
    """A dataclass's fields with their labels. Raises TypeError, naming the field, where one has none."""
    hints = get_type_hints(kind, include_extras=True)
    return {field.name: _labels(hints[field.name], f"{kind.__name__}.{field.name}") for field in fields(kind)}


def _labels(hint: Any, place: str) -> Labels:
    label = next((extra for extra in get_args(hint)[1:] if isinstance(extra, Label)), None)
    kind = get_args(hint)[0] if get_origin(hint) is Annotated else hint
    inner = get_args(kind)
    if label is not None:
        if kind in _PLAIN or (inner and all(part in _PLAIN for part in inner) and get_origin(kind) is not tuple):
            return label
        is_array = get_origin(kind) in (tuple, list, Sequence)
        return [label] if is_array and inner[0] in _PLAIN else Whole(label)
    if get_origin(kind) is tuple and is_dataclass(inner[0]):
        return [labels_of(cast(type, inner[0]))]
    if is_dataclass(kind):
        return dict(labels_of(cast(type, kind)))
    raise TypeError(f"{place} has no label")
