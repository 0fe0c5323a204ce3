"""The matrix of who may be told what at a door: cells with an order of strictness, and a reader that lets no slip pass.

A cell *means* the set of situations in which it lets something be told; one cell is stricter than another where its set
is a part of the other's. So "the stricter wins" is an intersection, and nothing that is merged in can loosen a cell.
The data with its sources: field_api/rules/disclosure.toml.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from itertools import product
from types import MappingProxyType
from typing import Any, NamedTuple, TypeVar

from field_api.domain.audiences import LABEL_OF_ITEM, Audience, Identity, Item, Label
from field_api.domain.vocabulary import VERIFIED, Relation

Kind = TypeVar("Kind", bound=StrEnum)


class BadMatrix(ValueError):
    """The matrix or an agency's part of it cannot be understood. The text names the place."""


class LooserThanTheRule(BadMatrix):
    """Something would let more be told than the rule does. The text names the cell."""


class Cell(StrEnum):
    """When an item may be told to whoever stands in this row."""

    YES = "yes"
    ASKED = "asked"  # only if expressly asked
    ONCE = "once"  # once per person asked and person sought
    PLACE_ONLY = "place_only"  # once, and without naming the person sought
    VERIFIED = "verified"  # after the identity check
    DOCUMENTED = "documented"  # with authority on record
    OFF = "off"  # the product has no way to do it
    NEVER = "never"


class Situation(NamedTuple):
    """What the answer depends on besides row, item and jurisdiction."""

    identity: Identity
    asked: bool  # they asked for it
    asked_before: bool  # this person was asked about this person sought already
    named: bool  # the person sought is named with it


SITUATIONS = tuple(
    Situation(identity, asked, asked_before, named)
    for identity, asked, asked_before, named in product(Identity, (False, True), (False, True), (False, True))
)
_CHECKED = frozenset({Identity.VERIFIED, Identity.DOCUMENTED})
_TELLS: dict[Cell, Callable[[Situation], bool]] = {
    Cell.YES: lambda _: True,
    Cell.ASKED: lambda now: now.asked,
    Cell.ONCE: lambda now: not now.asked_before,
    Cell.PLACE_ONLY: lambda now: not now.asked_before and not now.named,
    Cell.VERIFIED: lambda now: now.identity in _CHECKED,
    Cell.DOCUMENTED: lambda now: now.identity is Identity.DOCUMENTED,
    Cell.OFF: lambda _: False,
    Cell.NEVER: lambda _: False,
}
TOLD_IN: dict[Cell, frozenset[Situation]] = {
    cell: frozenset(now for now in SITUATIONS if tells(now)) for cell, tells in _TELLS.items()
}
"""In which situations a cell lets its item be told."""

LOCATION_CELLS = frozenset({Cell.YES, Cell.ONCE, Cell.PLACE_ONLY, Cell.OFF, Cell.NEVER})
OTHER_CELLS = frozenset({Cell.YES, Cell.ASKED, Cell.VERIFIED, Cell.DOCUMENTED, Cell.NEVER})


def at_most(cell: Cell, bound: Cell) -> bool:
    """Whether `cell` lets nothing be told that `bound` does not."""
    return TOLD_IN[cell] <= TOLD_IN[bound]


def stricter(one: Cell, other: Cell) -> Cell:
    """The stricter of two; `never` where each tells something that the other does not."""
    if at_most(one, other):
        return one
    return other if at_most(other, one) else Cell.NEVER


Place = tuple[Relation, Item]
Cells = Mapping[Place, Cell]
EVERY_PLACE = tuple(product(Relation, Item))
SAME_ROW = {Relation.GUARD: Relation.NEIGHBOUR}
"""Rows that have no line of their own in the data: a guard is told what a neighbour is told."""

Sees = Mapping[tuple[Audience | Relation, Identity | None], frozenset[Label]]
_JURISDICTION = re.compile(r"[A-Z]{2}(-[A-Z0-9]{1,3})?")


@dataclass(frozen=True)
class Source:
    """Where a cell comes from. `confidence` as in field_api/rules/README.md: H, M or L."""

    text: str
    confidence: str
    jurisdiction: str | None = None  # None: the row as it holds everywhere


@dataclass(frozen=True)
class Table:
    """What holds in one jurisdiction: a cell for every place, and the labels that follow from them."""

    cells: Cells
    sees: Sees


@dataclass(frozen=True)
class SystemAudience:
    """Labels of an audience that stands at no door, or (`rows`) what all of these rows may be told."""

    sees: frozenset[Label]
    rows: frozenset[Relation]


@dataclass(frozen=True)
class Matrix:
    """All tables, by jurisdiction; `strictest` for a place that nothing is known about."""

    default: Table
    by_jurisdiction: Mapping[str, Table]
    strictest: Table
    audiences: Mapping[Audience, SystemAudience]
    sources: Mapping[Place, tuple[Source, ...]]

    def table(self, jurisdiction: str | None) -> Table:
        """US-MD → US; a place without an entry of its country gets the strictest of everything."""
        known = self.by_jurisdiction.get(jurisdiction) if jurisdiction is not None else None
        if known is not None or jurisdiction is None:
            return known or self.strictest
        if not _JURISDICTION.fullmatch(jurisdiction):
            return self.strictest
        return self.by_jurisdiction.get(jurisdiction.partition("-")[0], self.strictest)

    def tightened(self, table: Table, overrides: Cells) -> Table:
        """The table with an agency's stricter cells."""
        return _table(_merged(table.cells, overrides), self.audiences) if overrides else table


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
        strictest = _merged(strictest, cells)
    return Matrix(
        default=_table(default, audiences),
        by_jurisdiction=MappingProxyType({code: _table(cells, audiences) for code, cells in by_jurisdiction.items()}),
        strictest=_table(strictest, audiences),
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
            for same in _rows_like(relation):
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
        for item, same in product(Item, _rows_like(relation)):
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
            if not isinstance(code, str) or not _JURISDICTION.fullmatch(code) or code in wider:
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
        spread = {(same, item): cell for (row, item), cell in own[code].items() for same in _rows_like(row)}
        cells = _merged(cells, spread)
        code = wider[code]
    return cells


def _merged(cells: Cells, more: Cells) -> dict[Place, Cell]:
    return {place: stricter(cell, more[place]) if place in more else cell for place, cell in cells.items()}


def _table(cells: Cells, audiences: Mapping[Audience, SystemAudience]) -> Table:
    sees: dict[tuple[Audience | Relation, Identity | None], frozenset[Label]] = {}
    for relation, identity in product(Relation, Identity):
        sees[relation, identity] = _labels(cells, relation, identity)
    for relation in Relation:
        sees[relation, None] = sees[relation, Identity.NONE]
    for who, system in audiences.items():
        for identity in Identity:
            sees[who, identity] = _labels_of_system(system, identity, sees)
        # An audience's name says what was checked: "entitled" is said of nobody before the check.
        sees[who, None] = sees[who, Identity.VERIFIED]
    return Table(MappingProxyType(dict(cells)), MappingProxyType(sees))


def _labels(cells: Cells, relation: Relation, identity: Identity) -> frozenset[Label]:
    """The labels of which every item may be told in this row. A label that no item has is told to nobody."""
    now = Situation(identity, asked=True, asked_before=False, named=True)
    row = row_for(relation, identity)
    told = {item for item in Item if now in TOLD_IN[cells[row, item]]}
    held_back = {LABEL_OF_ITEM[item] for item in Item if item not in told}
    return frozenset(LABEL_OF_ITEM[item] for item in told) - held_back


def _labels_of_system(system: SystemAudience, identity: Identity, sees: Sees) -> frozenset[Label]:
    if not system.rows:
        return system.sees
    shared = frozenset.intersection(*(sees[row, identity] for row in system.rows))
    # What concerns the entitled person alone follows the identity check as the rest of the locked part does.
    return shared | system.sees if identity in _CHECKED else shared


def row_for(relation: Relation, identity: Identity) -> Relation:
    """Nobody is the person sought, or a guarantor, before the check: until then they only say so."""
    return Relation.CLAIMS_TO_BE_SOUGHT if relation in VERIFIED and identity is Identity.NONE else relation


def _rows_like(relation: Relation) -> Iterator[Relation]:
    yield relation
    yield from (same for same, row in SAME_ROW.items() if row is relation)


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
