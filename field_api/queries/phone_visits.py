"""All that a phone must be told of visits, loaded for many at once in ten statements. Needs audience OFFICE_JOB."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import date
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from field_api.domain.entitled import Entitled
from field_api.domain.identity import ANSWER_KINDS
from field_api.platform.tenancy import current_agency
from field_api.queries.arrays import among
from field_api.queries.entitled_parties import parties_of_visits
from field_api.queries.place_hazards import hazards_at
from field_api.records.accounts import Account
from field_api.records.agency import Agency, Creditor
from field_api.records.people import Address, Person, VerificationAnswer
from field_api.records.planning import Plan, Route, Stop
from field_api.records.results import Attempt
from field_api.records.visits import Letter, Visit, VisitAccount

HISTORY_PER_ACCOUNT = 8
LETTERS_ON_THE_WAY = ("issued", "printed")


@dataclass
class PhoneVisit:
    """One visit as it stands now. `parties` have a lock; `people` and `answers` are theirs, by person; `history` is
    newest first."""

    visit: Visit
    person: Person
    address: Address
    creditor: Creditor
    stop: Stop | None
    route_id: UUID | None
    day: date | None
    accounts: list[tuple[Account, str]] = field(default_factory=list)  # with the sought person's role
    parties: tuple[Entitled, ...] = ()
    people: dict[UUID, Person] = field(default_factory=dict)
    answers: dict[UUID, list[VerificationAnswer]] = field(default_factory=dict)  # of obligors alone, by kind
    letters: list[Letter] = field(default_factory=list)
    history: list[Attempt] = field(default_factory=list)
    hazards: tuple[str, ...] = ()  # of the place, as agents before said


def running_agency(session: Session) -> Agency:
    return session.scalars(select(Agency).where(Agency.agency_id == current_agency())).one()


def phone_visits(session: Session, visit_ids: Collection[UUID]) -> dict[UUID, PhoneVisit]:
    """The visits by id; one that is gone is absent."""
    query = (
        select(Visit, Person, Address, Creditor, Stop, Route.id, Plan.for_day)
        .join(Person, Person.id == Visit.person_id)
        .join(Address, Address.id == Visit.address_id)
        .join(Creditor, Creditor.id == Person.creditor_id)
        .outerjoin(Stop, Stop.id == Visit.stop_id)
        .outerjoin(Route, Route.id == Stop.route_id)
        .outerjoin(Plan, Plan.id == Route.plan_id)
        .where(among(Visit.id, visit_ids))
        .execution_options(populate_existing=True)
    )
    found = {row[0].id: PhoneVisit(*row) for row in session.execute(query)}
    open_visits = {key: item for key, item in found.items() if item.visit.state == "published"}
    _add_accounts(session, open_visits)
    _add_parties(session, open_visits)
    _add_answers(session, open_visits.values())
    _add_letters(session, open_visits)
    _add_history(session, open_visits.values())
    _add_hazards(session, open_visits.values())
    return found


def _add_accounts(session: Session, found: dict[UUID, PhoneVisit]) -> None:
    rows = session.execute(
        select(VisitAccount.visit_id, Account, VisitAccount.role)
        .join(Account, Account.id == VisitAccount.account_id)
        .where(among(VisitAccount.visit_id, found))
        .order_by(VisitAccount.visit_id, Account.id)
        .execution_options(populate_existing=True)
    )
    for visit_id, account, role in rows:
        found[visit_id].accounts.append((account, role))


def _add_parties(session: Session, found: dict[UUID, PhoneVisit]) -> None:
    parties = parties_of_visits(session, found)
    wanted = {party.person_id for some in parties.values() for party in some}
    people = {person.id: person for person in session.scalars(select(Person).where(among(Person.id, wanted)))}
    for visit_id, item in found.items():
        item.parties = parties.get(visit_id, ())
        item.people = {party.person_id: people[party.person_id] for party in item.parties}


def _add_answers(session: Session, items: Collection[PhoneVisit]) -> None:
    """What obligors can prove themselves with; who acts for another opens by code alone."""
    by_person: dict[UUID, list[VerificationAnswer]] = defaultdict(list)
    wanted = {party.person_id for item in items for party in item.parties if not party.by_code_only}
    for answer in session.scalars(
        select(VerificationAnswer)
        .where(among(VerificationAnswer.person_id, wanted), VerificationAnswer.kind.in_(sorted(ANSWER_KINDS)))
        .order_by(VerificationAnswer.person_id, VerificationAnswer.kind)
        .execution_options(populate_existing=True)
    ):
        by_person[answer.person_id].append(answer)
    for item in items:
        obligors = (party.person_id for party in item.parties if not party.by_code_only)
        item.answers = {person_id: by_person[person_id] for person_id in obligors}


def _add_letters(session: Session, found: dict[UUID, PhoneVisit]) -> None:
    for letter in session.scalars(
        select(Letter)
        .where(among(Letter.visit_id, found), Letter.state.in_(LETTERS_ON_THE_WAY), Letter.superseded_at.is_(None))
        .order_by(Letter.visit_id, Letter.serial)
        .execution_options(populate_existing=True)
    ):
        found[letter.visit_id].letters.append(letter)


def _add_history(session: Session, items: Collection[PhoneVisit]) -> None:
    """The last attempts on each account."""
    account_ids = {account.id for item in items for account, _ in item.accounts}
    rank = func.row_number().over(partition_by=Attempt.account_id, order_by=Attempt.number.desc())
    ranked = select(Attempt.id, rank.label("rank")).where(among(Attempt.account_id, account_ids)).subquery()
    attempts: Sequence[Attempt] = session.scalars(
        select(Attempt)
        .join(ranked, ranked.c.id == Attempt.id)
        .where(ranked.c.rank <= HISTORY_PER_ACCOUNT)
        .order_by(Attempt.number.desc())
    ).all()
    by_account: dict[UUID, list[Attempt]] = defaultdict(list)
    for attempt in attempts:
        by_account[attempt.account_id].append(attempt)
    for item in items:
        for account, _ in item.accounts:
            item.history.extend(by_account[account.id])


def _add_hazards(session: Session, items: Collection[PhoneVisit]) -> None:
    told = hazards_at(session, [bytes(item.address.fingerprint) for item in items])
    for item in items:
        item.hazards = told[bytes(item.address.fingerprint)]
