"""What the office knows of its phones: when each was heard, what still waits on it, what of it waits here."""

from __future__ import annotations

from dataclasses import replace
from datetime import time, timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import text

from doorstep.server import Server
from field_api.platform.clock import SetClock
from field_api.platform.database import transaction
from field_api.platform.ids import new_id
from field_api.records.agency import Agency
from field_api.records.changes import Change
from field_api.records.planning import Agent, Shift
from field_api.records.visits import Visit
from sync.mailbox import DeviceContact
from sync.office.sync_health import HERE, KEPT, DeviceHealth, all_healths, overview
from tests.door_client import Phone
from tests.planning_world import statements
from tests.sync_day import Day

pytest_plugins = ["tests.door_fixtures"]


def health_of(day: Day) -> DeviceHealth:
    with transaction(day.agency) as session:
        (one,) = all_healths(session, now=day.clock.now())
    return one


def contact(day: Day) -> DeviceContact | None:
    with transaction(day.agency) as session:
        return session.query(DeviceContact).one_or_none()


def test_a_phone_is_noted_once_a_minute_however_often_it_calls(day: Day, clock: SetClock) -> None:
    phone = day.enrol()
    first = contact(day)
    assert first is not None and (first.heard_at, first.newest_seq) == (clock.now(), None)
    clock.advance(timedelta(seconds=59))
    phone.call("GET", "/phone/v1/feed")
    assert contact(day).heard_at == first.heard_at
    clock.advance(timedelta(seconds=1))
    with day.door.app_context(), statements() as seen:
        for _ in range(5):
            phone.call("GET", "/phone/v1/feed")
    assert contact(day).heard_at == clock.now()
    assert sum("device_contact" in statement for statement in seen) == 1


def test_another_process_of_the_door_does_not_note_it_again(day: Day, clock: SetClock, door: Flask) -> None:
    phone = day.enrol()
    heard = contact(day).heard_at
    clock.advance(timedelta(seconds=30))
    door.extensions["doorstep.contacts"].noted.clear()
    phone.call("GET", "/phone/v1/feed")
    assert contact(day).heard_at == heard


def test_what_waits_on_the_phone_is_what_it_told_of_and_nobody_holds(day: Day) -> None:
    phone = day.enrol()
    assert health_of(day).waiting_ops is None, "an old phone tells nothing"
    queue = [phone.operation("note", {"text": "x"}) for _ in range(5)]
    assert phone.call("GET", "/phone/v1/ops/state", query="newest=5").status_code == 200
    assert health_of(day).waiting_ops == 5
    phone.push(*queue[:3])
    assert health_of(day).waiting_ops == 2, "what came meanwhile waits no more"
    phone.push(*queue)
    day.work()
    assert health_of(day).waiting_ops == 0
    phone.call("GET", "/phone/v1/feed")
    assert health_of(day).told_at is not None, "a call that tells nothing takes nothing back"


def test_a_telling_call_is_noted_although_the_phone_was_just_heard(day: Day, clock: SetClock) -> None:
    phone = day.enrol()
    phone.call("GET", "/phone/v1/ops/state", query="newest=7")
    assert contact(day).newest_seq == 7
    phone.call("GET", "/phone/v1/ops/state", query="newest=8")
    assert contact(day).newest_seq == 7
    clock.advance(timedelta(minutes=1))
    phone.call("GET", "/phone/v1/ops/state", query="newest=8")
    assert contact(day).newest_seq == 8


@pytest.mark.parametrize("newest", ["", "-1", "x", "1" * 16, "%D9%A1"])
def test_what_is_no_number_is_refused(day: Day, newest: str) -> None:
    answer = day.enrol().call("GET", "/phone/v1/ops/state", query=f"newest={newest}")
    assert (answer.status_code, answer.json["at"]) == (400, "newest")


def test_an_unsigned_call_notes_nobody(day: Day, clock: SetClock) -> None:
    phone = day.enrol()
    heard = contact(day).heard_at
    clock.advance(timedelta(hours=1))
    headers = phone.signature_headers("GET", "/phone/v1/ops/state", "", {}, anchored=True)
    assert phone.client.get("/phone/v1/ops/state?newest=9", headers=headers).status_code == 401
    assert contact(day).heard_at == heard


@pytest.mark.parametrize(("off_s", "shown_s", "off"), [(0, 0, False), (-400, -400, True), (10**12, 316_224_000, True)])
def test_a_wrong_clock_is_told(day: Day, clock: SetClock, off_s: int, shown_s: int, off: bool) -> None:
    phone = day.enrol()
    clock.advance(timedelta(minutes=2))
    phone.call("GET", "/phone/v1/feed", created=int(clock.now().timestamp()) + off_s)
    found = health_of(day)
    assert (found.clock_ahead_s, found.clock_off) == (shown_s, off)


def test_silence_follows_the_agents_shifts_and_the_agencys_policy(day: Day, clock: SetClock) -> None:
    day.enrol()
    clock.advance(timedelta(hours=23))
    assert not health_of(day).silent
    clock.advance(timedelta(hours=1))
    assert health_of(day).silent  # Thursday
    with transaction(day.agency) as session:
        session.get_one(Agency, day.agency).policy = {"silent_after_hours": 48}
    assert not health_of(day).silent
    clock.advance(timedelta(hours=24))
    assert health_of(day).silent
    with transaction(day.agency) as session:
        session.query(Shift).filter(Shift.agent_id == day.agent).delete()
        agent = session.get_one(Agent, (day.agency, day.agent))
        session.add(a_shift(agent, weekday=0))
    assert not health_of(day).silent, "who works on Mondays alone says nothing on Thursdays"


def test_what_waits_here_is_counted_by_phone(day: Day, clock: SetClock) -> None:
    phone = day.enrol()
    came_at = clock.now()
    with transaction(day.agency) as session:
        session.get_one(Visit, {"agency_id": day.agency, "id": day.visits[1]}).state = "withdrawn"
    phone.push(
        phone.operation("telepathy", {}, visit=day.visits[0], av=1),
        phone.operation("arrived", {"position": None}, visit=day.visits[0], av=1, deps=(new_id(),)),
        phone.operation("arrived", {"position": None}, visit=day.visits[1], av=1),
        {"ct": "no operation"},
    )
    found = health_of(day)
    assert (found.unapplied, found.oldest_unapplied_at) == (3, came_at)
    day.work()
    clock.advance(timedelta(minutes=1))
    phone.push(phone.operation("note", {"text": "x"}, visit=day.visits[1], av=1))
    with transaction(day.agency) as session:
        session.query(Change).delete()
        session.add(Change(agent_id=day.agent, kind="visit", ref=day.visits[0], created_at=came_at))
    found = health_of(day)
    assert (found.unapplied, found.oldest_unapplied_at) == (1, clock.now())
    assert (found.quarantined, found.held, found.late) == (2, 1, 1)
    assert (found.unpublished, found.oldest_unpublished_at) == (1, came_at)
    total = overview([found, replace(found, device_id=new_id())])
    assert (total.devices, total.unapplied, total.unpublished) == (2, 2, 1), "two phones of one agent wait for one"


def test_more_phones_take_no_more_statements(day: Day) -> None:
    day.enrol()
    with transaction(day.agency) as session, statements() as one:
        all_healths(session, now=day.clock.now())
    for _ in range(3):
        day.enrol()
    with transaction(day.agency) as session, statements() as many:
        assert len(all_healths(session, now=day.clock.now())) == 4
    assert len(one) == len(many)


def test_a_hundred_thousand_operations_are_not_read_for_it(day: Day, database: Server) -> None:
    phone = day.enrol()
    with transaction(day.agency) as session:
        fill_inbox(session, phone, 100_000)
        parameters = {"agency": day.agency, "devices": [phone.device], "since": day.clock.now()}
        parameters |= {"firsts": [99_900], "lasts": [100_010]}
        for statement, indexes in ((KEPT, ("received", "held", "late", "quarantined")), (HERE, ("seq",))):
            plan = "\n".join(session.scalars(text(f"EXPLAIN {statement.text}"), parameters))
            assert "Seq Scan on inbox" not in plan, plan
            assert all(f"ix_inbox_{name}" in plan for name in indexes), plan


def fill_inbox(session: Any, phone: Phone, number: int) -> None:
    session.execute(
        text(
            "INSERT INTO mailbox.inbox (agency_id, device_id, op_id, seq, protected, ct, sig, link, receipt,"
            " receipt_sig, received_at, state, logged) SELECT :agency, :device, gen_random_uuid(), n, decode(repeat('00', 500), 'hex'), '', '', '',"
            " '', '', now(), CASE n % 1000 WHEN 1 THEN 'received' WHEN 2 THEN 'held' WHEN 3 THEN 'late'"
            " WHEN 4 THEN 'quarantined' ELSE 'applied' END, true FROM generate_series(1, :number) n"
        ),
        {"agency": phone.agency, "device": phone.device, "number": number},
    )
    session.execute(text("ANALYZE mailbox.inbox"))


def a_shift(agent: Agent, weekday: int) -> Shift:
    return Shift(
        agent_id=agent.id, weekday=weekday, starts_at=time(9), ends_at=time(17), start_latitude=19.4,
        start_longitude=-99.1, end_latitude=19.4, end_longitude=-99.1,
    )  # fmt: skip
