"""The house that both agencies live in: one database, one office, one door; and everybody who asks there."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import psycopg
from flask import Flask
from psycopg import sql
from sqlalchemy import select, update

from doorstep.app import office_app
from doorstep.door import door_app
from doorstep.server import Server
from field_api.adapters.solver_pyvrp import PyVrpSolver
from field_api.domain.letters import LetterKind
from field_api.domain.vocabulary import OpKind
from field_api.http.permits import TOKEN_PERMISSIONS
from field_api.platform.clock import SetClock
from field_api.platform.create_keys import create_agency_keys
from field_api.platform.database import db, transaction
from field_api.platform.settings import Settings
from field_api.platform.wiring import office_keys
from field_api.records.staff import ApiToken, Staff
from field_api.records.unlocks import UnlockReview
from field_api.records.visits import Letter
from field_api.usecases.issue_api_token import issue_api_token
from field_api.usecases.issue_papers import issue_papers
from field_api.usecases.want_letters import want_letters
from sync.mailbox import FeedHead, InboxOp, QuarantinedBytes, SnapshotRequest
from sync.office.decide_quarantined import release_operation
from sync.office.devices import revoke_device
from sync.office.enrolment import issue_enrolment
from sync.office.work import work_once
from sync.roll import first_roll
from tests import outcome_world
from tests.conftest import TEMPLATE
from tests.door_client import Phone, b64u, un64
from tests.door_world import enrolled
from tests.guards.two_agencies import BRANCHES, NOW, Branch, BranchBuilder, agency_row, photo_row
from tests.office_client import OfficeClient, add_person
from tests.photo_phone import announce
from tests.photo_world import PhotoWorld
from tests.pictures import jpeg
from tests.planning_world import PARTS
from tests.twins.sides import DataPapers

ROLES = ("agent", "dispatcher", "manager", "admin", "controller")
STATES = ("invited", "disabled", "revoked token")
"""Of accounts: without a password yet; ended with a session open; a token taken back."""


@dataclass
class House:
    office: Flask
    door: Flask
    clock: SetClock
    settings: Settings
    database: Server
    branches: dict[str, Branch] = field(default_factory=dict)
    clients: dict[str, OfficeClient] = field(default_factory=dict)
    """`manager`, `disabled`, ... of the first agency; `controller elsewhere` of A2; `foreign manager` of the other."""
    phones: dict[str, Phone] = field(default_factory=dict)
    odd_emails: tuple[str, ...] = ()
    """Of a person who was invited and one who was ended."""

    @property
    def askers(self) -> dict[str, OfficeClient]:
        """Who asks in the first agency, each role and each state of an account, and somebody unknown."""
        return {name: self.clients[name] for name in (*ROLES, "integrator", *STATES, "anonymous")}

    def open(self) -> None:
        for agency, names in ((uuid4(), BRANCHES[:2]), (uuid4(), BRANCHES[2:])):
            create_agency_keys(self.settings.home, agency, NOW)
            with self.office.app_context():
                with transaction(agency) as session:
                    agency_row(session, agency, f"{names[0]}{'Zxqforeignagency' if names[0] == 'B1' else ''}")
                    for name in names:
                        self.branches[name] = BranchBuilder(session, Branch(name, agency)).build()
                for name in names:
                    self._papers(self.branches[name])
                    self._phone(self.branches[name])
                self._spare(self.branches[names[0]])
                work_once(self.office, agency, NOW)
                work_once(self.office, agency, NOW)
                for name in names:
                    self._snapshot(self.branches[name])
        self._people()

    def _papers(self, branch: Branch) -> None:
        papers, objects = self.office.extensions["doorstep.papers"], self.office.extensions["doorstep.objects"]
        with transaction(branch.agency) as session:
            visits = [UUID(each) for each in branch.ids["visit"]]
            # By kind: these accounts are disputed, and by itself no letter would go with their visits.
            want_letters(session, visits, NOW, kind=LetterKind.NOTIFICATION)
            issue_papers(session, UUID(branch.id("plan")), renderer=papers, objects=objects, now=NOW)
            for letter in session.scalars(select(Letter.id).where(Letter.visit_id.in_(visits)).order_by(Letter.id)):
                branch.note("letter", letter)
        assert branch.ids["letter"], "letters are among what is looked for"

    def _phone(self, branch: Branch) -> None:
        """An agent's phone with a feed, operations of two kinds of trouble, and two photographs."""
        sought, account = UUID(branch.id("person")), UUID(branch.id("account"))
        visit = outcome_world.Phone(
            branch.agency, UUID(branch.id("agent")), UUID(branch.id("visit")), sought, [account]
        )
        world = PhotoWorld(self.office, self.door, branch.agency, self.clock, self.settings, visit)
        phone = self.phones[branch.name] = world.phone
        phone.agency_sealing_key = office_keys().of(branch.agency).sealing_certificate.public
        branch.note("device", phone.device)
        with transaction(branch.agency) as session:
            roll = first_roll(branch.agency, phone.device, 1)
            session.add(FeedHead(device_id=phone.device, epoch=1, seq=0, roll=roll))
            session.add(SnapshotRequest(device_id=phone.device))
        for _ in "ab":  # nobody passed a check before: both are put up for review
            visit.records(OpKind.OPENED, {"parts": ["brief"]})
        photo = world.developed(jpeg(64, 48))
        assert photo.state == "developed", photo.reason
        branch.note("photo", photo.id)
        branch.note("whole upload", photo.upload_id)
        sealed = world.seal(b"begun")
        world.declare(sealed, world.permit())  # and never comes whole
        begun = announce(phone, sealed)
        assert begun.status_code == 201, begun.text
        branch.note("upload", begun.headers["Location"].rpartition("/")[2])
        branch.note("upload digest", b64u(sealed.sha256))
        branch.note("upload key id", sealed.key_id)
        with transaction(branch.agency) as session:
            row = photo_row(branch, phone.device, UUID(branch.id("upload")))
            session.add(row)
            session.flush()
            branch.note("another photo", row.id)
            for review in session.scalars(select(UnlockReview.id).where(UnlockReview.visit_id == visit.visit_id)):
                branch.note("review", review)
        phone.take_anchor()
        good = phone.operation("session", {"app_version": "1"})
        unclear = phone.operation("arrived", {}, visit=uuid4())
        twice = {**good, "sig": unclear["sig"]}
        branch.note("inbox op", json.loads(un64(good["protected"]))["op"])
        phone.push(good, unclear, phone.operation("nonsense", {}), twice, {**unclear, "sig": good["sig"]})
        branch.note("sending device", phone.device)
        branch.note("kept op", json.loads(un64(unclear["protected"]))["op"])
        with transaction(branch.agency) as session:
            kept = update(InboxOp).where(InboxOp.op_id == UUID(branch.id("kept op")))
            session.execute(kept.values(state="quarantined", reason="unknown-visit"))
            op_id = UUID(branch.id("kept op"))
            release_operation(session, phone.device, op_id, reason=f"visto {branch.mark}", by=None, now=NOW)
            of_phone = select(QuarantinedBytes.id).where(QuarantinedBytes.device_id == phone.device)
            for bytes_id in session.scalars(of_phone.order_by(QuarantinedBytes.id)):
                branch.note("odd bytes", bytes_id)

    def _snapshot(self, branch: Branch) -> None:
        answer = self.phones[branch.name].call("GET", "/phone/v1/feed/snapshot")
        assert answer.status_code == 200, answer.text
        branch.note("snapshot etag", answer.headers["ETag"].strip('"'))

    def _spare(self, branch: Branch) -> None:
        """What an agency has beside its branches: somebody and something to end, and a phone that is taken back."""
        agency = branch.agency
        phone = enrolled(self.door, agency, self.clock, UUID(branch.ids["agent"][1]))
        self.phones[f"revoked {branch.name}"] = phone
        branch.note("device", phone.device)
        for _ in "ab":
            branch.note("spare device", enrolled(self.door, agency, self.clock, UUID(branch.ids["agent"][1])).device)
        with transaction(agency) as session:
            keys = office_keys().of(agency)
            revoke_device(session, keys, phone.device, "lost", now=NOW)
            for number in (1, 2):
                code = issue_enrolment(session, keys, UUID(branch.id("agent")), now=NOW)
                branch.note("enrolment", code.enrolment_id)
                issue_api_token(
                    session, name=f"spare {number} {branch.mark}", permissions=["visits.read"],
                    allowed=TOKEN_PERMISSIONS, now=NOW,
                )  # fmt: skip
            for token in session.scalars(select(ApiToken.id).order_by(ApiToken.id)):
                branch.note("token", token)
        email = add_person(agency, "agent")
        with transaction(agency) as session:
            session.execute(update(Staff).where(Staff.email == email).values(name=f"Ayudante {branch.mark}"))
            branch.note("staff", session.scalars(select(Staff.id).where(Staff.email == email)).one())

    def _people(self) -> None:
        first, second, foreign = (self.branches[name] for name in ("A1", "A2", "B1"))
        for role in ROLES:
            self._sign_in(role, first, role)
            self._sign_in(f"foreign {role}", foreign, role)
        self._sign_in("second manager", first, "manager")
        self._sign_in("controller elsewhere", second, "controller")
        disabled = self._sign_in("disabled", first, "manager")
        with self.office.app_context():
            invited = add_person(first.agency, "manager")
            self.odd_emails = (invited, disabled)
            with transaction(first.agency) as session:
                session.execute(update(Staff).where(Staff.email == disabled).values(active=False))
                session.execute(update(Staff).where(Staff.email == invited).values(password=None))
            self.clients["integrator"] = self._bearer(first)
            self.clients["foreign integrator"] = self._bearer(foreign)
            self.clients["revoked token"] = self._bearer(first, revoked=True)
        self.clients["anonymous"] = self._client()
        self.clients["invited"] = self._client()
        assert self.clients["invited"].sign_in(invited).status_code == 401

    def _client(self) -> OfficeClient:
        client = self.office.test_client()
        assert isinstance(client, OfficeClient)
        return client

    def _sign_in(self, name: str, branch: Branch, role: str) -> str:
        """The real sign-in. Outside of an application context: it would keep the first one who signs in."""
        client = self.clients[name] = self._client()
        creditor = UUID(branch.id("creditor")) if role == "controller" else None
        with self.office.app_context():
            email = add_person(branch.agency, role, creditor)
        branch.note("email", email)
        assert client.sign_in(email).status_code == 200
        return email

    def _bearer(self, branch: Branch, *, revoked: bool = False) -> OfficeClient:
        client = self._client()
        with transaction(branch.agency) as session:
            wire = issue_api_token(
                session, name="integrator", permissions=TOKEN_PERMISSIONS, allowed=TOKEN_PERMISSIONS, now=NOW
            )
            if revoked:
                session.execute(update(ApiToken).where(ApiToken.id == wire.token_id).values(revoked_at=NOW))
        client.bearer = str(wire)
        return client

    def close(self) -> None:
        for app in (self.office, self.door):
            with app.app_context():
                db.session.remove()
                db.engine.dispose()


def _planning() -> Any:
    return replace(PARTS, solver=PyVrpSolver(iterations=20))  # a day under way is more than the simple one knows of


@contextmanager
def open_house(postgres: Server, folder: Path) -> Iterator[House]:
    """Both agencies with all that they have, on a database of their own."""
    name = f"two_agencies_{secrets.token_hex(6)}"
    admin = postgres.conninfo("owner", "postgres")
    with psycopg.connect(admin, autocommit=True) as connection:
        connection.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY FILE_COPY").format(
                sql.Identifier(name), sql.Identifier(TEMPLATE)
            )
        )
    database = replace(postgres, database=name)
    settings = Settings(
        home=folder / "home", database_url=database.url("office"), door_url="http://door.test",
        office_url="http://office.test",
    )  # fmt: skip
    office, door = office_app(settings), door_app(replace(settings, database_url=database.url("door")))
    office.test_client_class = OfficeClient
    office.extensions["doorstep.papers"] = DataPapers()
    office.extensions["doorstep.planning"] = _planning
    house = House(office, door, SetClock(NOW), settings, database)
    for app in (office, door):
        app.extensions["doorstep.clock"] = house.clock
        for limiter in app.extensions["limiter"]:
            limiter.enabled = False  # thousands of requests in a minute are the point here
    try:
        house.open()
        yield house
    finally:
        house.close()
        with psycopg.connect(admin, autocommit=True) as connection:
            connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))
