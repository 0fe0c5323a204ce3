"""Publish many visits to phones: seconds in all and in stretching answers, against raw PBKDF2 in the same run.

    .venv/bin/python -m bench.publish_visits [VISITS [--cold]]

By default 5,000 visits of 100 agents, each with a phone, two answers a person. The worker stretches answers while the
plan is a draft ("ahead"); `--cold` leaves that out, so that the first publication does it all. It makes a database of
its own below a temporary directory and removes it.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from uuid import UUID

from sqlalchemy import func, insert, select, text, update
from sqlalchemy.orm import Session

import sync.office.visit_body as visit_body
from doorstep.app import worker_app
from doorstep.migrate import migrate
from doorstep.postgres import EmbeddedPostgres, Server
from field_api.platform.create_keys import create_agency_keys
from field_api.platform.database import transaction
from field_api.platform.devices import Device
from field_api.platform.ids import new_id, new_opaque_id
from field_api.platform.keyring import OfficeKeys
from field_api.platform.sealing import new_private_key, public_key_of, stretch
from field_api.platform.settings import Settings
from field_api.platform.wiring import office_keys
from field_api.records.accounts import Account, Party
from field_api.records.agency import Agency, Creditor
from field_api.records.changes import Change
from field_api.records.people import Address, Person, VerificationAnswer
from field_api.records.planning import Agent, Plan, Route, Stop
from field_api.records.visits import Visit, VisitAccount
from field_api.usecases.make_visit_keys import make_visit_keys
from sync.mailbox import FeedHead, FeedItem
from sync.office.publish import publish_changes
from sync.office.stretch_ahead import stretch_ahead
from sync.office.stretching import ROUNDS, THREADS
from sync.roll import first_roll

NOW = datetime(2026, 11, 17, 15, tzinfo=UTC)
VISITS_PER_AGENT = 50


def fill(session: Session, agency_id: UUID, visits: int) -> list[UUID]:
    """Made-up people with one account and two answers each, on routes of fifty stops. Returns the agents."""
    creditor = Creditor(name="Inventado", jurisdiction="MX", currency="MXN", language="es", sector="commercial")
    plan = Plan(for_day=date(2026, 11, 18), state="published", created_at=NOW)
    session.add_all([creditor, plan])
    session.flush()
    agents = []
    for first in range(0, visits, VISITS_PER_AGENT):
        agent = Agent(code=f"A-{first}", name="Inventado", languages=["es"], timezone="America/Mexico_City")
        session.add(agent)
        session.flush()
        agents.append(agent.id)
        _phone(session, agency_id, agent.id)
        _route(session, creditor, plan, agent.id, range(first, min(first + VISITS_PER_AGENT, visits)))
    return agents


def _phone(session: Session, agency_id: UUID, agent_id: UUID) -> None:
    public = public_key_of(new_private_key())
    device = Device(agent_id=agent_id, state="active", signing_public=public, sealing_public=public, enrolled_at=NOW)
    session.add(device)
    session.flush()
    roll = first_roll(agency_id, device.id, 1)
    session.add(FeedHead(device_id=device.id, epoch=1, seq=0, roll=roll))


def _route(session: Session, creditor: Creditor, plan: Plan, agent_id: UUID, numbers: range) -> None:
    route = Route(
        plan_id=plan.id, agent_id=agent_id, starts_at=NOW, ends_at=NOW + timedelta(hours=9), start_latitude=19.4,
        start_longitude=-99.1, end_latitude=19.4, end_longitude=-99.1, distance_m=0, travel_s=0,
    )  # fmt: skip
    session.add(route)
    session.flush()
    rows: dict[type, list[dict[str, object]]] = {
        kind: [] for kind in (Person, VerificationAnswer, Address, Account, Party, Stop, Visit, VisitAccount)
    }
    for position, number in enumerate(numbers, start=1):
        _visit(rows, creditor, route.id, agent_id, position, number)
    for kind, values in rows.items():
        session.execute(insert(kind), values)


def _visit(
    rows: dict[type, list[dict[str, object]]], creditor: Creditor, route_id: UUID, agent_id: UUID, position: int,
    number: int,
) -> None:  # fmt: skip
    person, address, account, stop, visit = new_id(), new_id(), new_id(), new_id(), new_opaque_id()
    rows[Person].append(
        {"id": person, "creditor_id": creditor.id, "external_ref": str(number),
         "name": f"Persona Inventada {number}", "language": "es"}
    )  # fmt: skip
    for kind, answer in (("birth_date", "1970-02-28"), ("account_last4", f"{number % 10_000:04}")):
        rows[VerificationAnswer].append(
            {"id": new_id(), "person_id": person, "kind": kind, "independent_group": kind, "answer": answer}
        )
    rows[Address].append(
        {"id": address, "person_id": person, "street": "Calle Imaginaria", "number": str(number), "country": "MX",
         "jurisdiction": "MX", "latitude": 19.4, "longitude": -99.1, "geocode_state": "given",
         "timezone": "America/Mexico_City", "fingerprint": person.bytes * 2}
    )  # fmt: skip
    rows[Account].append(
        {"id": account, "creditor_id": creditor.id, "reference": f"CT-{number}", "product": "línea blanca",
         "currency": "MXN", "principal_minor": 50_000, "balance_minor": 50_000,
         "balance_calculated_on": date(2026, 11, 1), "due_on": date(2026, 8, 1)}
    )  # fmt: skip
    rows[Party].append({"account_id": account, "person_id": person, "role": "debtor"})
    rows[Stop].append(
        {"id": stop, "route_id": route_id, "address_id": address, "position": position, "arrival_from": NOW,
         "arrival_to": NOW, "visit_until": NOW, "service_s": 600}
    )  # fmt: skip
    rows[Visit].append(
        {"id": visit, "stop_id": stop, "agent_id": agent_id, "person_id": person, "address_id": address,
         "state": "planned"}
    )  # fmt: skip
    rows[VisitAccount].append({"visit_id": visit, "account_id": account, "role": "debtor"})


class Stretching:
    """Seconds that publishing spent in `stretched_answers`."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.real = visit_body.stretched_answers
        visit_body.stretched_answers = self.timed  # type: ignore[assignment]  # measured where it is called

    def timed(self, *arguments: object) -> object:
        began = time.perf_counter()
        try:
            return self.real(*arguments)  # type: ignore[arg-type]  # handed on as they came
        finally:
            self.seconds += time.perf_counter() - began


@contextmanager
def timed(what: str, stretching: Stretching | None = None) -> Iterator[None]:
    """Print the block's seconds, and those of them that went into stretching."""
    before = stretching.seconds if stretching else 0.0
    began = time.perf_counter()
    yield
    seconds = time.perf_counter() - began
    of_it = f", {stretching.seconds - before:6.2f} s of it stretching" if stretching else ""
    sys.stdout.write(f"{what:22} {seconds:7.2f} s{of_it}\n")
    sys.stdout.flush()


def publish(agency_id: UUID, keys: OfficeKeys, agents: list[UUID]) -> None:
    """Tell every agent's phone of every visit, one transaction per agent, as the worker does."""
    with transaction(agency_id) as session:
        visits = session.execute(select(Visit.id, Visit.agent_id)).all()
        session.execute(
            insert(Change),
            [{"agent_id": visit.agent_id, "kind": "visit", "ref": visit.id, "urgent": False} for visit in visits],
        )
    for agent_id in agents:
        with transaction(agency_id) as session:
            publish_changes(session, keys, agent_id, now=NOW)


def raw_stretching(answers: int) -> None:
    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(lambda number: stretch(b"1970-02-28", number.to_bytes(32, "big"), ROUNDS), range(answers)))


def run(directory: Path, server: Server, visits: int, cold: bool) -> None:
    settings = Settings(directory / "home", server.url("office"), "http://door.test", "http://office.test")
    agency_id: UUID = new_id()
    create_agency_keys(settings.home, agency_id, NOW)
    with worker_app(settings).app_context():
        keys, stretching = office_keys().of(agency_id), Stretching()
        with transaction(agency_id) as session:
            session.add(Agency(agency_id=agency_id, name="Agencia de Prueba"))
            session.flush()
            agents = fill(session, agency_id, visits)
        with timed("raw PBKDF2"):
            raw_stretching(2 * visits)
        if not cold:
            with timed("stretch ahead"):
                _ahead(agency_id, keys)
        with timed("keys and codes"), transaction(agency_id) as session:
            session.execute(update(Visit).values(state="published"))
            make_visit_keys(session, list(session.scalars(select(Visit.id))))
        for what in ("first publication", "publication again"):
            with timed(what, stretching):
                publish(agency_id, keys, agents)
        with transaction(agency_id) as session:
            count, size = session.execute(select(func.count(), func.sum(func.length(FeedItem.ct)))).one()
            left = session.scalar(text("SELECT count(*) FROM office.change"))
        sys.stdout.write(f"{count} items, {size / 2**20:.0f} MiB, {left} changes left\n")


def _ahead(agency_id: UUID, keys: OfficeKeys) -> None:
    while True:
        with transaction(agency_id) as session:
            if not stretch_ahead(session, keys, now=NOW):
                return


def main(visits: int, cold: bool) -> None:
    with tempfile.TemporaryDirectory() as directory:
        embedded = EmbeddedPostgres(Path(directory) / "home")
        server = embedded.start()
        try:
            migrate(server.url("owner"))
            run(Path(directory), server, visits, cold)
        finally:
            embedded.destroy()


if __name__ == "__main__":
    numbers = [int(argument) for argument in sys.argv[1:] if argument.isdigit()]
    main(numbers[0] if numbers else 5_000, "--cold" in sys.argv)
