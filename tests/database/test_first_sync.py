"""What a day costs on the wire: sixty stops, each with a letter, in fewer than 400,000 bytes; nothing new in under 300."""

from __future__ import annotations

import csv
import time
from importlib.resources import files
from itertools import cycle, islice
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import select

from field_api.domain.confidential import audience
from field_api.domain.disclosure import Audience
from field_api.platform.clock import SetClock
from field_api.platform.database import transaction
from field_api.records.agency import Agency
from field_api.records.changes import Change
from field_api.records.people import VerificationAnswer
from field_api.records.visits import VisitKey
from field_api.usecases.make_visit_keys import make_visit_keys
from field_api.usecases.want_letters import want_letters
from sync.phone.crypto import unseal
from tests.door_client import Phone, page_of, un64, unpacked
from tests.paper_world import paper_world, stating
from tests.sync_day import Day, hkdf, nul, pull

pytest_plugins = ["tests.door_fixtures"]
STOPS = 60
WHOLE_BYTES, NOTHING_NEW_BYTES, WHOLE_S = 400_000, 300, 1.0


class FullDay(Day):
    """One agent with sixty stops at real streets, each of a made-up person with an account and a letter."""

    def __init__(self, app: Flask, agency: UUID, door: Flask, clock: SetClock) -> None:
        self.app, self.agency, self.door, self.clock = app, agency, door, clock
        with (files("doorstep.demo.data") / "addresses_mexico_city.csv").open(encoding="utf-8") as file:
            streets = list(islice(cycle(csv.DictReader(file)), STOPS))
        with transaction(agency) as session:
            world = paper_world(session)
            session.scalars(select(Agency)).one().address = "Calle Ficticia 245, piso 3, 06700 Ciudad de México"
            creditor, agent = stating(world), world.agent()
            route = world.route(agent)
            self.agent, self.visits = agent.id, []
            for position, row in enumerate(streets, start=1):
                names = ("between_1", "between_2", "neighbourhood", "postcode", "municipality", "state")
                person = world.person(creditor)
                address = world.address(
                    person, (float(row["lat"]), float(row["lon"])), street=f"{row['street_type']} {row['street']}",
                    city="Ciudad de México", hint="Portón verde junto a la farmacia", interior=row["interior"] or None,
                    **{name: row[name] for name in names},
                )  # fmt: skip
                account = world.account(
                    person, balance_minor=100_000 + 7_919 * position, options="Quita del 30 % este mes, o seis pagos"
                )
                for kind, answer in (("birth_date", "1970-02-28"), ("account_last4", f"{position:04}")):
                    answer_row = VerificationAnswer(
                        person_id=person.id, kind=kind, independent_group=kind, answer=answer
                    )
                    session.add(answer_row)
                self.visits.append(world.visit(route, position, address, person, account).id)
            make_visit_keys(session, self.visits)
            for letter in want_letters(session, self.visits, clock.now()):
                assert letter.state == "wanted"
                letter.state = "issued"  # the paper itself is not of interest here


@pytest.fixture
def full_day(app: Flask, agency: UUID, door: Flask, clock: SetClock) -> FullDay:
    return FullDay(app, agency, door, clock)


def test_a_first_sync_of_sixty_stops_and_a_pull_with_nothing_new_are_small(full_day: FullDay) -> None:
    phone = full_day.enrol()
    while full_day.work():
        pass
    with transaction(full_day.agency) as session:
        assert session.scalars(select(Change.id)).all() == []
    phone.push(phone.operation("note", {"words": "a"}, visit=full_day.visits[0], av=1))
    full_day.work()  # the newest statement of what is durable is part of every page
    began = time.perf_counter()
    answer = phone.call("GET", "/phone/v1/feed")
    took_s = time.perf_counter() - began
    head = sum(len(name) + len(value) + 4 for name, value in answer.headers.items())
    page = page_of(answer.data)
    assert page["durable"] is not None and page["more"] is False
    contents, cursor = pull(phone)
    published = [item for item in contents if item["kind"] == "visit" and item["body"]["state"] == "published"]
    assert {item["ref"] for item in published} == {str(visit) for visit in full_day.visits}
    assert len(answer.data) + head <= WHOLE_BYTES, f"{len(answer.data)} bytes and {head} of headers"
    assert took_s < WHOLE_S
    nothing = phone.call("GET", "/phone/v1/feed", query=f"after={cursor}")
    assert page_of(nothing.data)["items"] == []
    assert len(nothing.data) <= NOTHING_NEW_BYTES, len(nothing.data)
    print(f"{len(answer.data)} and {head} bytes in {took_s:.3f} s; {len(nothing.data)} bytes for nothing new")
    _nothing_was_cut(full_day, phone, published[0])


def _nothing_was_cut(day: FullDay, phone: Phone, item: dict) -> None:
    """The brief behind the smaller lock is whole: account, options and all of the letter's text."""
    with transaction(day.agency) as session, audience(Audience.DISPATCHER):
        row = session.scalars(select(VisitKey).where(VisitKey.visit_id == UUID(item["ref"]))).one()
        code = row.unlock_code.reveal(Audience.DISPATCHER)
    lock, visit = item["body"]["locks"][0], item["ref"]
    associated = nul(b"doorstep-lock-v1", visit, 0)
    kek = hkdf(code.encode(), nul(b"doorstep-lock-code-v1", visit, 0, phone.device))
    brief = unpacked(unseal(unseal(kek, un64(lock["code"]), associated), un64(lock["ct"]), associated))
    (account,), (letter,) = brief["accounts"], brief["letters"]
    assert account["options"] == "Quita del 30 % este mes, o seis pagos" and brief["more"] == []
    assert letter["title"] == "Notificación de adeudo" and "P-00" in letter["text"].splitlines()[-1]
