"""Letters that the office must look after, by why: each list over an index, a page in one statement."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Date, Row, Select, and_, cast, func, literal, or_, select
from sqlalchemy.orm import InstrumentedAttribute, Session, aliased

from field_api.domain.letter_custody import IN_THE_OFFICE, Chased, Place, ToDo, misplaced
from field_api.domain.letter_steps import ASKED_FOR
from field_api.domain.letters import LetterState
from field_api.platform.tenancy import current_agency
from field_api.queries.stack_letters import AHEAD, place_of
from field_api.records.accounts import Account
from field_api.records.agency import Creditor
from field_api.records.people import Person
from field_api.records.planning import Agent, Plan, Route, Stop
from field_api.records.visits import Letter, LetterCustody, Visit

REFUSED_LATELY = timedelta(days=30)
MANY = 1_000
"""How far a list is counted: more is "more"."""

Holder = aliased(Agent)  # in whose stack the paper lies
Visitor = aliased(Agent)  # whose visit it is

Keys = Sequence[InstrumentedAttribute[Any]]
_PLACE: Keys = (Letter.stack_on, Letter.stack_agent_id, Letter.stack_stop, Letter.id)
KEYS: dict[Chased, Keys] = {
    Chased.UNPRINTED: (Plan.for_day, Visitor.code, Stop.position, Letter.id),
    Chased.PULL: _PLACE,
    Chased.OUTSTANDING: _PLACE,
    Chased.IN_OFFICE: (Letter.id,),
    Chased.TO_POST: (Letter.id,),
    Chased.REFUSED: (Letter.id,),
    Chased.LOST: (Letter.id,),
}
"""What a list is ordered and paged by: days, agents and stops, nothing that a letter says."""


@dataclass(frozen=True)
class ChasedLetter:
    """One letter and what is to be done about it. `agent_code`, `on`, `stop`: where its paper lies, or where it will;
    `to_...`: where it belongs, if elsewhere."""

    id: UUID
    visit_id: UUID
    serial: str
    name: str
    kind: str
    state: str
    to_do: str
    agent_code: str | None
    on: date | None
    stop: int | None
    to_agent_code: str | None
    to_on: date | None
    to_stop: int | None
    since: datetime
    refusal: str | None


def chased(why: Chased, now: datetime) -> Select[Any]:
    """The statement, unordered; its rows become ChasedLetter by `chased_letter`."""
    query = _select(
        select(Letter, Visit.state, Visit.agent_id, Person.name, Holder.code, Visitor.code, Plan.for_day, Stop.position)
    )
    since = select(func.max(LetterCustody.at)).where(
        LetterCustody.agency_id == Letter.agency_id,
        LetterCustody.letter_id == Letter.id,
        LetterCustody.state == Letter.state,
    )
    return query.add_columns(since.scalar_subquery().label("since")).where(*_condition(why, now))


def chased_letter(why: Chased, row: Row[Any]) -> ChasedLetter:
    letter, visit_state, agent_id, name, holder, visitor, for_day, position = row[:8]
    belongs = Place(agent_id, for_day, position) if visit_state in AHEAD and for_day and position else None
    lies, standing = place_of(letter), belongs if letter.superseded_at is None else None
    elsewhere = lies is not None and standing is not None and misplaced(lies, standing) is ToDo.MOVE
    return ChasedLetter(
        id=letter.id,
        visit_id=letter.visit_id,
        serial=letter.serial,
        name=name,
        kind=letter.kind,
        state=letter.state,
        to_do=_to_do(why, letter, lies, standing).value,
        agent_code=holder if lies else visitor if why is Chased.UNPRINTED else None,
        on=lies.on if lies else for_day if why is Chased.UNPRINTED else None,
        stop=lies.stop if lies else position if why is Chased.UNPRINTED else None,
        to_agent_code=visitor if elsewhere else None,
        to_on=for_day if elsewhere else None,
        to_stop=position if elsewhere else None,
        since=row[8],
        refusal=letter.refusal,
    )


def chase_counts(session: Session, now: datetime) -> dict[Chased, int]:
    """How many of each kind, up to MANY + 1. One statement."""
    parts = [
        select(func.count()).select_from(
            _select(select(literal(1))).where(*_condition(why, now)).limit(MANY + 1).subquery()
        )
        for why in Chased
    ]
    row = session.execute(select(*(part.scalar_subquery() for part in parts))).one()
    return dict(zip(Chased, row, strict=True))


@dataclass(frozen=True)
class RefusedOfCreditor:
    creditor_id: UUID
    creditor: str
    refusal: str
    count: int


def refused_by_creditor(session: Session, now: datetime) -> list[RefusedOfCreditor]:
    """What letters lack, most of them first: whose data are to be mended. One statement."""
    query = (
        select(Creditor.id, Creditor.name, Letter.refusal, func.count())
        .select_from(Letter)
        .join(Visit, (Visit.agency_id == Letter.agency_id) & (Visit.id == Letter.visit_id))
        .join(Account, (Account.agency_id == Letter.agency_id) & (Account.id == Letter.account_id))
        .join(Creditor, (Creditor.agency_id == Account.agency_id) & (Creditor.id == Account.creditor_id))
        .where(*_refused(now))
        .group_by(Creditor.id, Creditor.name, Letter.refusal)
        .order_by(func.count().desc(), Creditor.name, Letter.refusal)
        .limit(MANY)
    )
    return [RefusedOfCreditor(*row) for row in session.execute(query)]


def _to_do(why: Chased, letter: Letter, lies: Place | None, belongs: Place | None) -> ToDo:
    if why is Chased.PULL and lies is not None:
        return misplaced(lies, belongs) or ToDo.MOVE
    if why in (Chased.TO_POST, Chased.IN_OFFICE) and letter.superseded_at is not None:
        return ToDo.DESTROY
    if why is Chased.TO_POST:
        return ToDo.PRINT if letter.state != LetterState.PRINTED.value else ToDo.POST
    return _SIMPLY[why]


_SIMPLY = {
    Chased.UNPRINTED: ToDo.PRINT,
    Chased.OUTSTANDING: ToDo.FETCH,
    Chased.IN_OFFICE: ToDo.DECIDE,
    Chased.REFUSED: ToDo.MEND,
    Chased.LOST: ToDo.LOOK,
}


def _select(query: Select[Any]) -> Select[Any]:
    return (
        query.select_from(Letter)
        .join(Visit, (Visit.agency_id == Letter.agency_id) & (Visit.id == Letter.visit_id))
        .join(Person, (Person.agency_id == Letter.agency_id) & (Person.id == Letter.person_id))
        .join(Visitor, (Visitor.agency_id == Visit.agency_id) & (Visitor.id == Visit.agent_id))
        .outerjoin(Holder, (Holder.agency_id == Letter.agency_id) & (Holder.id == Letter.stack_agent_id))
        .outerjoin(Stop, (Stop.agency_id == Visit.agency_id) & (Stop.id == Visit.stop_id))
        .outerjoin(Route, (Route.agency_id == Stop.agency_id) & (Route.id == Stop.route_id))
        .outerjoin(Plan, (Plan.agency_id == Route.agency_id) & (Plan.id == Route.plan_id))
        .where(Letter.agency_id == current_agency())
    )


def _condition(why: Chased, now: datetime) -> list[ColumnElement[bool]]:
    return {
        Chased.UNPRINTED: _unprinted,
        Chased.PULL: _to_pull,
        Chased.OUTSTANDING: _outstanding,
        Chased.IN_OFFICE: _in_office,
        Chased.TO_POST: _to_post,
        Chased.REFUSED: _refused,
        Chased.LOST: _lost,
    }[why](now)


def _today(now: datetime, agent: type[Agent]) -> ColumnElement[date]:
    """The day where the agent works: in the office's evening Greenwich is a day on."""
    return cast(func.timezone(agent.timezone, now), Date)


def _unprinted(now: datetime) -> list[ColumnElement[bool]]:
    today = _today(now, Visitor)
    near = Plan.for_day.between(now.date() - timedelta(days=1), now.date() + timedelta(days=2))  # for the index
    waits = Letter.state.in_((LetterState.WANTED.value, LetterState.ISSUED.value))
    return [near, Plan.for_day.between(today, today + 1), waits, Letter.superseded_at.is_(None), Visit.state.in_(AHEAD)]


def _to_pull(now: datetime) -> list[ColumnElement[bool]]:
    wrong = or_(
        Visit.state == "withdrawn",
        Letter.superseded_at.is_not(None),
        and_(Visit.state.in_(AHEAD), or_(Visit.agent_id != Letter.stack_agent_id, Plan.for_day != Letter.stack_on)),
    )
    return [Letter.stack_on >= now.date() - timedelta(days=1), Letter.stack_on >= _today(now, Holder), wrong]


def _outstanding(now: datetime) -> list[ColumnElement[bool]]:
    return [Letter.stack_on <= now.date(), Letter.stack_on < _today(now, Holder)]


def _in_office(_: datetime) -> list[ColumnElement[bool]]:
    return [Letter.state.in_([state.value for state in IN_THE_OFFICE]), Letter.stack_on.is_(None)]


def _to_post(_: datetime) -> list[ColumnElement[bool]]:
    """What the office asked for, and every paper that was printed for no stack: each half over an index of its own."""
    waits = (LetterState.WANTED.value, LetterState.ISSUED.value, LetterState.PRINTED.value)
    kinds = sorted(kind.value for kind in ASKED_FOR)
    asked = and_(Letter.state.in_(waits), Letter.stack_on.is_(None), Letter.kind.in_(kinds))
    paper = and_(Letter.state == LetterState.PRINTED.value, Letter.stack_on.is_(None))
    stands = or_(Letter.superseded_at.is_(None), Letter.state == LetterState.PRINTED.value)
    return [or_(asked, paper), stands, Visit.state.not_in(AHEAD)]


def _refused(now: datetime) -> list[ColumnElement[bool]]:
    return [
        Letter.agency_id == current_agency(),
        Letter.state == LetterState.REFUSED.value,
        Letter.superseded_at.is_(None),
        Visit.published_at >= now - REFUSED_LATELY,
    ]


def _lost(_: datetime) -> list[ColumnElement[bool]]:
    return [Letter.state == LetterState.LOST.value]
