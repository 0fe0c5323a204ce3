"""What was tried before with accounts and with whoever owes them: what caps and notices count."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import Select, func, literal, or_, select
from sqlalchemy.orm import Session, aliased

from field_api.domain.contact_rules import PastAttempt
from field_api.domain.letters import LetterState
from field_api.domain.told_attempts import came_of
from field_api.domain.vocabulary import OBLIGORS, Came, OutcomeKind
from field_api.platform.tenancy import current_agency
from field_api.queries.arrays import among
from field_api.records.accounts import Party
from field_api.records.people import Address, Person
from field_api.records.planning import Plan, Route, Stop
from field_api.records.results import Attempt
from field_api.records.visits import Letter, LetterCustody, Visit, VisitAccount

Kin = Mapping[UUID, Mapping[UUID, bool]]
"""By person: entries for what seems to be the same person, and whether they are the same creditor's."""


@dataclass(frozen=True)
class _Tried:
    """One attempt about one account. `cause` is the visit, or the operation: corrections of a visit count once, and so
    does a letter about two accounts."""

    cause: UUID
    account_id: UUID
    person_id: UUID
    channel: str
    at: datetime | date
    came: Came = Came.TOLD


class Past:
    """Attempts by account and by person, loaded once for many. Four statements; `kin` is one more."""

    def __init__(
        self,
        session: Session,
        day: date,
        sought: Mapping[UUID, UUID],
        kin: Kin,
        *,
        look_back_days: int,
        others: Collection[UUID] = (),
    ) -> None:
        """`others`: more people who may be sought about these accounts."""
        self._kin = kin
        people = {*sought.values(), *others, *(other for others in kin.values() for other in others)}
        accounts = {*sought, *session.scalars(_owed_by(people))}
        self._by_account: dict[UUID, list[_Tried]] = {}
        self._by_person: dict[UUID, list[_Tried]] = {}
        for tried in _all(session, day, accounts, look_back_days):
            self._by_account.setdefault(tried.account_id, []).append(tried)
            self._by_person.setdefault(tried.person_id, []).append(tried)

    def of(self, account_id: UUID, person_id: UUID, zone: ZoneInfo) -> tuple[PastAttempt, ...]:
        """What counts for one account when this person is sought about it; each cause once, as near as it comes."""
        found: dict[UUID, PastAttempt] = {}
        for other, same_creditor in self._kin.get(person_id, {}).items():
            _put(found, self._by_person.get(other, ()), "creditor" if same_creditor else "person", zone)
        _put(found, self._by_person.get(person_id, ()), "creditor", zone)
        _put(found, self._by_account.get(account_id, ()), "account", zone)
        return tuple(found.values())


def _put(found: dict[UUID, PastAttempt], tried: Iterable[_Tried], about: str, zone: ZoneInfo) -> None:
    for one in tried:
        on = one.at.astimezone(zone).date() if isinstance(one.at, datetime) else one.at
        found[one.cause] = PastAttempt(on, one.channel, about, one.came)


def kin_of(session: Session, person_ids: Iterable[UUID]) -> Kin:
    """Who bears the same name at the same address: taken for one person, since creditors' customer numbers do not tell.

    Only for caps, where it makes less possible: nobody is told anything because of it.
    """
    other_person, other_address = aliased(Person), aliased(Address)
    query = (
        select(Person.id, other_person.id, Person.creditor_id == other_person.creditor_id)
        .join(Address, (Address.agency_id == Person.agency_id) & (Address.person_id == Person.id))
        .join(
            other_address,
            (other_address.agency_id == Address.agency_id) & (other_address.fingerprint == Address.fingerprint),
        )
        .join(
            other_person,
            (other_person.agency_id == other_address.agency_id) & (other_person.id == other_address.person_id),
        )
        .where(
            Person.agency_id == current_agency(),
            among(Person.id, person_ids),
            other_person.id != Person.id,
            func.lower(other_person.name) == func.lower(Person.name),
        )
    )
    found: dict[UUID, dict[UUID, bool]] = {}
    for person_id, other_id, same_creditor in session.execute(query):
        found.setdefault(person_id, {})[other_id] = same_creditor
    return found


def visits_to(session: Session, people: Mapping[UUID, UUID]) -> dict[UUID, int]:
    """By account: how often this person was visited about it, in all. A visit that three operations told of is one."""
    query = (
        select(
            Attempt.account_id, Attempt.person_id, func.count(func.coalesce(Attempt.visit_id, Attempt.op_id).distinct())
        )
        .where(
            Attempt.agency_id == current_agency(),
            among(Attempt.account_id, people),
            Attempt.channel == "visit",
            Attempt.outcome != OutcomeKind.SKIPPED.value,
        )
        .group_by(Attempt.account_id, Attempt.person_id)
    )
    rows = session.execute(query)
    return {account_id: count for account_id, person_id, count in rows if people[account_id] == person_id}


def _owed_by(person_ids: Iterable[UUID]) -> Select[tuple[UUID]]:
    return (
        select(Party.account_id)
        .distinct()
        .where(
            Party.agency_id == current_agency(),
            among(Party.person_id, person_ids),
            Party.role.in_([role.value for role in OBLIGORS]),
        )
    )


def _all(session: Session, day: date, account_ids: set[UUID], look_back_days: int) -> Iterable[_Tried]:
    near = timedelta(days=look_back_days)
    since = datetime.combine(day - near, time(), UTC)
    attempts = select(
        func.coalesce(Attempt.visit_id, Attempt.op_id).label("cause"),
        Attempt.account_id,
        Attempt.person_id,
        Attempt.channel,
        Attempt.at,
        Attempt.outcome,
    ).where(
        Attempt.agency_id == current_agency(),
        among(Attempt.account_id, account_ids),
        Attempt.outcome != OutcomeKind.SKIPPED.value,
        or_(Attempt.at >= since, Attempt.channel != "visit"),  # a notice counts however old it is
    )
    # Told ones later: they say on which day it truly was.
    yield from (_Tried(*row) for row in session.execute(_not_reported_yet(day, near, account_ids)))
    for *tried, outcome in session.execute(attempts.order_by(Attempt.number)):
        yield _Tried(*tried, came=came_of(tried[3], outcome))
    yield from (_Tried(*row) for row in session.execute(_letters_given(account_ids)))


def _letters_given(account_ids: set[UUID]) -> Select[Any]:
    """Letters that came into the hand of somebody who owes the account: the day from which a wait counts."""
    return (
        select(Letter.id, Letter.account_id, Letter.person_id, literal("letter"), LetterCustody.at)
        .join(LetterCustody, (LetterCustody.agency_id == Letter.agency_id) & (LetterCustody.letter_id == Letter.id))
        .where(
            Letter.agency_id == current_agency(),
            Letter.state == LetterState.HANDED_OVER.value,
            LetterCustody.state == LetterState.HANDED_OVER.value,
            among(Letter.account_id, account_ids),
        )
        .order_by(LetterCustody.at)
    )


def _not_reported_yet(day: date, near: timedelta, account_ids: set[UUID]) -> Select[Any]:
    """Visits out on phones that may have taken place: they count until somebody says otherwise."""
    return (
        select(Visit.id, VisitAccount.account_id, Visit.person_id, literal("visit"), Plan.for_day)
        .join(Visit, (Visit.agency_id == VisitAccount.agency_id) & (Visit.id == VisitAccount.visit_id))
        .join(Stop, (Stop.agency_id == Visit.agency_id) & (Stop.id == Visit.stop_id))
        .join(Route, (Route.agency_id == Stop.agency_id) & (Route.id == Stop.route_id))
        .join(Plan, (Plan.agency_id == Route.agency_id) & (Plan.id == Route.plan_id))
        .where(
            Visit.agency_id == current_agency(),
            Visit.state == "published",
            Plan.for_day.between(day - near, day + near),
            among(VisitAccount.account_id, account_ids),
        )
    )
