"""A log with a leaf of every kind, several checkpoints and a whole tile; and whoever owns the database, at work in it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from uuid import UUID

from sqlalchemy import create_engine, select, text
from sqlalchemy.orm import Session

from doorstep.server import Server
from field_api.domain.confidential import audience
from field_api.domain.disclosure import Audience
from field_api.domain.vocabulary import HoldKind
from field_api.platform.bounded_json import canonical
from field_api.platform.database import transaction
from field_api.platform.ids import new_id
from field_api.platform.key_rotation import KeyFiles
from field_api.platform.root_keys import certify_request
from field_api.platform.tenancy import acting_for
from field_api.platform.wiring import office_keys
from field_api.records.log import LogEntry
from field_api.usecases.lift_hold import lift_hold
from field_api.usecases.note_decision import note_decision
from field_api.usecases.place_hold import place_hold
from field_api.usecases.withdraw_visit import withdraw_visit
from media.office.records import Photo
from sync.office.audit import export_log
from sync.office.audit_lines import Seen
from sync.office.audit_report import Report
from sync.office.audit_verify import verify_export
from sync.office.log import sequence_log
from tests.door_client import Phone
from tests.sync_day import Day

TILE = 256


class AuditWorld:
    def __init__(self, day: Day, database: Server, home: Path) -> None:
        self.day, self.database, self.home = day, database, home
        self.phone: Phone = day.enrol()
        self._fill()

    def _fill(self) -> None:
        day, phone = self.day, self.phone
        phone.push(*[phone.operation("arrived", {}, visit=day.visits[0], av=1) for _ in range(3)], {"ct": 1})
        with audience(Audience.OFFICE_JOB), transaction(day.agency) as session:
            withdraw_visit(session, day.visits[1], reason="pagó", now=day.clock.now(), by=day.agent)
            hold = place_hold(
                session, kind=HoldKind.DECEASED, reason="x", now=day.clock.now(), person_id=day.people[1],
                placed_by=day.agent,
            )  # fmt: skip
            lift_hold(session, hold.id, reason="y", now=day.clock.now(), lifted_by=day.agent)
            self.photo = self._photo(session)
        self.work()
        self.decide(TILE)  # the first tile is whole
        self.decide(5)
        self.decide(5)

    def _photo(self, session: Session) -> UUID:
        """As `media.office.link_uploads` takes one."""
        photo = Photo(
            id=new_id(), visit_id=self.day.visits[0], op_id=new_id(), device_id=self.phone.device, upload_id=new_id(),
            state="awaiting", subject="facade", sha256=b"s" * 32, received_at=self.day.clock.now(),
        )  # fmt: skip
        session.add(photo)
        session.add(LogEntry(kind="photo", at=photo.received_at, ref=f"photo/{photo.id}"))
        return photo.id

    def work(self) -> None:
        while self.day.work():
            pass

    def decide(self, count: int) -> None:
        """That many decisions, each log round with a checkpoint of its own."""
        self.day.clock.moment += timedelta(seconds=1)
        with transaction(self.day.agency) as session:
            for number in range(count):
                note_decision(session, self.day.clock.now(), "test", {"n": number})
        self.sequence()

    def sequence(self) -> None:
        with transaction(self.day.agency) as session:
            sequence_log(session, office_keys().fresh(self.day.agency), now=self.day.clock.now())

    def rotate(self, role: str) -> None:
        """A key of this role replaced, and the one before it retired."""
        now = self.day.clock.now() + timedelta(days=10)  # keys are made by the machine's clock
        files = KeyFiles(self.home / "keys", self.day.agency)
        root = self.home / "keys" / "root" / f"{self.day.agency}.json"
        answer = certify_request(root, files.request(role, now), now, role == "root")
        files.mark_announced([each.ref for each in files.install(answer, now)])
        files.use_next()

    @contextmanager
    def owner(self) -> Iterator[Session]:
        """Whoever owns the database, with all rights and no keys; undone at the end."""
        engine = create_engine(self.database.url("owner"))
        try:
            with acting_for(self.day.agency), Session(engine) as session:
                session.execute(text("SET LOCAL session_replication_role = replica"))  # no trigger sees it
                yield session
        finally:
            engine.dispose()

    def export(self, session: Session | None = None) -> list[bytes]:
        keys = office_keys().fresh(self.day.agency)
        if session is not None:
            return list(export_log(session, keys, now=self.day.clock.now()))
        with transaction(self.day.agency) as own:
            return list(export_log(own, keys, now=self.day.clock.now()))

    def report(self, lines: Sequence[bytes], seen: Sequence[Seen] = ()) -> Report:
        return verify_export(lines, office_keys().fresh(self.day.agency).root_public, seen)

    def findings(self, lines: Sequence[bytes], seen: Sequence[Seen] = ()) -> list[str]:
        return [str(finding) for finding in self.report(lines, seen).findings]

    def tampered(self, *statements: str) -> list[str]:
        """What is found after the owner of the database ran this."""
        with self.owner() as session:
            for statement in statements:
                assert session.execute(text(statement)).rowcount, f"touches nothing: {statement}"
            return self.findings(self.export(session))

    def number(self, ref: str, kind: str | None = None) -> int:
        """The first leaf whose reference begins so."""
        with transaction(self.day.agency) as session:
            return self.number_in(session, ref, kind)

    def number_in(self, session: Session, ref: str, kind: str | None = None) -> int:
        found = select(LogEntry.number).where(LogEntry.ref.startswith(ref), LogEntry.number.is_not(None))
        found = found.where(LogEntry.kind == kind) if kind else found
        return session.scalars(found.order_by(LogEntry.number).limit(1)).one()


def lines_with(lines: Sequence[bytes], key: str) -> list[int]:
    return [at for at, line in enumerate(lines) if key in json.loads(line)]


def edited(line: bytes, change: Callable[[dict], object]) -> bytes:
    document = json.loads(line)
    change(document)
    return canonical(document) + b"\n"
