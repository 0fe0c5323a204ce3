"""Which accounts come into question on a day: set-based, in a fixed number of statements."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import Row, Select, case, select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import Session

from field_api.domain.account_books import Books, spoken_against
from field_api.domain.contact_rules import PastAttempt, Refusal, Rule
from field_api.domain.eligibility import Candidate, Law, Place
from field_api.domain.known_times import read_known_time
from field_api.domain.planning_policy import Minutes, PlanningPolicy
from field_api.domain.ports import PlanningParts
from field_api.domain.routing import Point
from field_api.domain.vocabulary import OBLIGORS, NotPlannedReason, Role
from field_api.platform.tenancy import current_agency
from field_api.queries.account_books import account_books
from field_api.queries.arrays import among
from field_api.queries.past_attempts import Past, kin_of, visits_to
from field_api.queries.planning_policy import planning_policy
from field_api.records.accounts import Party
from field_api.records.people import Address, Person

OWED_BY_NOBODY = Rule("no-obligor", "no debtor or guarantor is known", "H")
GUARANTOR_ENOUGH = Rule(
    "strategy:guarantor-visits-at-most", "the creditor's strategy: so many visits to the guarantor, and no more", "H"
)
LOOK_BACK_DAYS = 62
"""Longer than the longest cap of the shipped rules; an agency's longer one looks further back."""


@dataclass(frozen=True)
class InQuestion:
    """Accounts with what the books say of them, and those with somebody to seek as candidates."""

    books: Mapping[UUID, Books]
    candidates: list[Candidate]  # of accounts that nothing in the books speaks against, or of all that were asked about
    refused: list[tuple[UUID, Refusal]]


def eligible_accounts(session: Session, day: date, parts: PlanningParts, law: Law) -> InQuestion:
    """Every placed account: those that nothing in the books speaks against, with whom to seek, where, and what was
    tried before; and the others, with the first reason. At most sixteen statements.

    The debtor is sought, or the guarantor first where contract or strategy say so; the other only where there is none.
    """
    books = {one.account_id: one for one in account_books(session, day)}
    first = {key: next(spoken_against(one, day, parts.rules.hold), None) for key, one in books.items()}
    free = [books[key] for key, refusal in first.items() if refusal is None]
    candidates = _candidates(session, day, free, parts, law)
    known = {candidate.account_id for candidate in candidates}
    refused = [(key, refusal) for key, refusal in first.items() if refusal is not None]
    refused += [(one.account_id, no_obligor()) for one in free if one.account_id not in known]
    return InQuestion(books, candidates, refused)


def accounts_in_question(
    session: Session,
    day: date,
    parts: PlanningParts,
    law: Law,
    account_ids: Collection[UUID],
    *,
    sought: Collection[UUID] = (),
) -> InQuestion:
    """These accounts, whatever speaks against them; `refused` is empty. One that nobody owes has no candidate.

    `sought`: people who are sought already; where one of them owes the account, no other is a candidate for it.
    """
    books = {one.account_id: one for one in account_books(session, day, account_ids)}
    return InQuestion(books, _candidates(session, day, list(books.values()), parts, law, sought), [])


def no_obligor() -> Refusal:
    return Refusal(NotPlannedReason.NO_COORDINATES, OWED_BY_NOBODY)


def _candidates(
    session: Session, day: date, free: list[Books], parts: PlanningParts, law: Law, prefer: Collection[UUID] = ()
) -> list[Candidate]:
    accounts = {one.account_id: one for one in free}
    guarantor_first = [key for key, one in accounts.items() if one.guarantor_first]
    sought = {row.account_id: row for row in session.execute(_sought(accounts, guarantor_first, prefer))}
    people = {key: row.person_id for key, row in sought.items()}
    second = _second(session, accounts, sought)
    everybody = {*people.values(), *(row.person_id for row in second.values())}
    policy = planning_policy(session)
    places = _places(session, everybody, parts, policy)
    represented = set(session.scalars(_represented(sought)))
    kin = kin_of(session, everybody)
    past = Past(session, day, people, kin, look_back_days=_look_back_days(places, law), others=everybody)
    barred = _sought_enough(session, accounts, sought)

    def candidate(key: UUID, row: Row[Any]) -> Candidate:
        own = places.get(row.person_id, [])
        return _candidate(accounts[key], day, row, own, past, key in represented, kin, policy)

    found = [candidate(key, sought[key]) for key in accounts if key in sought]
    return [
        replace(
            one,
            barred=barred.get(one.account_id),
            instead=candidate(one.account_id, second[one.account_id]) if one.account_id in second else None,
        )
        if one.account_id in second or one.account_id in barred
        else one
        for one in found
    ]


def _second(session: Session, accounts: Mapping[UUID, Books], sought: Mapping[UUID, Row[Any]]) -> dict[UUID, Row[Any]]:
    """Debtors of accounts whose guarantor is sought, where the strategy seeks them after the guarantor."""
    wanted = [
        key
        for key, row in sought.items()
        if row.role == Role.GUARANTOR.value and accounts[key].strategy.debtor_after_guarantor
    ]
    if not wanted:
        return {}
    rows = {row.account_id: row for row in session.execute(_sought(wanted, (), ()))}
    return {key: row for key, row in rows.items() if row.role == Role.DEBTOR.value}


def _sought_enough(
    session: Session, accounts: Mapping[UUID, Books], sought: Mapping[UUID, Row[Any]]
) -> dict[UUID, Refusal]:
    """Accounts whose guarantor was visited as often as the strategy wants."""
    limits = {
        key: limit
        for key, row in sought.items()
        if row.role == Role.GUARANTOR.value and (limit := accounts[key].strategy.guarantor_visits_at_most) is not None
    }
    if not limits:
        return {}
    visits = visits_to(session, {key: sought[key].person_id for key in limits})
    return {
        key: Refusal(NotPlannedReason.STRATEGY, GUARANTOR_ENOUGH)
        for key, limit in limits.items()
        if visits.get(key, 0) >= limit
    }


def _candidate(
    books: Books,
    day: date,
    sought: Row[Any],
    places: list[Place],
    past: Past,
    represented: bool,
    kin: Mapping[UUID, Mapping[UUID, bool]],
    policy: PlanningPolicy,
) -> Candidate:
    past_of = past.of(books.account_id, sought.person_id, _zone(places))
    return Candidate(
        account_id=books.account_id,
        sector=books.sector,
        transferred=books.transferred,
        person_id=sought.person_id,
        role=sought.role,
        is_minor=sought.is_minor,
        language=sought.language,
        places=tuple(places),
        past=past_of,
        represented=represented,
        consented=books.consented_on is not None and books.consented_on <= day,
        weight=books.weight_on(day),
        service_s=60 * _minutes(books, past_of, policy.minutes),
        next_s=60 * policy.minutes.next,
        kin=kin.get(sought.person_id),
    )


def _minutes(books: Books, past: Sequence[PastAttempt], minutes: Minutes) -> int:
    if books.promised_until is not None or books.broken_promises:
        return minutes.promise
    visited = any(attempt.channel == "visit" and attempt.about == "account" for attempt in past)
    return minutes.again if visited else minutes.first


def _look_back_days(places: Mapping[UUID, list[Place]], law: Law) -> int:
    rules = [law.rules_of(code) for code in {place.jurisdiction for own in places.values() for place in own}]
    return max([LOOK_BACK_DAYS, *(cap.within_days for one in rules if one is not None for cap in one.frequency)])


def _sought(account_ids: Iterable[UUID], guarantor_first: Iterable[UUID], prefer: Iterable[UUID]) -> Select[Any]:
    wanted = case((among(Party.account_id, guarantor_first), Role.GUARANTOR.value), else_=Role.DEBTOR.value)
    return (
        select(Party.account_id, Party.person_id, Party.role, Person.is_minor, Person.language)
        .ext(distinct_on(Party.account_id))
        .join(Person, (Person.agency_id == Party.agency_id) & (Person.id == Party.person_id))
        .where(
            Party.agency_id == current_agency(),
            among(Party.account_id, account_ids),
            Party.role.in_([role.value for role in OBLIGORS]),
        )
        .order_by(Party.account_id, ~among(Party.person_id, prefer), Party.role != wanted, Party.person_id)
    )


def _represented(account_ids: Iterable[UUID]) -> Select[tuple[UUID]]:
    return select(Party.account_id).where(
        Party.agency_id == current_agency(),
        Party.role == Role.ATTORNEY.value,
        among(Party.account_id, account_ids),
    )


def _places(
    session: Session, person_ids: Iterable[UUID], parts: PlanningParts, policy: PlanningPolicy
) -> dict[UUID, list[Place]]:
    columns = select(
        Address.id,
        Address.person_id,
        Address.kind,
        Address.latitude,
        Address.longitude,
        Address.timezone,
        Address.jurisdiction,
        Address.visits_opted_out,
        Address.fingerprint,
        Address.known_times,
        Address.needed_skills,
        Address.country,
        Address.postcode,
    ).where(
        Address.agency_id == current_agency(),
        Address.retired_at.is_(None),
        among(Address.person_id, person_ids),
    )
    found: dict[UUID, list[Place]] = {}
    for row in session.execute(columns):
        located = row.latitude is not None and row.longitude is not None
        point = Point(row.latitude, row.longitude) if located else None
        zones = [row.timezone] if row.timezone else []
        if point:
            zones += parts.calendars.zones_at(point.latitude, point.longitude)
        place = Place(
            row.id,
            row.kind,
            point,
            tuple(dict.fromkeys(zones)),
            row.jurisdiction,
            row.visits_opted_out,
            row.fingerprint,
            tuple(map(read_known_time, row.known_times)),
            frozenset(row.needed_skills),
            policy.territory_of(row.country, row.postcode),
        )
        found.setdefault(row.person_id, []).append(place)
    return found


def _zone(places: Iterable[Place]) -> ZoneInfo:
    return ZoneInfo(next((zone for place in places for zone in place.zones), "UTC"))
