"""Schema fields of secret values: revealed to the audience that the running route declared, refused to any other."""

from __future__ import annotations

import json
from typing import Any

import marshmallow as ma

from field_api.domain.confidential import Confidential, DisclosureRefused, declared_audience
from field_api.domain.outside_text import OUTSIDE, for_outside


def reveal(value: Any) -> Any:
    """The value behind a Confidential, for the declared audience. Raises DisclosureRefused; others pass through."""
    if not isinstance(value, Confidential):
        return value
    who = declared_audience()
    if who is None:
        raise DisclosureRefused("no audience was declared for this work")
    return value.reveal(who)


class _Revealed:
    def _serialize(self, value: Any, attr: str | None, obj: Any, **kwargs: Any) -> Any:
        return super()._serialize(reveal(value), attr, obj, **kwargs)  # type: ignore[misc]  # a field follows in the MRO


class RevealedString(_Revealed, ma.fields.String):
    pass


class RevealedInteger(_Revealed, ma.fields.Integer):
    pass


class RevealedDate(_Revealed, ma.fields.Date):
    pass


class RevealedJson(ma.fields.Dict):
    """A sealed column of canonical JSON, as an object."""

    def _serialize(self, value: Any, attr: str | None, obj: Any, **kwargs: Any) -> Any:
        text = reveal(value)
        return None if text is None else json.loads(text)


class RecordedJson(RevealedJson):
    """An outcome as recorded; outside the agency without the words of third parties that speak of a debt."""

    def _serialize(self, value: Any, attr: str | None, obj: Any, **kwargs: Any) -> Any:
        recorded = super()._serialize(value, attr, obj, **kwargs)
        return for_outside(recorded) if recorded is not None and declared_audience() in OUTSIDE else recorded


class CommaSeparated(ma.fields.List):
    """A text column of codes with commas between, as a list."""

    def _serialize(self, value: Any, attr: str | None, obj: Any, **kwargs: Any) -> Any:
        return super()._serialize([part for part in value.split(",") if part], attr, obj, **kwargs)


class Hexadecimal(ma.fields.String):
    """Bytes as hexadecimal digits."""

    def _serialize(self, value: Any, attr: str | None, obj: Any, **kwargs: Any) -> Any:
        return super()._serialize(value.hex() if value else None, attr, obj, **kwargs)


class Pairs(ma.fields.List):
    """Tuples of a query as a list of objects, by `names`."""

    def __init__(self, inner: ma.fields.Field[Any], *, names: tuple[str, ...], **kwargs: Any) -> None:
        super().__init__(inner, **kwargs)
        self.names = names

    def _serialize(self, value: Any, attr: str | None, obj: Any, **kwargs: Any) -> Any:
        return super()._serialize([dict(zip(self.names, row, strict=True)) for row in value], attr, obj, **kwargs)
