"""A whole installation that can burn down: its own PostgreSQL, door and worker processes, and what lies elsewhere."""

from __future__ import annotations

import os
import shutil
import signal
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
from click.testing import CliRunner
from flask import Flask
from processes import Parts, free_port
from sqlalchemy import func, select

from doorstep.app import worker_app
from doorstep.cli import main
from doorstep.installation import Installation
from doorstep.postgres import EmbeddedPostgres
from doorstep.server import Server
from doorstep.worker import work_once
from field_api.platform.clock import SystemClock
from field_api.platform.create_keys import create_agency_keys
from field_api.platform.database import db, transaction
from field_api.platform.devices import Device
from field_api.platform.ids import new_id
from field_api.platform.restore_journal import RestoreJournal
from field_api.platform.wiring import office_keys
from field_api.records.agency import Agency
from field_api.records.visits import Visit, VisitEvent
from sync.mailbox import InboxOp
from sync.office.enrolment import issue_enrolment
from sync.phone import Patience, Phone
from tests.planning_world import World

PASSPHRASE = "correct horse"
KEYRING_PASSPHRASE = "a long enough passphrase"


@dataclass
class WholeHouse:
    """`home` burns; `elsewhere` (backups, journal) and the phones do not. `agents`: id and the visits of each."""

    folder: Path
    agency: UUID = field(default_factory=new_id)
    port: int = field(default_factory=free_port)
    agents: list[tuple[UUID, list[str], list[UUID]]] = field(default_factory=list)
    app: Flask | None = None
    parts: Parts | None = None
    served: int = 0

    @property
    def home(self) -> Path:
        return self.folder / "home"

    @property
    def journal(self) -> RestoreJournal:
        return RestoreJournal(self.folder / "elsewhere" / "journal")

    @property
    def installation(self) -> Installation:
        url = f"http://127.0.0.1:{self.port}"
        return Installation(self.home, None, url, "http://office.test", self.journal.directory)

    @contextmanager
    def open(self) -> Iterator[Server]:
        """The database, with the office in an application context; door and worker by `serve`."""
        with self.installation.database() as server:
            self.app = worker_app(self.installation.settings(server, "office"))
            with self.app.app_context():
                try:
                    yield server
                finally:
                    if self.parts is not None:
                        self.parts.close()
                    db.session.remove()
                    db.engine.dispose()

    def serve(self, server: Server) -> None:
        settings = self.installation.settings
        self.parts = Parts(settings(server, "door"), settings(server, "office"), self.port)
        self.parts.start_door()

    def work(self, *_: object) -> None:
        for _round in range(20):
            if not work_once(self.app):
                return

    def burn(self) -> None:
        """SIGKILL for door and database, then everything of the installation's own is gone."""
        self.parts.close()
        data = EmbeddedPostgres(self.home).data
        postmaster = int((data / "postmaster.pid").read_text().splitlines()[0])
        for process in (postmaster, *_children(postmaster)):
            os.kill(process, signal.SIGKILL)
        shutil.rmtree(data)
        shutil.rmtree(self.home)

    def furnish(self, agents: int, visits: int) -> None:
        create_agency_keys(self.home, self.agency, SystemClock().now())
        with transaction(self.agency) as session:
            session.add(Agency(agency_id=self.agency, name="Agencia Puerta Norte", policy={"durability": "backup"}))
            world = World(session)
            for number in range(agents):
                agent = world.agent(f"MX-{number}")
                route = world.route(agent)
                mine, accounts = [], []
                for position in range(1, visits + 1):
                    person, address, account = world.household()
                    mine.append(str(world.visit(route, position, address, person, account).id))
                    accounts.append(account.id)
                self.agents.append((agent.id, mine, accounts))

    def enrol(self, agent: int, name: str) -> Phone:
        with transaction(self.agency) as session:
            keys = office_keys().of(self.agency)
            line = issue_enrolment(session, keys, self.agents[agent][0], now=SystemClock().now()).line
        phone = Phone.enrol(self.folder / name, PASSPHRASE, line, patience=self.patience, scrypt_cost=2**4)
        self.work()
        phone.pull()
        return phone

    def phone(self, name: str) -> Phone:
        return Phone.open(self.folder / name, PASSPHRASE, patience=self.patience)

    @property
    def patience(self) -> Patience:
        return Patience(tries=8, sleep=self.work)

    def run(self, *arguments: str, fails: bool = False, **environment: str) -> str:
        """`doorstep …` for this home, by its command line."""
        settings = {
            "DOORSTEP_HOME": str(self.home), "DOORSTEP_JOURNAL": str(self.journal.directory),
            "DOORSTEP_DOOR_URL": self.installation.door_url, **environment,
        }  # fmt: skip
        done = CliRunner().invoke(main, arguments, env=settings)
        assert (done.exit_code != 0) is fails, done.output
        return done.output

    def passphrase_file(self) -> str:
        path = self.folder / "passphrase"
        path.write_text(KEYRING_PASSPHRASE + "\n")
        path.chmod(0o600)
        return str(path)

    def back_up(self, **environment: str) -> str:
        places = {option: str(self.folder / "elsewhere" / part) for option, part in PARTS.items()}
        options = [text for option, place in places.items() for text in (option, place)]
        return self.run("backup", *options, "--passphrase-file", self.passphrase_file(), **environment)

    def restore(self, *more: str, fails: bool = False, **environment: str) -> str:
        sources = {
            "--from": self.newest("main", "doorstep-"), "--keys-from": self.newest("keys", "doorstep-keys-"),
            "--photo-keys-from": self.newest("photo-keys", "doorstep-photo-keys-"),
        }  # fmt: skip
        options = [text for option, place in sources.items() for text in (option, str(place))]
        file = self.passphrase_file()
        return self.run("restore", *options, "--passphrase-file", file, *more, fails=fails, **environment)

    def newest(self, part: str, prefix: str) -> Path:
        return sorted((self.folder / "elsewhere" / part).glob(f"{prefix}2*"))[-1]

    def inbox(self) -> dict[str, tuple[str, str | None]]:
        """Operation -> state and reason; an id that stands twice fails."""
        with transaction(self.agency) as session:
            rows = session.execute(select(InboxOp.op_id, InboxOp.state, InboxOp.reason)).all()
        assert len({row.op_id for row in rows}) == len(rows)
        return {str(row.op_id): (row.state, row.reason) for row in rows}

    def effects(self) -> Counter[tuple[str, str]]:
        """Operation and kind of event -> how often they stand in visits' stories."""
        kinds = select(VisitEvent.op_id, VisitEvent.kind, func.count()).where(VisitEvent.op_id.is_not(None))
        with transaction(self.agency) as session:
            rows = session.execute(kinds.group_by(VisitEvent.op_id, VisitEvent.kind)).all()
            return Counter({(str(op), kind): count for op, kind, count in rows})

    def devices(self) -> dict[str, Device]:
        with transaction(self.agency) as session:
            return {str(device.id): device for device in session.scalars(select(Device))}

    def visit_state(self, visit: str) -> str:
        with transaction(self.agency) as session:
            return session.get_one(Visit, {"agency_id": self.agency, "id": UUID(visit)}).state


PARTS = {"--to": "main", "--keys-to": "keys", "--photo-keys-to": "photo-keys"}


def work_at(phone: Phone, visit: str, notes: int = 1) -> list[str]:
    """Record an encounter and some notes there; the ids of the operations."""
    ids = [phone.arrive(visit).op, phone.encounter(visit, "nobody").op]
    return ids + [phone.record_outcome(visit, "nobody_there").op for _ in range(notes)]


def waiting(phone: Phone) -> set[str]:
    return {str(row["op"]) for row in phone.queue()}


def _children(parent: int) -> Iterator[int]:
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            if int(fields[1]) == parent:
                yield int(entry.name)


def sessions_refused(server: Server, role: str) -> bool:
    """Whether the mark of a restore is on for new sessions of this role."""
    with psycopg.connect(server.conninfo(role)) as connection:
        row: Any = connection.execute("SELECT current_setting('doorstep.restoring', true)").fetchone()
        return bool(row[0] == "on")


@contextmanager
def journalled_house(folder: Path) -> Iterator[WholeHouse]:
    """With a restore journal from the beginning; its server goes with it."""
    made = WholeHouse(folder)
    made.journal.make()
    try:
        yield made
    finally:
        EmbeddedPostgres(made.home).destroy()
