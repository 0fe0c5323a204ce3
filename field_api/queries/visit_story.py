"""The whole story of one visit, for a manager: who, where, when, what was said, opened, handed over, promised."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TypeVar
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from field_api.domain.location_inquiry import ASKED, ASKED_AGAIN
from field_api.platform.problems import Problem
from field_api.platform.tenancy import current_agency
from field_api.queries.location_inquiries import earlier_inquiries
from field_api.records.accounts import Account, Hold
from field_api.records.people import Address, ContactCandidate, Person
from field_api.records.planning import Agent, Plan, Route, Stop
from field_api.records.results import Attempt, Dispute, Promise
from field_api.records.staff import Staff
from field_api.records.visits import Letter, LetterCustody, Visit, VisitAccount, VisitEvent

MAX_EVENTS = 1_000
"""More than any honest visit has; a phone cannot make the page grow without bound."""

Placed = TypeVar("Placed", Attempt, Promise, Dispute, ContactCandidate, Hold)


@dataclass(frozen=True)
class LocationInquiries:
    """How many third parties were asked where this person is: on the visit told, and on all visits to them.

    `again`: of those on this visit, how many asked somebody a second time.
    """

    here: int
    again: int
    in_all: int


@dataclass(frozen=True)
class VisitStory:
    """Rows in the order in which they are told. `names` has the names of agents and staff by id."""

    visit: Visit
    person: Person
    address: Address
    stop: Stop | None
    day: date | None
    accounts: list[tuple[Account, str]]  # with the sought person's role
    events: list[VisitEvent]
    events_cut: bool
    attempts: list[Attempt]
    promises: list[Promise]
    disputes: list[Dispute]
    candidates: list[ContactCandidate]
    holds: list[Hold]
    letters: list[Letter]
    custody: list[LetterCustody]
    names: dict[UUID, str]
    inquiries: LocationInquiries


def visit_story(session: Session, visit_id: UUID) -> VisitStory:
    """Load it in thirteen statements, however much happened. Raises Problem `not-found`.

    What operations placed is found by operation, over unique indexes that begin with it.
    """
    visit, person, address, stop, day = _visit(session, visit_id)
    events = session.scalars(
        select(VisitEvent)
        .where(VisitEvent.agency_id == current_agency(), VisitEvent.visit_id == visit_id)
        .order_by(VisitEvent.at, VisitEvent.id)
        .limit(MAX_EVENTS + 1)
    ).all()
    shown = _in_each_ones_order(events[:MAX_EVENTS])
    operations = {event.op_id for event in shown if event.op_id}
    letters = _letters(session, visit_id)
    return VisitStory(
        visit=visit,
        person=person,
        address=address,
        stop=stop,
        day=day,
        accounts=_accounts(session, visit_id),
        events=shown,
        events_cut=len(events) > MAX_EVENTS,
        attempts=sorted(_placed(session, Attempt, operations), key=lambda attempt: attempt.number),
        promises=sorted(_placed(session, Promise, operations), key=lambda p: (p.made_at, p.position)),
        disputes=sorted(_placed(session, Dispute, operations), key=lambda dispute: dispute.opened_at),
        candidates=sorted(_placed(session, ContactCandidate, operations), key=lambda c: (c.recorded_at, c.position)),
        holds=sorted(_placed(session, Hold, operations), key=lambda hold: (hold.placed_at, hold.id)),
        letters=letters,
        custody=_custody(session, [letter.id for letter in letters]),
        names=_names(session, {visit.agent_id} | {actor for event in shown if (actor := _actor(event))}),
        inquiries=_inquiries(session, person.id, shown),
    )


def _in_each_ones_order(events: Sequence[VisitEvent]) -> list[VisitEvent]:
    """By time; but what one agent recorded stands in the order in which it took effect, which is the phone's own: where
    a clock was wrong or the phone restarted, the times alone would tell an outcome before the arrival."""
    places: dict[str, list[int]] = {}
    for place, event in enumerate(events):
        if event.op_id is not None:
            places.setdefault(event.actor, []).append(place)
    ordered = list(events)
    for own in places.values():
        for place, event in zip(own, sorted((events[place] for place in own), key=lambda e: e.id), strict=True):
            ordered[place] = event
    return ordered


def _visit(session: Session, visit_id: UUID) -> tuple[Visit, Person, Address, Stop | None, date | None]:
    row = session.execute(
        select(Visit, Person, Address, Stop, Plan.for_day)
        .join(Person, (Person.agency_id == Visit.agency_id) & (Person.id == Visit.person_id))
        .join(Address, (Address.agency_id == Visit.agency_id) & (Address.id == Visit.address_id))
        .outerjoin(Stop, (Stop.agency_id == Visit.agency_id) & (Stop.id == Visit.stop_id))
        .outerjoin(Route, (Route.agency_id == Stop.agency_id) & (Route.id == Stop.route_id))
        .outerjoin(Plan, (Plan.agency_id == Route.agency_id) & (Plan.id == Route.plan_id))
        .where(Visit.agency_id == current_agency(), Visit.id == visit_id)
    ).one_or_none()
    if row is None:
        raise Problem("not-found", "no such visit")
    return row[0], row[1], row[2], row[3], row[4]


def _accounts(session: Session, visit_id: UUID) -> list[tuple[Account, str]]:
    rows = session.execute(
        select(Account, VisitAccount.role)
        .join(VisitAccount, (VisitAccount.agency_id == Account.agency_id) & (VisitAccount.account_id == Account.id))
        .where(VisitAccount.agency_id == current_agency(), VisitAccount.visit_id == visit_id)
        .order_by(Account.id)
    )
    return [(account, role) for account, role in rows]


def _placed(session: Session, kind: type[Placed], operations: Collection[UUID]) -> Sequence[Placed]:
    return session.scalars(select(kind).where(kind.agency_id == current_agency(), kind.op_id.in_(operations))).all()


def _letters(session: Session, visit_id: UUID) -> list[Letter]:
    return list(
        session.scalars(
            select(Letter)
            .where(Letter.agency_id == current_agency(), Letter.visit_id == visit_id)
            .order_by(Letter.account_id, Letter.id)
        )
    )


def _custody(session: Session, letter_ids: Collection[UUID]) -> list[LetterCustody]:
    return list(
        session.scalars(
            select(LetterCustody)
            .where(LetterCustody.agency_id == current_agency(), LetterCustody.letter_id.in_(letter_ids))
            .order_by(LetterCustody.at, LetterCustody.id)
        )
    )


def _inquiries(session: Session, person_id: UUID, events: Sequence[VisitEvent]) -> LocationInquiries:
    asked = [event.flags for event in events if ASKED in event.flags]
    in_all = len(earlier_inquiries(session, [person_id]).get(person_id, []))
    return LocationInquiries(len(asked), sum(ASKED_AGAIN in flags for flags in asked), in_all)


def _actor(event: VisitEvent) -> UUID | None:
    """The id in "agent:<id>" or "staff:<id>"."""
    kind, _, number = event.actor.partition(":")
    return UUID(number) if kind in ("agent", "staff") and number else None


def _names(session: Session, ids: Collection[UUID]) -> dict[UUID, str]:
    names: dict[UUID, str] = {}
    for kind in (Agent, Staff):
        named = select(kind.id, kind.name).where(kind.agency_id == current_agency(), kind.id.in_(ids))
        names.update((row_id, name) for row_id, name in session.execute(named))
    return names
