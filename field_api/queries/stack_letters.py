"""Which letters a route's stack takes, where each of them lies already, and how often it was printed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from field_api.domain.letter_custody import PRINTABLE, Place
from field_api.domain.letters import LetterState
from field_api.platform.tenancy import current_agency
from field_api.queries.arrays import among
from field_api.records.base import Tenant
from field_api.records.planning import Plan, Route, Stop
from field_api.records.visits import Letter, LetterCustody, Visit

AHEAD = ("planned", "published")
"""States of a visit whose letters lie in a stack."""


@dataclass(frozen=True)
class StackLetter:
    """A letter and the place where it belongs: None where its visit is over, and the office itself sends it. Two looks
    that find the same are equal, whatever the row became."""

    letter: Letter = field(compare=False)
    id: UUID
    state: str
    belongs: Place | None
    lies: Place | None
    times_printed: int

    @property
    def elsewhere(self) -> bool:
        """Its paper is in another stack, or was pulled out of one: it is to be moved, not printed twice."""
        return self.in_another_stack or self.state == LetterState.PULLED.value

    @property
    def in_another_stack(self) -> bool:
        if self.lies is None:
            return False
        return self.belongs is None or (self.lies.agent_id, self.lies.on) != (self.belongs.agent_id, self.belongs.on)


def stack_letters(session: Session, route_id: UUID, *, lock: bool = False) -> list[StackLetter]:
    """What may be printed for the visits ahead on a route, in its order. Two statements.

    With `lock` the rows are locked in that order, as they are after whoever had them locked before.
    """
    query = (
        select(Letter, Route.agent_id, Plan.for_day, Stop.position)
        .join(Visit, _same(Visit, Letter) & (Visit.id == Letter.visit_id))
        .join(Stop, _same(Stop, Visit) & (Stop.id == Visit.stop_id))
        .join(Route, _same(Route, Stop) & (Route.id == Stop.route_id))
        .join(Plan, _same(Plan, Route) & (Plan.id == Route.plan_id))
        .where(
            Letter.agency_id == current_agency(),
            Stop.route_id == route_id,
            Letter.state.in_([state.value for state in PRINTABLE]),
            Letter.superseded_at.is_(None),
            Visit.state.in_(AHEAD),
        )
        .order_by(Stop.position, Letter.person_id, Letter.id)
        .execution_options(populate_existing=True)
    )
    rows = session.execute(query.with_for_update(of=Letter) if lock else query).all()
    times = _times_printed(session, [row.Letter.id for row in rows])
    return [
        StackLetter(letter, letter.id, letter.state, Place(agent_id, day, stop), place_of(letter), times[letter.id])
        for letter, agent_id, day, stop in rows
    ]


def stack_letter(session: Session, letter: Letter) -> StackLetter:
    """A locked letter by itself. Two statements."""
    belongs = belongs_to(session, letter.visit_id)
    times = _times_printed(session, [letter.id])
    return StackLetter(letter, letter.id, letter.state, belongs, place_of(letter), times[letter.id])


def place_of(letter: Letter) -> Place | None:
    """Where its paper lies; None where it is in no stack."""
    if letter.stack_agent_id is None or letter.stack_on is None or letter.stack_stop is None:
        return None
    return Place(letter.stack_agent_id, letter.stack_on, letter.stack_stop)


def put_in_stack(letter: Letter, place: Place | None) -> None:
    """Note where its paper lies from now on."""
    letter.stack_agent_id = place.agent_id if place else None
    letter.stack_on = place.on if place else None
    letter.stack_stop = place.stop if place else None


def belongs_to(session: Session, visit_id: UUID) -> Place | None:
    """Where the letters of a visit ahead belong; None once it is done or withdrawn. One statement."""
    query = (
        select(Visit.agent_id, Plan.for_day, Stop.position)
        .join(Stop, _same(Stop, Visit) & (Stop.id == Visit.stop_id))
        .join(Route, _same(Route, Stop) & (Route.id == Stop.route_id))
        .join(Plan, _same(Plan, Route) & (Plan.id == Route.plan_id))
        .where(Visit.agency_id == current_agency(), Visit.id == visit_id, Visit.state.in_(AHEAD))
    )
    found = session.execute(query).one_or_none()
    return Place(found.agent_id, found.for_day, found.position) if found else None


def _same(one: type[Tenant], other: type[Tenant]) -> ColumnElement[bool]:
    return one.agency_id == other.agency_id


def _times_printed(session: Session, letter_ids: Sequence[UUID]) -> Counter[UUID]:
    query = (
        select(LetterCustody.letter_id, func.count())
        .where(
            LetterCustody.agency_id == current_agency(),
            among(LetterCustody.letter_id, letter_ids),
            LetterCustody.state == LetterState.PRINTED.value,
            LetterCustody.extra.has_key("print"),
        )
        .group_by(LetterCustody.letter_id)
    )
    return Counter(dict(session.execute(query).all()))
