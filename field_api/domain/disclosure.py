"""Who may be shown or told what: pure look-ups in the matrix.

Source: the product's first rule, that no balance and no reason for the visit reaches a third party
(docs/threat-model.md); the matrix with the source of each cell is field_api/rules/disclosure.toml.

Labels are for whole fields and hold for responses, renders and columns (`may_see`); items are what an agent tells one
person at a door (`may_tell`). Unknown means no; an unknown jurisdiction gets the strictest cell of all.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import lru_cache
from importlib.resources import files
from types import MappingProxyType

from field_api.domain.audiences import LABEL_OF_ITEM, Audience, Identity, Item, Label
from field_api.domain.disclosure_matrix import (
    TOLD_IN,
    BadMatrix,
    Cell,
    Cells,
    LooserThanTheRule,
    Situation,
    Source,
    row_for,
    stricter,
)
from field_api.domain.disclosure_reader import read_matrix, read_overrides
from field_api.domain.vocabulary import Relation

__all__ = [
    "LABEL_OF_ITEM",
    "MATRIX",
    "NO_OVERRIDES",
    "Audience",
    "BadMatrix",
    "Cell",
    "Cells",
    "Identity",
    "Item",
    "Label",
    "LooserThanTheRule",
    "Relation",
    "Situation",
    "Source",
    "agency_overrides",
    "cell_of",
    "may_see",
    "may_tell",
    "sources_of",
]

# Packaged constant data, read once: the rule cannot change while a process runs, and a broken file stops it here.
MATRIX = read_matrix(tomllib.loads(files("field_api").joinpath("rules", "disclosure.toml").read_text(encoding="utf-8")))
NO_OVERRIDES: Cells = MappingProxyType({})
_NOTHING: frozenset[Label] = frozenset()
# 100,000 accounts in a file are some millions of calls: both are look-ups. Addresses name few jurisdictions.
_table_of = lru_cache(maxsize=1024)(MATRIX.table)
_SEEN_BY = {who: labels for (who, identity), labels in MATRIX.strictest.sees.items() if identity is None}


def may_see(
    audience: Audience | Relation,
    label: Label,
    jurisdiction: str | None = None,
    identity: Identity | None = None,
    agency: Cells = NO_OVERRIDES,
) -> bool:
    """Whether the audience, or whoever answered the door, may be shown a field with this label.

    At a door the answer is yes only if *every* item with the label may be told there. `identity` None means what the
    word itself says: an entitled party was checked, anybody else at a door was not. Unknown means no.
    """
    if jurisdiction is None and identity is None and not agency:
        return label in _SEEN_BY.get(audience, _NOTHING)
    table = _table_of(jurisdiction)
    if agency:
        table = MATRIX.tightened(table, agency)
    return label in table.sees.get((audience, identity), _NOTHING)


def may_tell(
    relation: Relation,
    item: Item,
    jurisdiction: str | None,
    identity: Identity = Identity.NONE,
    *,
    asked: bool = False,
    asked_before: bool = False,
    named: bool = True,
    agency: Cells = NO_OVERRIDES,
) -> bool:
    """Whether the agent may tell this item to (for `location_question`: ask it of) whoever stands there.

    `asked`: they expressly asked for it. `asked_before`: this person was asked about this person sought already.
    `named`: the question names the person sought; with False it is about the place alone. Unknown means no.
    """
    cell = cell_of(relation, item, jurisdiction, identity, agency)
    return (identity, asked, asked_before, named) in TOLD_IN[cell]


def cell_of(
    relation: Relation,
    item: Item,
    jurisdiction: str | None,
    identity: Identity = Identity.NONE,
    agency: Cells = NO_OVERRIDES,
) -> Cell:
    """The cell that decides, the stricter of rule and agency. Before the check, "sought" and "guarantor" are claims."""
    place = (row_for(relation, identity), item)
    cell = _table_of(jurisdiction).cells.get(place, Cell.NEVER)
    return stricter(cell, agency[place]) if place in agency else cell


def sources_of(relation: Relation, item: Item) -> tuple[Source, ...]:
    """Where the cell comes from: the row's source first, then each jurisdiction that makes it stricter."""
    return MATRIX.sources[relation, item]


def agency_overrides(policy: Mapping[str, object]) -> Cells:
    """The cells that an agency makes stricter, of `policy["disclosure"]`: {"spouse": {"agency": "never"}}.

    Raises LooserThanTheRule naming the cell that would tell more, BadMatrix for anything not understood: whoever reads
    a policy stops there and tells nothing.
    """
    raw = policy.get("disclosure")
    return NO_OVERRIDES if raw is None else read_overrides(raw, MATRIX.default.cells)
