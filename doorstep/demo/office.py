"""The office's side of the demonstration's day: what a manager and a dispatcher do, by the same use cases."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, time
from pathlib import Path
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from doorstep.demo.cast import AGENTS
from doorstep.demo.fates import Door
from doorstep.demo.portfolios import DemoPortfolio
from doorstep.private_file import write_private
from field_api.domain.routing import Point
from field_api.domain.vocabulary import ChangeKind, VisitEventKind
from field_api.http.permits import TOKEN_PERMISSIONS
from field_api.platform.database import transaction
from field_api.platform.passwords import one_time_password
from field_api.platform.wiring import clock, objects, office_keys, papers
from field_api.records.agency import Creditor
from field_api.records.changes import Change
from field_api.records.people import Address, Person
from field_api.records.planning import Agent, Plan, Route, Stop
from field_api.records.visits import Visit, VisitAccount, VisitEvent
from field_api.usecases.add_agent import add_agent
from field_api.usecases.add_staff import add_staff
from field_api.usecases.import_accounts import ImportReport, import_accounts
from field_api.usecases.issue_api_token import issue_api_token
from field_api.usecases.issue_papers import IssuedPapers, issue_papers
from field_api.usecases.print_route import print_route
from field_api.usecases.set_shift import set_shift
from media.office.records import Photo, PhotoState
from sync.mailbox import InboxOp
from sync.office.enrolment import issue_enrolment

SIGN_INS = (
    ("admin@demo.example", "Ada Torbolt", "admin"),
    ("manager@demo.example", "Ines Brimayr", "manager"),
    ("dispatcher@demo.example", "Noa Calderwick", "dispatcher"),
)


@dataclass(frozen=True)
class DemoVisit:
    """A published visit, in route order, with what the demonstration knows of the person sought."""

    agent_code: str
    position: int
    visit_id: UUID
    account_ids: tuple[UUID, ...]
    door: Door


def hire(session: Session) -> dict[str, str]:
    """Staff who may sign in, with one-time passwords by e-mail; six agents with their weekly shifts."""
    passwords = {}
    for email, name, role in SIGN_INS:
        passwords[email] = one_time_password()
        add_staff(session, email=email, name=name, role=role, password=passwords[email])
    for agent in AGENTS:
        row = add_agent(
            session, code=agent.code, name=agent.name, languages=agent.languages, timezone=agent.timezone,
            territory=agent.territory,
        )  # fmt: skip
        for weekday in range(5):
            set_shift(
                session, row.id, weekday,
                starts_at=time.fromisoformat(agent.starts_at), ends_at=time.fromisoformat(agent.ends_at),
                start=Point(*agent.start[:2]), end=Point(*agent.end[:2]),
                start_label=agent.start[2], end_label=agent.end[2],
            )  # fmt: skip
    return passwords


def take_in(session: Session, portfolio: DemoPortfolio) -> ImportReport:
    """The creditor, and its file."""
    creditor = Creditor(
        name=portfolio.creditor.name, column_map=portfolio.creditor.column_map, **portfolio.creditor.body
    )
    session.add(creditor)
    session.flush()
    name = portfolio.path.name
    return import_accounts(session, creditor, portfolio.path, file_name=name, now=clock().now(), imported_by=None)


def issue(session: Session, plan_id: UUID) -> IssuedPapers:
    return issue_papers(session, plan_id, renderer=papers(), objects=objects(), now=clock().now())


def print_stacks(agency_id: UUID, plan_id: UUID, folder: Path) -> int:
    """Each route's stack as the printer gets it: sheet and letters in route order. Returns how many stacks."""
    with transaction(agency_id) as session:
        routes = list(session.scalars(select(Route.id).where(Route.plan_id == plan_id)))
    for route_id in routes:
        with transaction(agency_id) as session:
            printed = print_route(
                session, route_id, renderer=papers(), objects=objects(), now=clock().now(), actor="system"
            )
        write_private(folder / printed.file_name, printed.paper.pdf)
    return len(routes)


def enrolment_codes(session: Session, agency_id: UUID) -> dict[str, str]:
    """One code line per agent."""
    keys = office_keys().of(agency_id)
    agents = session.scalars(select(Agent).order_by(Agent.code)).all()
    return {a.code: issue_enrolment(session, keys, a.id, now=clock().now()).line for a in agents}


def published_visits(session: Session, plan: Plan, portfolios: list[DemoPortfolio], day: date) -> list[DemoVisit]:
    """All visits of the plan, by agent and position."""
    people = {(p.creditor.name, key): person for p in portfolios for key, person in p.people.items()}
    currencies = {p.creditor.name: str(p.creditor.body["currency"]) for p in portfolios}
    accounts: dict[UUID, list[UUID]] = {}
    for visit_id, account_id in session.execute(select(VisitAccount.visit_id, VisitAccount.account_id)):
        accounts.setdefault(visit_id, []).append(account_id)
    rows = session.execute(
        select(Agent.code, Stop.position, Visit.id, Person.id, Creditor.name, Person.external_ref, Address)
        .join(Route, Route.agent_id == Agent.id)
        .join(Stop, Stop.route_id == Route.id)
        .join(Visit, Visit.stop_id == Stop.id)
        .join(Person, Person.id == Visit.person_id)
        .join(Creditor, Creditor.id == Person.creditor_id)
        .join(Address, Address.id == Visit.address_id)
        .where(Route.plan_id == plan.id, Visit.state == "published")
        .order_by(Agent.code, Stop.position, Creditor.name, Person.external_ref)
    )
    return [
        DemoVisit(
            code, position, visit_id, tuple(sorted(accounts[visit_id])),
            Door(
                visit=str(visit_id), person=str(person_id), sought=people[creditor, key],
                currency=currencies[creditor], latitude=address.latitude or 0.0, longitude=address.longitude or 0.0,
                day=day, metres_off=5 + 13 * position % 60,
            ),
        )
        for code, position, visit_id, person_id, creditor, key, address in rows
    ]  # fmt: skip


def visits_to_tell(session: Session) -> int:
    """Changed visits that the worker has not published yet."""
    return session.scalar(select(func.count()).select_from(Change).where(Change.kind == ChangeKind.VISIT.value)) or 0


def all_decided(session: Session) -> bool:
    """Nothing waits to be applied, and every declared photograph was developed, refused or put aside."""
    waiting = session.scalar(select(func.count()).select_from(InboxOp).where(InboxOp.state == "received"))
    kind = VisitEvent.kind == VisitEventKind.PHOTO.value
    declared = session.scalar(select(func.count()).select_from(VisitEvent).where(kind, VisitEvent.op_id.is_not(None)))
    under_way = {PhotoState.AWAITING.value, PhotoState.DEVELOPING.value}
    decided = session.scalar(select(func.count()).select_from(Photo).where(Photo.state.not_in(under_way)))
    return not waiting and declared == decided


def integrator_token(agency_id: UUID) -> str:
    """A token that may read what came of visits."""
    wanted = ("attempts.read", "visits.read", "promises.read")
    with transaction(agency_id) as session:
        token = issue_api_token(
            session, name="demonstration", permissions=wanted, allowed=TOKEN_PERMISSIONS, now=clock().now()
        )
    return str(token)
