"""What a phone must know to keep to the rule at one door: who was asked before, and what the agency made stricter."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from functools import cache
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from field_api.domain.disclosure import Cells, Identity, Item, agency_overrides, cell_of
from field_api.domain.location_inquiry import Inquiry, concern
from field_api.domain.vocabulary import Relation
from field_api.queries.location_inquiries import earlier_inquiries, with_counsel
from field_api.queries.phone_visits import PhoneVisit
from field_api.records.agency import Agency


def location_parts(session: Session, items: Collection[PhoneVisit]) -> dict[UUID, dict[str, Any]]:
    """By visit: `closed`, where nobody may be asked for this person, and `asked`, each person asked before once.

    Why it is closed (counsel is known) is not told: a phone at a third party's door needs no more than that it is.
    """
    sought = {item.visit.person_id for item in items}
    earlier, closed = earlier_inquiries(session, sought), with_counsel(session, sought)
    return {
        item.visit.id: {
            "closed": item.visit.person_id in closed,
            "asked": _asked(concern(earlier.get(item.visit.person_id, []), item.address.id)),
        }
        for item in items
    }


def _asked(inquiries: Collection[Inquiry]) -> list[dict[str, str | None]]:
    """Closed words in their own order: neither when nor in which order anybody was asked is told."""
    found = {(one.relation.value, one.whom.value if one.whom else None) for one in inquiries}
    ordered = sorted(found, key=lambda pair: (pair[0], pair[1] or ""))
    return [{"relation": relation, "whom": whom} for relation, whom in ordered]


class Narrower:
    """The cells that an agency made stricter than the packaged matrix, which phones carry themselves.

    Raises BadMatrix where its policy cannot be understood: then no visit is published rather than too much of one.
    """

    def __init__(self, agency: Agency) -> None:
        self._overrides: Cells = agency_overrides(agency.policy)
        self.at = cache(self._at)

    def _at(self, jurisdiction: str) -> dict[str, dict[str, str]]:
        """relation → item → cell at this place; empty where the agency added nothing."""
        found: dict[str, dict[str, str]] = defaultdict(dict)
        for relation in Relation if self._overrides else ():
            for item in Item:
                ours = cell_of(relation, item, jurisdiction, Identity.VERIFIED, self._overrides)
                if ours is not cell_of(relation, item, jurisdiction, Identity.VERIFIED):
                    found[relation.value][item.value] = ours.value
        return dict(found)
