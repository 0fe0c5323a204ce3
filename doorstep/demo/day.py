"""The demonstration: a whole working day on one machine, every part of Doorstep a process of its own."""

from __future__ import annotations

import io
import shutil
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import requests
from flask import Flask
from PIL import Image
from sqlalchemy import select

from doorstep.app import worker_app
from doorstep.demo import office, scripts
from doorstep.demo.cast import AGENCY, CREDITORS
from doorstep.demo.counts import measured
from doorstep.demo.evidence import search_everything, write_exports
from doorstep.demo.office import DemoVisit
from doorstep.demo.phones import DemoPhone, enrol_all, run_all, send_unasked
from doorstep.demo.portfolios import DemoPortfolio, write_portfolios
from doorstep.installation import Installation
from doorstep.planning import planning_parts
from doorstep.postgres import EmbeddedPostgres
from doorstep.serve import Part, parts_of, running, wait_until_ready
from doorstep.server import Server
from field_api.domain.vocabulary import HoldKind
from field_api.platform.database import db, transaction
from field_api.platform.ids import new_id
from field_api.platform.wiring import clock
from field_api.records.agency import Agency
from field_api.records.planning import Agent, Plan
from field_api.usecases.create_agency import create_agency
from field_api.usecases.place_hold import place_hold
from field_api.usecases.plan_day import plan_day
from field_api.usecases.publish_plan import publish_plan
from field_api.usecases.reassign_visit import reassign_visit
from sync.mailbox import InboxOp

Tell = Callable[[str], None]
SETTLE_S = 60.0


@dataclass
class DemoDay:
    """What one run made, for whoever shows it."""

    out: Path
    seed: int
    day: date
    tell: Tell
    installation: Installation
    agency_id: UUID = field(default_factory=new_id)
    passwords: dict[str, str] = field(default_factory=dict)
    summary: dict[str, Any] = field(default_factory=dict)
    findings: dict[str, Any] = field(default_factory=dict)
    plan_id: UUID | None = None

    @property
    def phones_folder(self) -> Path:
        return self.out / "phones"


def working_day(today: date) -> date:
    """Today, or the Monday after a weekend: the seed alone decides the rest."""
    return today + timedelta(days=max(0, 7 - today.weekday()) if today.weekday() > 4 else 0)


def prepare(out: Path, seed: int, tell: Tell, office_port: int, door_port: int) -> DemoDay:
    """An empty place for the run. What an earlier run left in `out` is removed, its database included."""
    home = out / "installation"
    if home.exists():
        EmbeddedPostgres(home).destroy()
    for name in ("installation", "phones", "files", "sheets-and-letters", "exports", "evidence", "logs"):
        shutil.rmtree(out / name, ignore_errors=True)
    out.mkdir(parents=True, exist_ok=True)
    installation = Installation(
        home=home.absolute(), database_url=None,
        door_url=f"http://127.0.0.1:{_port(door_port)}", office_url=f"http://127.0.0.1:{_port(office_port)}",
    )  # fmt: skip
    return DemoDay(out.absolute(), seed, working_day(clock_today()), tell, installation)


def clock_today() -> date:
    from field_api.platform.clock import SystemClock

    return SystemClock().now().date()


@contextmanager
def run(demo: DemoDay) -> Iterator[DemoDay]:
    """Live through the day; inside the block everything still serves."""
    began = time.monotonic()
    with demo.installation.database() as server:
        app = worker_app(demo.installation.settings(server, "office"))
        with app.app_context():
            try:
                _found_agency(demo)
                with running(_parts(demo, server)) as parts:
                    _day(demo, parts, server, app)
                    demo.summary["seconds"] = round(time.monotonic() - began, 1)
                    yield demo
            finally:
                db.session.remove()
                db.engine.dispose()


def _found_agency(demo: DemoDay) -> None:
    now = clock().now()
    with transaction(demo.agency_id) as session:
        create_agency(session, demo.agency_id, demo.installation.home, now=now, **AGENCY["row"])
        agency = session.get_one(Agency, demo.agency_id)
        agency.policy = {**agency.policy, **AGENCY["policy"]}
        demo.passwords = office.hire(session)


def _parts(demo: DemoDay, server: Server) -> list[Part]:
    """The usual parts, with a witness at the door and their logs kept."""
    parts = parts_of(demo.installation, server)
    (demo.out / "logs").mkdir()
    (demo.out / "evidence").mkdir()
    for part in parts:
        part.log = demo.out / "logs" / f"{part.name}.log"
        if part.name == "door":
            part.arguments = ["doorstep.demo.recorded_door", str(demo.out / "evidence" / "door-served.bin")]
    return parts


def _day(demo: DemoDay, parts: list[Part], server: Server, app: Flask) -> None:
    portfolios = _accounts_come_in(demo)
    visits = _plan(demo, portfolios)
    wait_until_ready(parts)
    phones = _phones(demo)
    _print(demo)
    demo.tell("phones: the morning, offline")
    run_all(phones, "morning", scripts.mornings(visits), scripts.CLOCKS)
    gained, lost = _office_changes_its_mind(demo, visits)
    demo.tell("phones: the afternoon, some of them without having heard")
    run_all(phones, "afternoon", scripts.afternoons(visits, gained, lost), scripts.CLOCKS)
    send_unasked(phones[-1], visits[phones[-1].code][1], demo.phones_folder / "facade.jpg")
    demo.tell("phones: the evening, everything is sent")
    run_all(phones, "evening", scripts.evenings([phone.code for phone in phones]), scripts.CLOCKS)
    _settle(demo)
    _close(demo, phones, portfolios, server)


def _accounts_come_in(demo: DemoDay) -> list[DemoPortfolio]:
    portfolios = write_portfolios(demo.out / "files", demo.seed, demo.day, CREDITORS)
    for portfolio in portfolios:
        with transaction(demo.agency_id) as session:
            report = office.take_in(session, portfolio)
        demo.tell(f"{portfolio.path.name}: {report.rows_imported} accounts, {report.rows_rejected} rows refused")
    return portfolios


def _plan(demo: DemoDay, portfolios: list[DemoPortfolio]) -> dict[str, list[DemoVisit]]:
    with transaction(demo.agency_id) as session:
        plan = plan_day(session, demo.day, parts=planning_parts(), now=clock().now(), seed=demo.seed)
        demo.plan_id = plan.id
    with transaction(demo.agency_id) as session:
        publish_plan(session, demo.plan_id, now=clock().now(), published_by=None)
    with transaction(demo.agency_id) as session:
        plan = session.get_one(Plan, (demo.agency_id, demo.plan_id))
        found = office.published_visits(session, plan, portfolios, demo.day)
    visits: dict[str, list[DemoVisit]] = {}
    for visit in found:
        visits.setdefault(visit.agent_code, []).append(visit)
    demo.tell(f"plan for {demo.day}: {len(visits)} routes, {len(found)} visits")
    return visits


def _print(demo: DemoDay) -> None:
    with transaction(demo.agency_id) as session:
        assert_plan = demo.plan_id
        if assert_plan is None:
            raise RuntimeError("nothing was planned")
        issued, stacks = office.issue_and_print(session, assert_plan)
    folder = demo.out / "sheets-and-letters"
    folder.mkdir()
    for name, pdf in stacks.items():
        (folder / name).write_bytes(pdf)
    demo.tell(f"printed: {issued.sheets} sheets, {issued.letters} letters, {issued.letters_refused} refused")


def _phones(demo: DemoDay) -> list[DemoPhone]:
    with transaction(demo.agency_id) as session:
        codes = office.enrolment_codes(session, demo.agency_id)
    phones = [DemoPhone(code, demo.phones_folder / code, line) for code, line in sorted(codes.items())]
    (demo.phones_folder / "facade.jpg").write_bytes(_facade())
    enrol_all(phones)
    demo.tell(f"{len(phones)} phones enrolled")
    return phones


def _facade() -> bytes:
    """A picture with what a camera writes into it: position, owner, comment. None of it may survive."""
    image = Image.linear_gradient("L").resize((1600, 1200)).convert("RGB")
    noise = Image.effect_noise((1600, 1200), 60).convert("RGB")
    exif = Image.Exif()
    exif[0x010E], exif[0x013B] = "canary-description", "canary-artist"
    exif.get_ifd(0x8825).update({1: "N", 2: (47.0, 8.0, 24.0), 3: "E", 4: (9.0, 31.0, 15.0)})
    buffer = io.BytesIO()
    Image.blend(image, noise, 0.3).save(buffer, "JPEG", quality=90, exif=exif, comment=b"canary-comment")
    return buffer.getvalue()


def _office_changes_its_mind(demo: DemoDay, visits: scripts.Routes) -> tuple[scripts.Routes, set[UUID]]:
    """At noon: on each route one account is paid, and each city's first agent gives a visit to the second."""
    gained: scripts.Routes = {}
    lost = {mine[-1].visit_id for mine in visits.values()}
    for code, mine in visits.items():
        paid = mine[-1]
        for account_id in paid.account_ids:
            with transaction(demo.agency_id) as session:
                reason = "The creditor reports it as paid."
                place_hold(session, kind=HoldKind.PAID, reason=reason, now=clock().now(), account_id=account_id)
        if code.endswith("-1"):
            other = code[:-1] + "2"
            with transaction(demo.agency_id) as session:
                agent_id = session.scalars(select(Agent.id).where(Agent.code == other)).one()
                reassign_visit(session, mine[-2].visit_id, agent_id, parts=planning_parts(), now=clock().now(), by=None)
            gained[other] = [mine[-2]]
            lost.add(mine[-2].visit_id)
    demo.tell(f"noon: {len(visits)} visits withdrawn, {len(gained)} reassigned")
    return gained, lost


def _settle(demo: DemoDay) -> None:
    """Until nothing waits to be applied or developed; a stuck worker is an error, not a longer wait."""
    deadline = time.monotonic() + SETTLE_S
    while True:
        with transaction(demo.agency_id) as session:
            waiting = session.scalars(select(InboxOp.op_id).where(InboxOp.state == "received").limit(1)).first()
            photos = office.photos_under_way(session)
        if waiting is None and not photos:
            return
        if time.monotonic() > deadline:
            raise RuntimeError("the worker did not finish what came")
        time.sleep(0.1)


def _close(demo: DemoDay, phones: list[DemoPhone], portfolios: list[DemoPortfolio], server: Server) -> None:
    with transaction(demo.agency_id) as session:
        counts = measured(session)
    said = [phone.summary for phone in phones]
    demo.summary = {
        **counts,
        "ops_recorded": sum(s["summary"]["ops_recorded"] for s in said),
        "duplicates_absorbed": sum(s["summary"]["sent_again"] for s in said),
        "answers_lost": sum(s["answers_lost"] for s in said),
        "phones_killed": sum(phone.killed for phone in phones),
    }
    demo.summary |= write_exports(demo.agency_id, demo.day, demo.out / "exports", _ask(demo))
    demo.findings = search_everything(demo.agency_id, demo.out, demo.installation, server, portfolios)
    found = sum(len(place["found"]) for place in demo.findings.values())
    missed = sum(place["canaries_missed"] for place in demo.findings.values())
    demo.summary |= {"leaks_found": found, "canaries_missed": missed}
    demo.tell(f"searched {len(demo.findings)} places for balances, creditors and reasons: {found} found")


def _ask(demo: DemoDay) -> Callable[[str], Any]:
    """The office's API as an integrator asks it, with a token of its own."""
    token = office.integrator_token(demo.agency_id)

    def ask(path: str) -> Any:
        answer = requests.get(
            f"{demo.installation.office_url}/api/v1{path}", headers={"Authorization": f"Bearer {token}"}, timeout=30
        )
        answer.raise_for_status()
        return answer.json()

    return ask


def _port(wanted: int) -> int:
    """The wanted port, or a free one where somebody else has it."""
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", wanted))
        except OSError:
            probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
