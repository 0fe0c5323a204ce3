"""The real door on a real socket, the real office behind it, and sync/phone in front: an agent's two visits."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

from flask import Flask
from sqlalchemy import func, select

from doorstep.phone_day.network import RoughNetwork
from doorstep.worker import work_once
from field_api.domain.confidential import audience
from field_api.domain.disclosure import Audience
from field_api.platform.clock import SystemClock
from field_api.platform.database import transaction
from field_api.platform.wiring import office_keys
from field_api.records.people import VerificationAnswer
from field_api.records.visits import Visit, VisitEvent, VisitKey
from sync.mailbox import InboxOp
from sync.office.enrolment import issue_enrolment
from sync.phone import Patience, Phone
from tests.planning_world import World

PASSPHRASE = "correct horse"
ANSWERS = {"tax_id": ("GODE561231GR8", "birth"), "postcode": ("06700", "postcode")}
RIGHT = {"tax_id": "gode 561231 gr8", "postcode": "06700"}
WRONG = {"tax_id": "gode 561231 gr8", "postcode": "06701"}
ROOT = Path(__file__).parents[3]


@dataclass
class PhoneDay:
    app: Flask
    agency: UUID
    agent: UUID
    visits: list[str]
    people: list[str]
    folder: Path

    @property
    def directory(self) -> Path:
        return self.folder / "phone"

    def work(self, *_: object) -> int:
        """What the worker does, until nothing waits. Also what a phone's waiting amounts to in here."""
        rounds = 0
        while work_once(self.app) and rounds < 20:
            rounds += 1
        return rounds

    def patience(self, tries: int = 6) -> Patience:
        return Patience(tries=tries, sleep=self.work)

    def code_line(self) -> str:
        with transaction(self.agency) as session:
            return issue_enrolment(
                session, office_keys().of(self.agency), self.agent, now=SystemClock().now()
            ).line  # fmt: skip

    def enrol(self, **options: Any) -> Phone:
        return Phone.enrol(
            self.directory, PASSPHRASE, self.code_line(), patience=self.patience(), scrypt_cost=2**4, **options
        )

    def open(self, **options: Any) -> Phone:
        return Phone.open(self.directory, PASSPHRASE, **{"patience": self.patience(), **options})

    def unlock_code(self, visit: str) -> str:
        with audience(Audience.OFFICE_JOB), transaction(self.agency) as session:
            row = session.scalars(select(VisitKey).where(VisitKey.visit_id == UUID(visit))).one()
            return row.unlock_code.reveal(Audience.OFFICE_JOB)

    def inbox(self) -> list[tuple[int, str, str | None]]:
        """(seq, state, reason) of every operation that the door took, in order."""
        with transaction(self.agency) as session:
            rows = session.execute(select(InboxOp.seq, InboxOp.state, InboxOp.reason).order_by(InboxOp.seq))
            return [(row.seq, row.state, row.reason) for row in rows]

    def visit_state(self, visit: str) -> str:
        with transaction(self.agency) as session:
            return session.get_one(Visit, {"agency_id": self.agency, "id": UUID(visit)}).state

    def events(self, visit: str) -> dict[str, int]:
        with transaction(self.agency) as session:
            counted = (
                select(VisitEvent.kind, func.count())
                .where(VisitEvent.visit_id == UUID(visit), VisitEvent.op_id.is_not(None))
                .group_by(VisitEvent.kind)
            )
            return dict(session.execute(counted).all())

    def change(self, act: Callable[[Any], None]) -> None:
        with transaction(self.agency) as session:
            act(session)

    def run(self, *arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        """`doorstep phone …` as a process of its own, while the office works."""
        secret = self.folder / "passphrase"
        secret.write_text(PASSPHRASE)
        where = ["--dir", str(self.directory), "--passphrase-file", str(secret)]
        command = [sys.executable, "-m", "doorstep.cli", "phone", arguments[0], *where, *arguments[1:]]
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        with subprocess.Popen(command, text=True, env=environment, **pipes) as child:
            waiting = stdin
            while True:
                try:
                    out, err = child.communicate(waiting, timeout=0.2)
                    break
                except subprocess.TimeoutExpired:
                    waiting = ""
                    self.work()
        return subprocess.CompletedProcess(command, child.returncode, out, err)

    def day(self, *steps: dict[str, Any], **script: Any) -> tuple[int, list[dict[str, Any]]]:
        """Run a day's script as a process; exit status and the lines it printed."""
        path = self.folder / "script.json"
        path.write_text(json.dumps({"v": 1, "steps": list(steps), **script}))
        done = self.run("day", str(path))
        assert done.returncode in (0, -9), done.stderr + done.stdout
        return done.returncode, [json.loads(line) for line in done.stdout.splitlines()]


def make_day(app: Flask, agency: UUID, folder: Path) -> PhoneDay:
    with transaction(agency) as session:
        world = World(session)
        agent = world.agent()
        route = world.route(agent)
        visits, people = [], []
        for position in (1, 2):
            person, address, account = world.household()
            visits.append(str(world.visit(route, position, address, person, account).id))
            people.append(str(person.id))
            for kind, (answer, group) in ANSWERS.items():
                session.add(VerificationAnswer(person_id=person.id, kind=kind, independent_group=group, answer=answer))
        return PhoneDay(app, agency, agent.id, visits, people, folder)


__all__ = ["RIGHT", "WRONG", "PhoneDay", "RoughNetwork", "make_day"]
