"""The matrix of who may be told what at a door: cells with an order of strictness.

A cell *means* the set of situations in which it lets something be told; one cell is stricter than another where its set
is a part of the other's. So "the stricter wins" is an intersection, and nothing that is merged in can loosen a cell.
The data with its sources: field_api/rules/disclosure.toml.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from itertools import product
from types import MappingProxyType
from typing import NamedTuple

from field_api.domain.audiences import LABEL_OF_ITEM, Audience, Identity, Item, Label
from field_api.domain.vocabulary import VERIFIED, Relation


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
JURISDICTION = re.compile(r"[A-Z]{2}(-[A-Z0-9]{1,3})?")


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
        if not JURISDICTION.fullmatch(jurisdiction):
            return self.strictest
        return self.by_jurisdiction.get(jurisdiction.partition("-")[0], self.strictest)

    def tightened(self, table: Table, overrides: Cells) -> Table:
        """The table with an agency's stricter cells."""
        return table_of(merged(table.cells, overrides), self.audiences) if overrides else table


def merged(cells: Cells, more: Cells) -> dict[Place, Cell]:
    return {place: stricter(cell, more[place]) if place in more else cell for place, cell in cells.items()}


def table_of(cells: Cells, audiences: Mapping[Audience, SystemAudience]) -> Table:
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


def rows_like(relation: Relation) -> Iterator[Relation]:
    yield relation
    yield from (same for same, row in SAME_ROW.items() if row is relation)
