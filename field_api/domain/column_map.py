"""A creditor's column map: which column holds which field, and how the creditor writes dates and amounts.

Format and examples: docs/import.md. A map is data of the creditor; what it does not say follows from the headers that
`column_fields` knows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from field_api.domain.cells import DateOrder, fold
from field_api.domain.column_fields import FieldName, field_by_header, field_names

STATUS_WORDS: Mapping[str, str] = MappingProxyType(
    {fold(word): "open" for word in
     ("activo", "activa", "vigente", "abierto", "abierta", "vencido", "vencida", "open", "active", "overdue",
      "past due", "offen", "aktiv", "überfällig", "ouvert", "actif", "échu")}
    | {fold(word): "paid" for word in
       ("pagado", "pagada", "liquidado", "liquidada", "paid", "paid in full", "settled", "bezahlt", "beglichen", "payé",
        "soldé")}
    | {fold(word): "closed" for word in
       ("cerrado", "cerrada", "cancelado", "cancelada", "retirado", "retirada", "closed", "withdrawn", "recalled",
        "cancelled", "canceled", "geschlossen", "storniert", "zurückgezogen", "clos", "clôturé", "retiré", "annulé")}
)  # fmt: skip
PERSON_KINDS: Mapping[str, str] = MappingProxyType(
    {fold(word): "person" for word in
     ("person", "persona", "persona física", "física", "pf", "individual", "natürliche person", "privatperson",
      "personne physique", "particulier")}
    | {fold(word): "company" for word in
       ("company", "empresa", "persona moral", "moral", "pm", "business", "firma", "juristische person", "unternehmen",
        "personne morale", "société", "entreprise")}
)  # fmt: skip
ADDRESS_KINDS: Mapping[str, str] = MappingProxyType(
    {fold(word): "home" for word in ("home", "casa", "particular", "hogar", "privat", "wohnung", "domicile")}
    | {fold(word): "work" for word in ("work", "trabajo", "empleo", "oficina", "laboral", "arbeit", "büro", "travail")}
    | {fold(word): "other" for word in ("other", "otro", "andere", "autre")}
)


class MapRefused(ValueError):
    """The column map, or a header under it, cannot be used. `code` is stable, `at` names the place."""

    def __init__(self, code: str, message: str, at: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.at = at


@dataclass(frozen=True)
class ColumnMap:
    columns: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # field -> headers, the first present counts
    constants: Mapping[str, str] = field(default_factory=dict)  # field -> value where the cell is empty
    known_headers: bool = True  # also use the headers of column_fields
    sheet: str | None = None
    header_row: int = 1
    delimiter: str | None = None
    encoding: str | None = None
    date_order: DateOrder = DateOrder.DMY
    decimal_mark: str | None = None
    statuses: Mapping[str, str] = field(default_factory=lambda: STATUS_WORDS)


_KEYS = frozenset(
    {"columns", "constants", "known_headers", "sheet", "header_row", "delimiter", "encoding"}
    | {"dates", "decimal", "statuses"}
)
_DELIMITERS = (",", ";", "\t", "|", "^", "~", ":")


def column_map_from(stored: Mapping[str, Any], jurisdiction: str) -> ColumnMap:
    """The map from its JSON form. Dates default to month first in the US and day first elsewhere. Raises MapRefused."""
    unknown = sorted(set(stored) - _KEYS)
    if unknown:
        raise MapRefused("unknown-key", "not a key of a column map", unknown[0])
    default_order = "MDY" if jurisdiction.partition("-")[0] == "US" else "DMY"
    return ColumnMap(
        columns={name: _headers(name, value) for name, value in _object(stored, "columns").items()},
        constants={name: _constant(name, value) for name, value in _object(stored, "constants").items()},
        known_headers=_one_of(stored, "known_headers", (True, False), True),
        sheet=_text(stored, "sheet"),
        header_row=_one_of(stored, "header_row", tuple(range(1, 101)), 1),
        delimiter=_one_of(stored, "delimiter", _DELIMITERS, None),
        encoding=_text(stored, "encoding"),
        date_order=DateOrder(_one_of(stored, "dates", tuple(order.value for order in DateOrder), default_order)),
        decimal_mark=_one_of(stored, "decimal", (".", ","), None),
        statuses={**STATUS_WORDS, **_statuses(_object(stored, "statuses"))},
    )


def _object(stored: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    value = stored.get(key, {})
    if not isinstance(value, dict):
        raise MapRefused("not-an-object", "needs an object", key)
    return value


def _text(stored: Mapping[str, Any], key: str) -> str | None:
    value = stored.get(key)
    if value is not None and not isinstance(value, str):
        raise MapRefused("not-text", "needs text", key)
    return value


def _one_of(stored: Mapping[str, Any], key: str, allowed: Sequence[Any], default: Any) -> Any:
    value = stored.get(key, default)
    if value != default and value not in allowed:
        raise MapRefused("not-allowed", "needs one of the values in docs/import.md", key)
    return value


def _known(name: str, at: str) -> None:
    if name not in field_names():
        raise MapRefused("unknown-field", "not a field of docs/import.md", f"{at}.{name}")


def _headers(name: str, value: Any) -> tuple[str, ...]:
    _known(name, "columns")
    headers = (value,) if isinstance(value, str) else value
    if not isinstance(headers, list | tuple) or not headers or not all(isinstance(h, str) and h for h in headers):
        raise MapRefused("not-a-header", "needs a header or a list of them", f"columns.{name}")
    return tuple(headers)


def _constant(name: str, value: Any) -> str:
    _known(name, "constants")
    if name == "reference" or not isinstance(value, str) or not value:
        raise MapRefused("not-a-constant", "needs text, and not for the reference", f"constants.{name}")
    return value


def _statuses(words: Mapping[str, Any]) -> dict[str, str]:
    for word, meaning in words.items():
        if meaning not in ("open", "paid", "closed"):
            raise MapRefused("unknown-status", "means open, paid or closed", f"statuses.{word}")
    return {fold(word): str(meaning) for word, meaning in words.items()}


@dataclass(frozen=True, slots=True)
class Column:
    """A bound field: where it stands (None: constant alone), and what its header is called in messages."""

    field: FieldName
    index: int | None
    header: str
    constant: str | None


@dataclass(frozen=True)
class BoundColumns:
    columns: Mapping[str, Column]
    width: int
    ignored: tuple[str, ...]  # headers of columns that hold no field

    def header_of(self, name: str) -> str:
        """The file's header of a field, or the field's own name where the file has no such column."""
        column = self.columns.get(name)
        return column.header if column else name


def recognised(headers: Sequence[str], using: ColumnMap) -> int:
    """How many of these headers hold a field: the right delimiter is the one that makes most of them make sense."""
    named = {fold(h) for options in using.columns.values() for h in options}
    known = field_by_header() if using.known_headers else {}
    return sum(1 for header in headers if fold(header) in named or fold(header) in known)


def bind(headers: Sequence[str], using: ColumnMap) -> BoundColumns:
    """Find every field's column. Raises MapRefused: a column missing, two columns for one field, no reference."""
    places: dict[str, list[int]] = {}
    for index, header in enumerate(headers):
        places.setdefault(header.strip(), []).append(index)
        if fold(header) and fold(header) != header.strip():
            places.setdefault(fold(header), []).append(index)
    taken: dict[str, int] = {name: _find(name, options, places) for name, options in using.columns.items()}
    if using.known_headers:
        _add_known(headers, taken)
    columns = {
        name: Column(field_names()[name], index, headers[index].strip(), using.constants.get(name))
        for name, index in taken.items()
    }
    for name, value in using.constants.items():
        columns.setdefault(name, Column(field_names()[name], None, name, value))
    if "reference" not in columns:
        raise MapRefused("no-reference", "no column holds the account's reference", "reference")
    ignored = tuple(h.strip() for i, h in enumerate(headers) if i not in taken.values() and h.strip())
    return BoundColumns(columns, len(headers), ignored)


def _find(name: str, options: Sequence[str], places: Mapping[str, list[int]]) -> int:
    for header in options:
        found = places.get(header.strip()) or places.get(fold(header))
        if found:
            if len(found) > 1:
                raise MapRefused("column-twice", "two columns have this header", header)
            return found[0]
    raise MapRefused("column-missing", "the file has no such column", options[0])


def _add_known(headers: Sequence[str], taken: dict[str, int]) -> None:
    by_alias: dict[str, int] = {}
    for index, header in enumerate(headers):
        field_name = field_by_header().get(fold(header))
        if field_name is None or field_name.name in taken or index in taken.values():
            continue
        if field_name.name in by_alias:
            raise MapRefused(
                "column-twice", f"two columns hold {field_name.name}: the column map must choose", header.strip()
            )
        by_alias[field_name.name] = index
    taken |= by_alias
