"""The demonstration: a whole working day on one machine, every part of Doorstep a process of its own."""

from __future__ import annotations

import io
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from uuid import UUID

from flask import Flask
from PIL import Image
from sqlalchemy import select
from sqlalchemy.orm import Session

from doorstep.app import worker_app
from doorstep.demo import office, scripts
from doorstep.demo.cast import AGENCY
from doorstep.demo.counts import measured
from doorstep.demo.evidence import search_everything, write_exports
from doorstep.demo.phones import DemoPhone, enrol_all, run_all, send_unasked
from doorstep.demo.portfolios import DemoPortfolio, write_portfolios
from doorstep.demo.readers import Readers, signed_in, with_token
from doorstep.demo.stage import DemoDay
from doorstep.planning import planning_parts
from doorstep.serve import Part, parts_of, running, wait_until_ready
from doorstep.server import Server
from field_api.domain.vocabulary import HoldKind
from field_api.platform.database import db, transaction
from field_api.platform.wiring import clock
from field_api.records.agency import Agency
from field_api.records.planning import Agent, Plan
from field_api.usecases.create_agency import create_agency
from field_api.usecases.place_hold import place_hold
from field_api.usecases.plan_day import plan_day
from field_api.usecases.publish_plan import publish_plan
from field_api.usecases.reassign_visit import reassign_visit

SETTLE_S = 60.0


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
    """The usual parts and a second worker, with a witness at the door and their logs kept."""
    parts = parts_of(demo.installation, server)
    worker = next(part for part in parts if part.name == "worker")
    parts.append(replace(worker, name="second-worker"))
    (demo.out / "logs").mkdir()
    (demo.out / "evidence").mkdir()
    for part in parts:
        part.log = demo.out / "logs" / f"{part.name}.log"
        if part.name == "door":
            part.arguments = ["doorstep.demo.recorded_door", str(demo.out / "evidence" / "door-served.bin")]
    return parts


def _day(demo: DemoDay, parts: list[Part], server: Server, app: Flask) -> None:
    portfolios = _accounts_come_in(demo)
    plan_id, visits = _plan(demo, portfolios)
    _issue(demo, plan_id)
    wait_until_ready(parts)
    with ThreadPoolExecutor(1) as printer:
        printing = printer.submit(_print, demo, plan_id, app)
        phones = _phones(demo)
        demo.tell("phones: the morning, offline")
        run_all(phones, "morning", scripts.mornings(visits), scripts.CLOCKS)
        printing.result()
    gained, lost = _office_changes_its_mind(demo, visits)
    send_unasked(phones[-1], visits[phones[-1].code][1], demo.phones_folder / "facade.jpg")
    demo.tell("phones: the afternoon, some without having heard; in the evening everything is sent")
    run_all(phones, "afternoon", scripts.afternoons(visits, gained, lost), scripts.CLOCKS)
    _until(demo, office.all_decided, "the worker did not finish what came")
    demo.tell("every operation is decided")
    _close(demo, phones, portfolios, server)


def _accounts_come_in(demo: DemoDay) -> list[DemoPortfolio]:
    portfolios = write_portfolios(demo.out / "files", demo.seed, demo.day, demo.creditors)
    for portfolio in portfolios:
        with transaction(demo.agency_id) as session:
            report = office.take_in(session, portfolio)
        demo.tell(f"{portfolio.path.name}: {report.rows_imported} accounts, {report.rows_rejected} rows refused")
    return portfolios


def _plan(demo: DemoDay, portfolios: list[DemoPortfolio]) -> tuple[UUID, scripts.Routes]:
    with transaction(demo.agency_id) as session:
        plan = plan_day(session, demo.day, parts=planning_parts(), now=clock().now(), seed=demo.seed)
        plan_id = plan.id
    with transaction(demo.agency_id) as session:
        publish_plan(session, plan_id, parts=planning_parts(), now=clock().now(), published_by=None)
    with transaction(demo.agency_id) as session:
        plan = session.get_one(Plan, (demo.agency_id, plan_id))
        found = office.published_visits(session, plan, portfolios, demo.day)
    visits: scripts.Routes = {}
    for visit in found:
        visits.setdefault(visit.agent_code, []).append(visit)
    demo.tell(f"plan for {demo.day}: {len(visits)} routes, {len(found)} visits")
    return plan_id, visits


def _issue(demo: DemoDay, plan_id: UUID) -> None:
    with transaction(demo.agency_id) as session:
        issued = office.issue(session, plan_id)
    demo.tell(f"issued: {issued.sheets} sheets, {issued.letters} letters, {issued.letters_refused} refused")


def _print(demo: DemoDay, plan_id: UUID, app: Flask) -> None:
    """Beside everything else: the printer has all morning."""
    folder = demo.out / "sheets-and-letters"
    folder.mkdir()
    with app.app_context():
        stacks = office.print_stacks(demo.agency_id, plan_id, folder)
    demo.tell(f"printed: {stacks} stacks in route order")


def _phones(demo: DemoDay) -> list[DemoPhone]:
    with transaction(demo.agency_id) as session:
        codes = office.enrolment_codes(session, demo.agency_id)
    phones = [DemoPhone(code, demo.phones_folder / code, line) for code, line in sorted(codes.items())]
    (demo.phones_folder / "facade.jpg").write_bytes(_facade())
    enrol_all(phones)
    _published(demo)
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
    _published(demo)
    demo.tell(f"noon: {len(visits)} visits withdrawn, {len(gained)} reassigned")
    return gained, lost


def _published(demo: DemoDay) -> None:
    _until(demo, lambda session: not office.visits_to_tell(session), "the worker did not publish what changed")


def _until(demo: DemoDay, holds: Callable[[Session], bool], otherwise: str) -> None:
    """Wait for the worker. A stuck one is an error, not a longer wait."""
    deadline = time.monotonic() + SETTLE_S
    while True:
        with transaction(demo.agency_id) as session:
            if holds(session):
                return
        if time.monotonic() > deadline:
            raise RuntimeError(otherwise)
        time.sleep(0.1)


def _close(demo: DemoDay, phones: list[DemoPhone], portfolios: list[DemoPortfolio], server: Server) -> None:
    with transaction(demo.agency_id) as session:
        counts = measured(session)
    said = [phone.status for phone in phones]
    demo.summary = {
        **counts,
        "ops_recorded": sum(status["ops_recorded"] for status in said),
        "duplicates_absorbed": sum(status["sent_again"] for status in said),
        "answers_lost": sum(phone.answers_lost for phone in phones),
        "phones_killed": sum(phone.killed for phone in phones),
    }
    demo.summary |= write_exports(demo.agency_id, demo.day, demo.out / "exports", _readers(demo))
    demo.findings = search_everything(demo.agency_id, demo.out, demo.installation, server, portfolios)
    found = sum(len(place.found) for place in demo.findings.values())
    missed = sum(place.canaries_missed for place in demo.findings.values())
    demo.summary |= {"leaks_found": found, "canaries_missed": missed}
    demo.tell(f"searched {len(demo.findings)} places for balances, creditors and reasons: {found} found")


def _readers(demo: DemoDay) -> Readers:
    """An integrator with a token, and the manager who signs in."""
    url = demo.installation.office_url
    manager = next(email for email in demo.passwords if email.startswith("manager"))
    return Readers(
        integrator=with_token(url, office.integrator_token(demo.agency_id)),
        manager=signed_in(url, manager, demo.passwords[manager]),
    )
