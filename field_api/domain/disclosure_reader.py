"""Reads the matrix and an agency's part of it, and lets no slip pass: an unknown word, a missing cell, a looser one.

The format: field_api/rules/README.md. Every refusal names its place.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum
from itertools import product
from types import MappingProxyType
from typing import Any, TypeVar

from field_api.domain.audiences import Audience, Item, Label
from field_api.domain.disclosure_matrix import (
    EVERY_PLACE,
    JURISDICTION,
    LOCATION_CELLS,
    OTHER_CELLS,
    SAME_ROW,
    BadMatrix,
    Cell,
    Cells,
    LooserThanTheRule,
    Matrix,
    Place,
    Source,
    SystemAudience,
    at_most,
    merged,
    rows_like,
    table_of,
)
from field_api.domain.vocabulary import Relation

Kind = TypeVar("Kind", bound=StrEnum)


def read_matrix(content: Mapping[str, Any]) -> Matrix:
    """Check and build. Raises BadMatrix for unknown or missing keys and values, LooserThanTheRule for an override
    that tells more than what it overrides."""
    _only("disclosure", content, {"row", "audience", "jurisdiction", "override"})
    audiences = _audiences(content.get("audience", []))
    default, sources = _rows(content.get("row", []))
    wider = _jurisdictions(content.get("jurisdiction", []))
    own: dict[str, dict[Place, Cell]] = {code: {} for code in wider}
    for entry in content.get("override", []):
        code, place, cell, source = _override(entry, default, own)
        own[code][place] = cell
        sources[place] += (source,)
    by_jurisdiction = {code: _resolved(code, default, own, wider) for code in wider}
    strictest = dict(default)
    for cells in by_jurisdiction.values():
        strictest = merged(strictest, cells)
    return Matrix(
        default=table_of(default, audiences),
        by_jurisdiction=MappingProxyType({code: table_of(cells, audiences) for code, cells in by_jurisdiction.items()}),
        strictest=table_of(strictest, audiences),
        audiences=MappingProxyType(audiences),
        sources=MappingProxyType(sources),
    )


def read_overrides(raw: object, default: Cells) -> Cells:
    """An agency's own cells, {"spouse": {"agency": "never"}}: each as strict as the rule, or stricter.

    They hold in every jurisdiction, on top of its own. Raises BadMatrix, LooserThanTheRule.
    """
    found: dict[Place, Cell] = {}
    for row, items in _mapping("disclosure", raw).items():
        for item, value in _mapping(f"disclosure.{row}", items).items():
            where = f"disclosure.{row}.{item}"
            relation = _own_row(where, _one_of(where, row, Relation))
            place = (relation, _one_of(where, item, Item))
            cell = _cell(where, value, place[1])
            _refuse_looser(where, cell, default[place])
            for same in rows_like(relation):
                found[same, place[1]] = cell
    return MappingProxyType(found)


def _rows(entries: Iterable[Mapping[str, Any]]) -> tuple[dict[Place, Cell], dict[Place, tuple[Source, ...]]]:
    cells: dict[Place, Cell] = {}
    sources: dict[Place, tuple[Source, ...]] = {}
    for entry in entries:
        where = f"row {entry.get('who', '?')}"
        _only(where, entry, {"who", "source", "confidence", "sources", *Item})
        _needs(where, entry, {"who", "source", "confidence", *Item})
        relation = _own_row(where, _one_of(where, entry["who"], Relation))
        if (relation, Item.NAME_SOUGHT) in cells:
            raise BadMatrix(f"{where}: stands there twice")
        special = _mapping(where, entry.get("sources", {}))
        _only(f"{where} sources", special, set(Item))
        for item, same in product(Item, rows_like(relation)):
            cells[same, item] = _cell(f"{where} {item}", entry[item], item)
            sources[same, item] = (_source(where, special.get(item, entry["source"]), entry["confidence"], None),)
    missing = {place[0].value for place in EVERY_PLACE if place not in cells}
    if missing:
        raise BadMatrix(f"no row for {', '.join(sorted(missing))}")
    return cells, sources


def _audiences(entries: Iterable[Mapping[str, Any]]) -> dict[Audience, SystemAudience]:
    found: dict[Audience, SystemAudience] = {}
    for entry in entries:
        where = f"audience {entry.get('who', '?')}"
        _only(where, entry, {"who", "sees", "rows", "source"})
        _needs(where, entry, {"who", "sees", "source"})
        who = _one_of(where, entry["who"], Audience)
        if who in found:
            raise BadMatrix(f"{where}: stands there twice")
        found[who] = SystemAudience(
            frozenset(_one_of(where, label, Label) for label in entry["sees"]),
            frozenset(_one_of(where, row, Relation) for row in entry.get("rows", [])),
        )
    missing = set(Audience) - set(found)
    if missing:
        raise BadMatrix(f"no entry for audience {', '.join(sorted(missing))}")
    return found


def _jurisdictions(entries: Iterable[Mapping[str, Any]]) -> dict[str, str | None]:
    """Each known code with the wider one that holds there as well."""
    wider: dict[str, str | None] = {}
    for entry in entries:
        where = f"jurisdiction {entry.get('code', '?')}"
        _only(where, entry, {"code", "within", "members"})
        _needs(where, entry, {"code"})
        for code, parent in [(entry["code"], entry.get("within"))] + [
            (m, entry["code"]) for m in entry.get("members", [])
        ]:
            if not isinstance(code, str) or not JURISDICTION.fullmatch(code) or code in wider:
                raise BadMatrix(f"{where}: {code} is no code of a jurisdiction, or stands there twice")
            if parent is None and "-" in code:
                parent = code.partition("-")[0]
            if parent is not None and parent not in wider:
                raise BadMatrix(f"{where}: {parent} must stand before {code}")
            wider[code] = parent
    return wider


def _override(
    entry: Mapping[str, Any], default: Cells, own: Mapping[str, Mapping[Place, Cell]]
) -> tuple[str, Place, Cell, Source]:
    where = f"override {entry.get('jurisdiction', '?')} {entry.get('row', '?')}.{entry.get('item', '?')}"
    keys = {"jurisdiction", "row", "item", "cell", "source", "confidence"}
    _only(where, entry, keys)
    _needs(where, entry, keys)
    code = entry["jurisdiction"]
    if code not in own:
        raise BadMatrix(f"{where}: no such jurisdiction")
    place = (_own_row(where, _one_of(where, entry["row"], Relation)), _one_of(where, entry["item"], Item))
    if place in own[code]:
        raise BadMatrix(f"{where}: stands there twice")
    cell = _cell(where, entry["cell"], place[1])
    _refuse_looser(where, cell, default[place])
    return code, place, cell, _source(where, entry["source"], entry["confidence"], code)


def _resolved(
    code: str | None, default: Cells, own: Mapping[str, Cells], wider: Mapping[str, str | None]
) -> dict[Place, Cell]:
    cells = dict(default)
    while code is not None:
        spread = {(same, item): cell for (row, item), cell in own[code].items() for same in rows_like(row)}
        cells = merged(cells, spread)
        code = wider[code]
    return cells


def _own_row(where: str, relation: Relation) -> Relation:
    if relation in SAME_ROW:
        raise BadMatrix(f"{where}: {relation.value} has the row of {SAME_ROW[relation].value}")
    return relation


def _cell(where: str, value: object, item: Item) -> Cell:
    cell = _one_of(where, value, Cell)
    if cell not in (LOCATION_CELLS if item is Item.LOCATION_QUESTION else OTHER_CELLS):
        raise BadMatrix(f"{where}: {cell.value} says nothing about {item.value}")
    return cell


def _refuse_looser(where: str, cell: Cell, rule: Cell) -> None:
    if not at_most(cell, rule):
        raise LooserThanTheRule(f"{where}: {cell.value} is not stricter than {rule.value}")


def _source(where: str, text: object, confidence: object, jurisdiction: str | None) -> Source:
    if not isinstance(text, str) or not text.strip() or confidence not in {"H", "M", "L"}:
        raise BadMatrix(f"{where}: needs a source, and a confidence of H, M or L")
    return Source(text, str(confidence), jurisdiction)


def _one_of(where: str, value: object, kind: type[Kind]) -> Kind:
    try:
        return kind(str(value))
    except ValueError:
        raise BadMatrix(f"{where}: not one of {', '.join(sorted(kind))}") from None


def _mapping(where: str, raw: object) -> Mapping[str, Any]:
    if not isinstance(raw, Mapping) or not all(isinstance(key, str) for key in raw):
        raise BadMatrix(f"{where}: a table is wanted here")
    return raw


def _only(where: str, entry: Mapping[str, Any], allowed: Iterable[str]) -> None:
    unknown = set(entry) - set(allowed)
    if unknown:
        raise BadMatrix(f"{where}: unknown {', '.join(sorted(unknown))}")


def _needs(where: str, entry: Mapping[str, Any], wanted: Iterable[str]) -> None:
    missing = set(wanted) - set(entry)
    if missing:
        raise BadMatrix(f"{where}: misses {', '.join(sorted(missing))}")
