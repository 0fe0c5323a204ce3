"""Two installations, one for each twin: a database, a home, an office and a door each; keys, time and chance shared."""

from __future__ import annotations

import io
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from uuid import UUID, uuid5

import psycopg
from flask import Flask
from pypdf import PdfWriter
from pypdf.generic import NameObject, StreamObject

from doorstep.app import office_app
from doorstep.door import door_app
from doorstep.server import Server
from field_api.adapters.typst_papers import TypstPapers
from field_api.domain.ports import Paper, PaperJob, PaperRefused, PlanningParts
from field_api.platform.bounded_json import canonical
from field_api.platform.create_keys import create_agency_keys
from field_api.platform.database import db, transaction
from field_api.platform.keyring import OfficeKeys
from field_api.platform.log import configure_logging
from field_api.platform.settings import Settings
from sync.mailbox import SnapshotRequest
from sync.office.work import work_once
from tests.conftest import TEMPLATE
from tests.door_client import Phone
from tests.fakes import NearestFirstSolver
from tests.office_client import BASE_URL, OfficeClient
from tests.twins.chance import Chance, same_chance
from tests.twins.hidden import COUNTED, Hidden, twins
from tests.twins.world import NOON, ROLES, Builder, Known, phone_keys

WORLDS = UUID("7c1e2b44-7d0c-4c9a-9f0e-6d5f3f0a2b11")


@dataclass(frozen=True)
class DataPapers(TypstPapers):
    """The real outlet of papers, checks and all, with the data itself in the place of Typst's drawing of it."""

    def _batch(self, jobs: Sequence[PaperJob]) -> list[Paper | PaperRefused]:
        return [Paper(pdf_of(canonical([job.template, job.data, job.made_at.isoformat()])), 1) for job in jobs]

    def joined(self, papers: Sequence[Paper]) -> Paper:
        return Paper(pdf_of(b"".join(paper.pdf for paper in papers)), len(papers))


def pdf_of(data: bytes) -> bytes:
    """A PDF that says nothing of itself and draws nothing; its one page's content is a comment, the data in hex."""
    written = io.BytesIO()
    with PdfWriter() as pdf:
        pdf.metadata = None
        page = pdf.add_blank_page(100, 100)
        content = StreamObject()
        content.set_data(b"% " + data.hex().encode())
        page[NameObject("/Contents")] = pdf._add_object(content)  # pypdf has no public way to add a bare stream
        pdf.write(written)
    return written.getvalue()


@dataclass
class Side:
    """One twin's installation."""

    name: str
    settings: Settings
    office: Flask
    door: Flask
    log: io.StringIO = field(default_factory=io.StringIO)
    clients: dict[tuple[UUID, str], OfficeClient] = field(default_factory=dict)
    phones: dict[tuple[UUID, str], Phone] = field(default_factory=dict)

    @contextmanager
    def running(self) -> Iterator[None]:
        """Log lines of the block go to this side's log."""
        self.log.seek(0)
        self.log.truncate()
        configure_logging(self.log)
        yield

    def client(self, known: Known, who: str) -> OfficeClient:
        key = known.agency, who
        if key not in self.clients:
            self.clients[key] = self._client(known, who)
        return self.clients[key]

    def _client(self, known: Known, who: str) -> OfficeClient:
        client = self.office.test_client()
        assert isinstance(client, OfficeClient)
        if who == "integrator":
            client.bearer = known.bearer
        elif who != "anonymous":
            client.csrf_token = client.get("/sign-in", headers={"Accept": "application/json"}).json["csrf_token"]
            with client.session_transaction(base_url=BASE_URL) as session:
                session["_user_id"], session["_fresh"] = known.sessions[who], True
        return client

    def phone(self, known: Known, name: str) -> Phone:
        """`phone` is enrolled, `unknown` signs well for a device that there is not, `forged` with another's key."""
        key = known.agency, name
        if key not in self.phones:
            signing, sealing = phone_keys(known.agency, "phone" if name == "phone" else name)
            device = uuid5(known.agency, "nobody") if name == "unknown" else known.device
            self.phones[key] = Phone(
                self.door.test_client(), known.agency, device, signing=signing, sealing=sealing,
                agency_sealing_key=self._keys(known.agency).sealing_certificate.public,
                office_key=self._keys(known.agency).signing_certificate.public,
            )  # fmt: skip
        return self.phones[key]

    def _keys(self, agency: UUID) -> OfficeKeys:
        found: OfficeKeys = self.office.extensions["doorstep.office_keys"].of(agency)
        return found

    def object_names(self, agency: UUID) -> list[str]:
        """Names in the office's object store."""
        where = self.settings.office_objects / str(agency)
        return sorted(str(path.relative_to(where)) for path in where.rglob("*") if path.is_file())

    def close(self) -> None:
        for app in (self.office, self.door):
            with app.app_context():
                db.session.remove()
                db.engine.dispose()


@dataclass
class TwinWorld:
    """A pair of worlds: one agency, once on each side."""

    kind: str
    seed: int
    known: Known
    hidden: tuple[Hidden, Hidden]


@dataclass
class Twins:
    sides: tuple[Side, Side]
    chance: Chance
    home: Path
    worlds: int = 0

    def world(self, seed: int, kind: str) -> TwinWorld:
        """Build a pair. Its phone has its day, the feed is published, a snapshot is built."""
        agency = uuid5(WORLDS, f"{self.worlds}|{seed}|{kind}")
        self.worlds += 1
        create_agency_keys(self.home, agency, NOON)
        for side in self.sides:
            shutil.copytree(self.home / "keys", side.settings.home / "keys", dirs_exist_ok=True)
        built = [self._build(side, agency, hidden) for side, hidden in zip(self.sides, twins(seed, kind), strict=True)]
        left, right = built
        shared = {name: [one for one in found if one in right.ids[name]] for name, found in left.ids.items()}
        counted = "letter" if kind in COUNTED else ""
        assert all(left.ids[name] == right.ids[name] == shared[name] for name in left.ids if name != counted)
        shared["letter"] = shared["letter"] or left.ids["letter"][:1] + right.ids["letter"][:1]
        return TwinWorld(kind, seed, replace(left, ids=shared), twins(seed, kind))

    def _build(self, side: Side, agency: UUID, hidden: Hidden) -> Known:
        self.chance.begin(f"{agency}|build")
        with side.running(), side.office.app_context():
            with transaction(agency) as session:
                known = Builder(session, self.chance, hidden, Known(agency)).build()
                for letter in _letters(session):
                    known.note("letter", letter)
                session.add(SnapshotRequest(device_id=known.device))
            self.chance.begin(f"{agency}|work")
            assert work_once(side.office, agency, NOON) > 0
            assert "sync-unit-failed" not in side.log.getvalue(), side.log.getvalue()
            assert "change-waits" not in side.log.getvalue(), side.log.getvalue()
        return known

    def close(self) -> None:
        for side in self.sides:
            side.close()


def _letters(session: Any) -> list[UUID]:
    from sqlalchemy import select

    from field_api.records.visits import Letter

    return list(session.scalars(select(Letter.id).order_by(Letter.visit_id, Letter.account_id)))


@contextmanager
def twin_installations(postgres: Server, folder: Path) -> Iterator[Twins]:
    """Two installations on databases of their own; time stands still at NOON for both."""
    import logging

    import structlog

    kept, level, handlers = structlog.get_config(), logging.getLogger().level, logging.getLogger().handlers[:]
    with same_chance(NOON) as chance:
        sides = tuple(_side(postgres, folder, name) for name in ("left", "right"))
        made = Twins((sides[0], sides[1]), chance, folder / "keys-of-both")
        try:
            yield made
        finally:
            made.close()
            structlog.configure(**kept)
            logging.getLogger().setLevel(level)
            logging.getLogger().handlers[:] = handlers
            with psycopg.connect(postgres.conninfo("owner", "postgres"), autocommit=True) as connection:
                for side in sides:
                    connection.execute(f"DROP DATABASE {side.name} WITH (FORCE)")


def _side(postgres: Server, folder: Path, which: str) -> Side:
    import secrets

    name = f"twin_{which}_{secrets.SystemRandom().randrange(10**9)}_{folder.name.replace('-', '_').lower()}"
    with psycopg.connect(postgres.conninfo("owner", "postgres"), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {TEMPLATE} STRATEGY FILE_COPY")
    database = replace(postgres, database=name)
    _still_defaults(database)
    home = folder / which
    (home / "secrets").mkdir(parents=True)
    (home / "secrets" / "flask.secret").write_text("00" * 32)
    settings = Settings(home, database.url("office"), "http://door.test", "http://office.test")
    office = office_app(settings)
    office.test_client_class = OfficeClient
    office.extensions["doorstep.papers"] = DataPapers()
    office.extensions["doorstep.planning"] = _planning_parts
    door = door_app(replace(settings, database_url=database.url("door")))
    for app in (office, door):
        for limiter in app.extensions["limiter"]:
            limiter.enabled = False  # time stands still: a window would never end
    return Side(name, settings, office, door)


def _planning_parts() -> PlanningParts:
    from tests.planning_world import PARTS

    return replace(PARTS, solver=NearestFirstSolver())


def _still_defaults(database: Server) -> None:
    """The database's own clock does not stand still: what it would write by default is NOON as well."""
    with psycopg.connect(database.conninfo("owner", database.database), autocommit=True) as connection:
        rows = connection.execute(
            "SELECT table_schema, table_name, column_name FROM information_schema.columns"
            " WHERE column_default = 'now()' AND table_schema IN ('office', 'mailbox')"
        ).fetchall()
        assert rows
        for schema, table, column in rows:
            connection.execute(
                f"ALTER TABLE {schema}.{table} ALTER COLUMN {column} SET DEFAULT '{NOON.isoformat()}'::timestamptz"
            )


__all__ = ["ROLES", "Side", "TwinWorld", "Twins", "twin_installations"]
