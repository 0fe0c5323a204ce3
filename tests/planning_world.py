"""A small made-up agency to plan with: creditors, people, accounts, agents. Invented names only."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from time import sleep
from uuid import UUID

from sqlalchemy import event, text
from sqlalchemy.orm import Session

from field_api.adapters.calendars import Almanac
from field_api.adapters.rules_toml import TomlRules
from field_api.adapters.travel_great_circle import GreatCircleTravel
from field_api.domain.ports import PlanningParts
from field_api.platform.database import db
from field_api.platform.ids import new_id
from field_api.records.accounts import Account, Party
from field_api.records.agency import Creditor
from field_api.records.people import Address, Person
from field_api.records.planning import Agent, Plan, Route, Shift, Stop
from field_api.records.visits import Visit, VisitAccount
from tests.fakes import NearestFirstSolver

PARTS = PlanningParts(TomlRules(), Almanac(), GreatCircleTravel(), NearestFirstSolver())
MEXICO_CITY = (19.4326, -99.1332)
BALTIMORE = (39.2904, -76.6122)
VADUZ = (47.1410, 9.5209)
WEDNESDAY = date(2026, 11, 18)
NOW = datetime(2026, 11, 17, 15, 0, tzinfo=UTC)


@contextmanager
def statements() -> Iterator[list[str]]:
    """The statements sent to the database while the block runs."""
    seen: list[str] = []

    def see(_connection, _cursor, statement, *_rest) -> None:
        seen.append(statement)

    event.listen(db.engine, "before_cursor_execute", see)
    try:
        yield seen
    finally:
        event.remove(db.engine, "before_cursor_execute", see)


def wait_for_waiters(count: int) -> None:
    """Return when so many transactions of this database wait for a lock."""
    waiting = text(
        "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
    )
    for _ in range(500):
        with db.engine.connect() as connection:
            if connection.scalar(waiting) >= count:
                return
        sleep(0.01)
    raise AssertionError("the other transactions never waited")


@dataclass
class World:
    """Adds rows to a session and flushes; every method returns what it added."""

    session: Session
    serial: int = 0
    creditors: dict[str, Creditor] = field(default_factory=dict)

    def _next(self) -> int:
        self.serial += 1
        return self.serial

    def creditor(
        self, jurisdiction: str = "MX", currency: str = "MXN", language: str = "es", **more: object
    ) -> Creditor:
        if jurisdiction not in self.creditors:
            self.creditors[jurisdiction] = Creditor(
                name=f"Mueblería Ficticia {jurisdiction}",
                jurisdiction=jurisdiction,
                currency=currency,
                language=language,
                **more,
            )
            self._save(self.creditors[jurisdiction])
        return self.creditors[jurisdiction]

    def person(self, creditor: Creditor | None = None, **more: object) -> Person:
        creditor = creditor or self.creditor()
        number = self._next()
        values = {"name": f"Persona Inventada {number}", "language": creditor.language, **more}
        return self._save(Person(creditor_id=creditor.id, external_ref=f"P{number}", **values))

    def address(self, person: Person, at: tuple[float, float] | None = MEXICO_CITY, **more: object) -> Address:
        values = {
            "street": "Calle Imaginaria",
            "number": str(self._next()),
            "country": "MX",
            "jurisdiction": "MX",
            "geocode_state": "given" if at else "wanted",
            "fingerprint": new_id().bytes * 2,
            **more,
        }
        latitude, longitude = at if at else (None, None)
        return self._save(Address(person_id=person.id, latitude=latitude, longitude=longitude, **values))

    def account(self, debtor: Person, balance_minor: int = 250_000, **more: object) -> Account:
        creditor = next(c for c in self.creditors.values() if c.id == debtor.creditor_id)
        values = {
            "creditor_id": debtor.creditor_id,
            "reference": f"CT-{self._next()}",
            "product": "línea blanca",
            "currency": creditor.currency,
            "principal_minor": balance_minor,
            "balance_minor": balance_minor,
            "balance_calculated_on": date(2026, 11, 1),
            "due_on": date(2026, 8, 1),
            **more,
        }
        account = self._save(Account(**values))
        self.party(account, debtor)
        return account

    def party(self, account: Account, person: Person, role: str = "debtor") -> Party:
        return self._save(Party(account_id=account.id, person_id=person.id, role=role))

    def household(
        self, at: tuple[float, float] | None = MEXICO_CITY, **more: object
    ) -> tuple[Person, Address, Account]:
        person = self.person()
        return person, self.address(person, at, **more), self.account(person)

    def agent(
        self,
        code: str = "MX-1",
        at: tuple[float, float] = MEXICO_CITY,
        timezone: str = "America/Mexico_City",
        languages: tuple[str, ...] = ("es",),
        hours: tuple[time, time] = (time(9), time(18)),
    ) -> Agent:
        agent = self._save(Agent(code=code, name=f"Agente {code}", languages=list(languages), timezone=timezone))
        for weekday in range(6):
            self.session.add(
                Shift(
                    agent_id=agent.id,
                    weekday=weekday,
                    starts_at=hours[0],
                    ends_at=hours[1],
                    start_latitude=at[0],
                    start_longitude=at[1],
                    end_latitude=at[0],
                    end_longitude=at[1],
                )
            )
        self.session.flush()
        return agent

    def route(
        self, agent: Agent, at: tuple[float, float] = MEXICO_CITY, day: date = WEDNESDAY, state: str = "published"
    ) -> Route:
        plan = self._save(Plan(for_day=day, state=state, created_at=NOW))
        return self._save(
            Route(
                plan_id=plan.id,
                agent_id=agent.id,
                starts_at=datetime(2026, 11, 18, 15, tzinfo=UTC),
                ends_at=datetime(2026, 11, 18, 23, tzinfo=UTC),
                start_latitude=at[0],
                start_longitude=at[1],
                end_latitude=at[0],
                end_longitude=at[1],
                distance_m=0,
                travel_s=0,
            )
        )

    def route_beside(self, first: Route, agent_id: UUID) -> Route:
        """Another agent's on the same day, from the same place."""
        same = ("plan_id", "starts_at", "ends_at", "start_latitude", "start_longitude", "end_latitude", "end_longitude")
        values = {name: getattr(first, name) for name in same}
        return self._save(Route(agent_id=agent_id, distance_m=0, travel_s=0, **values))

    def visit(
        self,
        route: Route,
        position: int,
        address: Address,
        person: Person,
        *accounts: Account,
        state: str = "published",
    ) -> Visit:
        stop = self._save(
            Stop(
                route_id=route.id,
                address_id=address.id,
                position=position,
                arrival_from=datetime(2026, 11, 18, 16, tzinfo=UTC),
                arrival_to=datetime(2026, 11, 18, 17, tzinfo=UTC),
                visit_from=datetime(2026, 11, 18, 14, tzinfo=UTC),
                visit_until=datetime(2026, 11, 19, 3, tzinfo=UTC),
                service_s=600,
            )
        )
        visit = self._save(
            Visit(stop_id=stop.id, agent_id=route.agent_id, person_id=person.id, address_id=address.id, state=state)
        )
        for account in accounts:
            self._save(VisitAccount(visit_id=visit.id, account_id=account.id, role="debtor"))
        return visit

    def _save(self, row):
        self.session.add(row)
        self.session.flush()
        return row


def ids(rows) -> list[UUID]:
    return [row.id for row in rows]
