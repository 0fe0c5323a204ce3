"""Plan and publish a day: seconds, statements, stops a route; by default 600 accounts and 6 agents in three cities.

    .venv/bin/python -m bench.plan_day [ACCOUNTS [AGENTS_PER_CITY]]

Addresses are those of doorstep/demo/data, people are made up. It makes a database of its own below a temporary
directory and removes it.
"""

from __future__ import annotations

import csv
import random
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from datetime import time as clock_time
from pathlib import Path
from uuid import UUID

from sqlalchemy import event, insert
from sqlalchemy.orm import Session

from doorstep.app import worker_app
from doorstep.migrate import migrate
from doorstep.planning import planning_parts
from doorstep.postgres import EmbeddedPostgres, Server
from field_api.domain.routing import Point
from field_api.platform.create_keys import create_agency_keys
from field_api.platform.database import db, transaction
from field_api.platform.ids import new_id
from field_api.platform.settings import Settings
from field_api.queries.plan_overview import plan_overview
from field_api.records.accounts import Account, Party
from field_api.records.agency import Agency, Creditor
from field_api.records.people import Address, Person
from field_api.usecases.add_agent import add_agent
from field_api.usecases.plan_day import plan_day
from field_api.usecases.publish_plan import publish_plan
from field_api.usecases.set_shift import set_shift

DATA = Path(__file__).parent.parent / "doorstep" / "demo" / "data"
DAY, BEFORE = date(2026, 11, 18), datetime(2026, 11, 17, 15, tzinfo=UTC)
CITIES = (
    ("MX", "MXN", "es", "addresses_mexico_city.csv", "America/Mexico_City"),
    ("US-MD", "USD", "en", "addresses_baltimore.csv", "America/New_York"),
    ("LI", "CHF", "de", "addresses_liechtenstein.csv", "Europe/Vaduz"),
)


def fill(session: Session, accounts: int, agents: int) -> None:
    """Made-up people at the cities' addresses; where there are more people than addresses they live near by."""
    draw = random.Random(7)  # noqa: S311 - made-up people come from a seed, not from a secret
    for code, currency, language, file, zone in CITIES:
        creditor = Creditor(
            name=f"Inventado {code}", jurisdiction=code, currency=currency, language=language, sector="commercial"
        )
        session.add(creditor)
        session.flush()
        with (DATA / file).open(encoding="utf-8") as stream:
            points = [Point(float(row["lat"]), float(row["lon"])) for row in csv.DictReader(stream)]
        _people(session, creditor, [_near(draw, draw.choice(points)) for _ in range(accounts // 3)])
        for number in range(agents):
            agent = add_agent(session, code=f"{code}-{number}", name="Inventado", languages=[language], timezone=zone)
            start = draw.choice(points)
            set_shift(session, agent.id, DAY.weekday(), starts_at=clock_time(9), ends_at=clock_time(18), start=start)


def _near(draw: random.Random, point: Point) -> Point:
    return Point(point.latitude + draw.gauss(0, 0.002), point.longitude + draw.gauss(0, 0.002))


def _people(session: Session, creditor: Creditor, homes: list[Point]) -> None:
    people, addresses, accounts, parties = [], [], [], []
    for number, home in enumerate(homes):
        person, account = new_id(), new_id()
        people.append(
            {
                "id": person,
                "creditor_id": creditor.id,
                "external_ref": str(number),
                "name": f"Persona Inventada {number}",
                "language": creditor.language,
            }
        )
        addresses.append(
            {
                "id": new_id(),
                "person_id": person,
                "street": "Calle Imaginaria",
                "number": str(number),
                "country": creditor.jurisdiction[:2],
                "jurisdiction": creditor.jurisdiction,
                "latitude": home.latitude,
                "longitude": home.longitude,
                "geocode_state": "given",
                "fingerprint": person.bytes * 2,
            }
        )
        accounts.append(
            {
                "id": account,
                "creditor_id": creditor.id,
                "reference": str(number),
                "product": "x",
                "currency": creditor.currency,
                "principal_minor": 50_000,
                "balance_minor": 50_000,
                "balance_calculated_on": date(2026, 11, 1),
                "due_on": date(2026, 8, 1),
            }
        )
        parties.append({"account_id": account, "person_id": person, "role": "debtor"})
    for table, rows in ((Person, people), (Address, addresses), (Account, accounts), (Party, parties)):
        session.execute(insert(table), rows)


@contextmanager
def timed(what: str) -> Iterator[None]:
    """Print the block's seconds and statements."""
    statements = 0

    def count(*_: object) -> None:
        nonlocal statements
        statements += 1

    event.listen(db.engine, "before_cursor_execute", count)
    began = time.perf_counter()
    try:
        yield
    finally:
        seconds = time.perf_counter() - began
        event.remove(db.engine, "before_cursor_execute", count)
        sys.stdout.write(f"{what:8} {seconds:6.2f} s, {statements} statements\n")


def run(directory: Path, server: Server, accounts: int, agents: int) -> None:
    settings = Settings(directory / "home", server.url("office"), "http://door.test", "http://office.test")
    agency_id: UUID = new_id()
    create_agency_keys(settings.home, agency_id, BEFORE)
    with worker_app(settings).app_context():
        with transaction(agency_id) as session:
            session.add(Agency(agency_id=agency_id, name="Agencia de Prueba"))
            session.flush()
            fill(session, accounts, agents)
        with timed("plan"), transaction(agency_id) as session:
            plan_id = plan_day(session, DAY, parts=planning_parts(), now=BEFORE).id
        with timed("publish"), transaction(agency_id) as session:
            publish_plan(session, plan_id, parts=planning_parts(), now=BEFORE, published_by=None)
        with transaction(agency_id) as session:
            overview = plan_overview(session, plan_id)
            stops = [route.stops for route in overview.routes]
            sys.stdout.write(f"{overview.visits} visits, stops by route {stops}, not planned {overview.not_planned}\n")
            sys.stdout.write(f"parts {overview.plan.solver['parts']}\n")


def main(accounts: int, agents: int) -> None:
    with tempfile.TemporaryDirectory() as directory:
        embedded = EmbeddedPostgres(Path(directory) / "home")
        server = embedded.start()
        try:
            migrate(server.url("owner"))
            run(Path(directory), server, accounts, agents)
        finally:
            embedded.destroy()


if __name__ == "__main__":
    main(*(int(argument) for argument in (sys.argv[1:] + ["600", "2"][len(sys.argv) - 1 :])))
