"""Asking third parties where somebody is: once per person asked and person sought (12 CFR 1006.10, 15 USC 1692b(3)).

Nothing is known of the person asked but a relation and where they were found, so that nobody's data are kept for having
answered a question. An inquiry is remembered as a mark beside the flags of the encounter at which it was put.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from uuid import UUID

from field_api.domain.disclosure import NO_OVERRIDES, Cell, Cells, Identity, Item, cell_of
from field_api.domain.vocabulary import Relation, Whom

ASKED = "location-asked"
"""Mark of an encounter at which a counted question was put; `location-asked:RELATION:WHOM` says to whom."""
ASKED_AGAIN = "location-asked-again"
"""Flag of a question put to somebody who was asked before."""
_UNNAMED = "unnamed"
_COUNTED = frozenset({Cell.ONCE, Cell.PLACE_ONLY})
_REFUSED = frozenset({Cell.NEVER, Cell.OFF})
_OF_A_PLACE = frozenset({Relation.NEIGHBOUR, Relation.GUARD})
_ONE_PERSON = frozenset({Relation.SPOUSE})
"""Of these there is one: wherever they are met, it is the same person."""


@dataclass(frozen=True)
class Inquiry:
    """One question put. `whom` None: an older phone did not say; then it stands for anybody of that relation."""

    relation: Relation
    whom: Whom | None
    address_id: UUID

    @property
    def marks(self) -> list[str]:
        return [ASKED, f"{ASKED}:{self.relation.value}:{self.whom.value if self.whom else _UNNAMED}"]


def read_marks(flags: Iterable[str], address_id: UUID) -> Iterator[Inquiry]:
    """The inquiries that an event's flags and marks tell of."""
    for flag in flags:
        if flag.startswith(f"{ASKED}:"):
            _, relation, whom = flag.split(":")
            yield Inquiry(Relation(relation), None if whom == _UNNAMED else Whom(whom), address_id)


def is_counted(relation: Relation, jurisdiction: str, agency: Cells = NO_OVERRIDES) -> bool:
    """Whether a question to this relation is put once only: to third parties, not to who is entitled."""
    return _cell(relation, jurisdiction, agency) in _COUNTED


def is_allowed(relation: Relation, jurisdiction: str, agency: Cells = NO_OVERRIDES) -> bool:
    return _cell(relation, jurisdiction, agency) not in _REFUSED


def _cell(relation: Relation, jurisdiction: str, agency: Cells) -> Cell:
    # Whoever is recorded as sought or guarantor was checked: that this was so is judged elsewhere.
    return cell_of(relation, Item.LOCATION_QUESTION, jurisdiction, Identity.VERIFIED, agency)


def concern(earlier: Iterable[Inquiry], address_id: UUID) -> list[Inquiry]:
    """Those that count at this address: neighbours and guards are others elsewhere, family is the same anywhere."""
    return [past for past in earlier if past.relation not in _OF_A_PLACE or past.address_id == address_id]


def was_asked_before(inquiry: Inquiry, earlier: Collection[Inquiry]) -> bool:
    """Whether this person was asked already; where either does not say whom, anybody of the relation counts."""
    anybody = inquiry.relation in _ONE_PERSON
    return any(
        past.relation is inquiry.relation
        and (anybody or past.whom is inquiry.whom or None in (past.whom, inquiry.whom))
        for past in concern(earlier, inquiry.address_id)
    )
