"""Where in a route's stack of envelopes each visit's are: a number for the sheet, in the order that stacks are printed.

The number counts people, not letters: how many letters somebody gets follows from how many accounts they have, and a
sheet that said so would tell whoever reads it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from field_api.domain.letter_custody import PRINTABLE
from field_api.domain.letters import LetterState
from field_api.platform.tenancy import current_agency
from field_api.queries.arrays import among
from field_api.records.planning import Stop
from field_api.records.visits import Letter, Visit

_HAS_A_PLACE = frozenset({*PRINTABLE, LetterState.WANTED, LetterState.HANDED_OVER, LetterState.POSTED})
"""A letter that is out of the stack in the course of the day keeps its number: the sheet may be laid out again."""


def stack_places(session: Session, route_ids: Collection[UUID]) -> Mapping[UUID, int]:
    """By visit, from 1; a visit without a letter is absent. One statement, whatever the number of routes."""
    query = (
        select(Stop.route_id, Stop.position, Letter.person_id, Visit.id)
        .join(Visit, (Visit.agency_id == Letter.agency_id) & (Visit.id == Letter.visit_id))
        .join(Stop, (Stop.agency_id == Visit.agency_id) & (Stop.id == Visit.stop_id))
        .where(
            Letter.agency_id == current_agency(),
            among(Stop.route_id, route_ids),
            Letter.state.in_(sorted(state.value for state in _HAS_A_PLACE)),
            Letter.superseded_at.is_(None),
            Visit.state != "withdrawn",
        )
        .distinct()
        .order_by(Stop.route_id, Stop.position, Letter.person_id, Visit.id)
    )
    places: dict[UUID, int] = {}
    taken: dict[UUID, int] = defaultdict(int)
    for route_id, _, _, visit_id in session.execute(query) if route_ids else ():
        if visit_id not in places:
            taken[route_id] += 1
            places[visit_id] = taken[route_id]
    return places
