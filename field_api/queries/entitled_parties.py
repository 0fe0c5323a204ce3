"""The parties of many visits that have a locked part of their own, in two statements."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from field_api.domain.entitled import Entitled, Tie, entitled_parties
from field_api.platform.tenancy import current_agency
from field_api.queries.arrays import among
from field_api.records.accounts import Party
from field_api.records.people import Person
from field_api.records.visits import Visit, VisitAccount


def parties_of_visits(session: Session, visit_ids: Collection[UUID]) -> dict[UUID, tuple[Entitled, ...]]:
    """By visit; one that is gone is absent."""
    ties: dict[UUID, list[Tie]] = defaultdict(list)
    sought: dict[UUID, UUID] = {}
    minors: set[UUID] = set()
    for visit_id, tie, is_sought, is_minor in (*_sought(session, visit_ids), *_others(session, visit_ids)):
        ties[visit_id].append(tie)
        if is_sought:
            sought[visit_id] = tie.person_id
        if is_minor:
            minors.add(tie.person_id)
    return {visit_id: entitled_parties(person_id, ties[visit_id], minors) for visit_id, person_id in sought.items()}


Row = tuple[UUID, Tie, bool, bool]
"""Visit, tie, whether it is the one sought, whether a minor."""


def _sought(session: Session, visit_ids: Collection[UUID]) -> list[Row]:
    rows = session.execute(
        select(Visit.id, VisitAccount.account_id, Visit.person_id, VisitAccount.role, Person.is_minor)
        .join(VisitAccount, (VisitAccount.agency_id == Visit.agency_id) & (VisitAccount.visit_id == Visit.id))
        .join(Person, (Person.agency_id == Visit.agency_id) & (Person.id == Visit.person_id))
        .where(Visit.agency_id == current_agency(), among(Visit.id, visit_ids))
    )
    return [(visit_id, Tie(account, person, role), True, minor) for visit_id, account, person, role, minor in rows]


def _others(session: Session, visit_ids: Collection[UUID]) -> list[Row]:
    rows = session.execute(
        select(VisitAccount.visit_id, Party.account_id, Party.person_id, Party.role, Person.is_minor)
        .join(Party, (Party.agency_id == VisitAccount.agency_id) & (Party.account_id == VisitAccount.account_id))
        .join(Person, (Person.agency_id == Party.agency_id) & (Person.id == Party.person_id))
        .where(VisitAccount.agency_id == current_agency(), among(VisitAccount.visit_id, visit_ids))
    )
    return [(visit_id, Tie(account, person, role), False, minor) for visit_id, account, person, role, minor in rows]
