"""Visits locked for operations that share a transaction, and what the office knows about each of them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from field_api.platform.tenancy import current_agency
from field_api.queries.arrays import among
from field_api.records.accounts import Account, Party
from field_api.records.people import Address
from field_api.records.planning import Stop
from field_api.records.results import Attempt
from field_api.records.visits import Visit, VisitAccount
from field_api.usecases.add_attempts import add_attempts
from field_api.usecases.apply_findings import FoundHouse, apply_findings
from field_api.usecases.apply_hazards import ToldHazard, apply_hazards
from field_api.usecases.lock_visit import lock_visits
from field_api.usecases.told_before import ToldBefore, told_before


@dataclass(frozen=True)
class VisitInHand:
    visit: Visit
    address: Address
    accounts: dict[UUID, Account]  # of the visit, by id
    parties: frozenset[UUID]  # persons that the visit's accounts know
    hours: tuple[datetime | None, datetime] | None = None  # contact hours of its stop; None once it has none


@dataclass
class VisitsInHand:
    """By visit id. `attempts` wait for their numbers until the end: the head that gives them is everybody's."""

    visits: Mapping[UUID, VisitInHand]
    told: ToldBefore
    attempts: list[Attempt] = field(default_factory=list)
    findings: list[FoundHouse] = field(default_factory=list)
    hazards: list[ToldHazard] = field(default_factory=list)

    def finish(self, session: Session) -> None:
        """Number the attempts and write everything. Nothing may be locked after it."""
        apply_findings(session, self.findings)
        self.findings.clear()
        apply_hazards(session, self.hazards)
        self.hazards.clear()
        add_attempts(session, self.attempts)
        self.attempts = []
        session.flush()


def take_in_hand(session: Session, visit_ids: Collection[UUID]) -> VisitsInHand:
    """Lock the visits and load what belongs to them. Unknown ids are left out. Seven statements at most."""
    visits = lock_visits(session, visit_ids) if visit_ids else {}
    if not visits:
        return VisitsInHand({}, ToldBefore([], {}))
    addresses = _addresses(session, {visit.address_id for visit in visits.values()})
    accounts = _accounts(session, visits)
    hours = _hours(session, {visit.stop_id for visit in visits.values() if visit.stop_id})
    known_to = _parties(session, {account for own in accounts.values() for account in own})
    return VisitsInHand(
        {
            visit.id: VisitInHand(
                visit,
                addresses[visit.address_id],
                accounts[visit.id],
                frozenset(person for account in accounts[visit.id] for person in known_to[account]),
                hours.get(visit.stop_id) if visit.stop_id else None,
            )
            for visit in visits.values()
        },
        told_before(session, visits.values()),
    )


def _addresses(session: Session, address_ids: Collection[UUID]) -> dict[UUID, Address]:
    rows = session.scalars(select(Address).where(Address.agency_id == current_agency(), among(Address.id, address_ids)))
    return {address.id: address for address in rows}


def _hours(session: Session, stop_ids: Collection[UUID]) -> dict[UUID, tuple[datetime | None, datetime]]:
    query = select(Stop.id, Stop.visit_from, Stop.visit_until).where(
        Stop.agency_id == current_agency(), among(Stop.id, stop_ids)
    )
    return {stop_id: (opens, closes) for stop_id, opens, closes in session.execute(query)}


def _accounts(session: Session, visit_ids: Collection[UUID]) -> dict[UUID, dict[UUID, Account]]:
    rows = session.execute(
        select(VisitAccount.visit_id, Account)
        .join(Account, (VisitAccount.agency_id == Account.agency_id) & (VisitAccount.account_id == Account.id))
        .where(VisitAccount.agency_id == current_agency(), among(VisitAccount.visit_id, visit_ids))
        .order_by(Account.id)
    )
    found: dict[UUID, dict[UUID, Account]] = {visit_id: {} for visit_id in visit_ids}
    for visit_id, account in rows:
        found[visit_id][account.id] = account
    return found


def _parties(session: Session, account_ids: Collection[UUID]) -> dict[UUID, set[UUID]]:
    """The persons that each account knows."""
    rows = session.execute(
        select(Party.account_id, Party.person_id).where(
            Party.agency_id == current_agency(), among(Party.account_id, account_ids)
        )
    )
    found: dict[UUID, set[UUID]] = {account_id: set() for account_id in account_ids}
    for account_id, person_id in rows:
        found[account_id].add(person_id)
    return found
