"""The reference phone against the real door and the real office, over HTTP."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from phone_day_world import PASSPHRASE, RIGHT, WRONG, PhoneDay
from sqlalchemy import select, update

from doorstep.phone_day.network import RoughNetwork
from field_api.platform.clock import SystemClock
from field_api.platform.wiring import office_keys
from media.office.records import Photo
from media.records import Upload
from sync.office.devices import revoke_device
from sync.phone import NotAllowed, Phone, Revoked, ShiftedClock
from tests.pictures import encoded


def _a_visit(day: PhoneDay, phone: Phone, number: int = 0) -> None:
    """A located client who promises to pay, and a letter handed over."""
    visit, person = day.visits[number], day.people[number]
    phone.session()
    phone.arrive(visit, {"lat": 19.4326, "lon": -99.1332, "accuracy_m": 9.0})
    phone.encounter(visit, "claims_to_be_sought")
    assert phone.check_identity(visit, person, RIGHT).passed
    phone.encounter(visit, "sought")
    phone.opened(visit, person)
    promise = {
        "result": "promise",
        "kind": "partial",
        "amount": {"minor": 50_000, "currency": "MXN"},
        "due_on": "2030-01-15",
    }
    phone.record_outcome(visit, "client_located", {"results": [promise]})
    phone.letter(visit, "not_delivered", reason="not_carried")


def test_a_visit_goes_up_and_its_verdicts_come_down(day: PhoneDay, phone: Phone) -> None:
    assert [stop.visit for stop in phone.today()] == day.visits
    assert phone.today()[0].open["name"].startswith("Persona Inventada")
    assert phone.routes()[0]["visits"] == 2 or phone.routes()
    _a_visit(day, phone)
    pushed = phone.push()
    assert pushed.received == pushed.sent == 8
    day.work()
    phone.pull()
    assert day.inbox() == [(seq, "applied", None) for seq in range(1, 9)]
    assert phone.status()["verdicts"] == {"applied": 8}
    assert day.visit_state(day.visits[0]) == "done"
    assert day.events(day.visits[0])["outcome"] == 1


def test_the_brief_that_answers_open_is_the_offices(day: PhoneDay, phone: Phone) -> None:
    visit = day.visits[0]
    phone.encounter(visit, "claims_to_be_sought")
    assert not phone.check_identity(visit, day.people[0], WRONG).passed
    brief = phone.check_identity(visit, day.people[0], RIGHT).brief
    assert brief is not None
    assert brief.contents["creditor"]["name"] == "Mueblería Ficticia MX"
    assert [account["balance_minor"] for account in brief.contents["accounts"]] == [250_000]


def test_the_code_that_a_dispatcher_tells_opens_it_too(day: PhoneDay, phone: Phone) -> None:
    visit = day.visits[1]
    phone.encounter(visit, "claims_to_be_sought")
    assert phone.check_identity(visit, day.people[1], code=day.unlock_code(visit).lower()).brief is not None
    with pytest.raises(NotAllowed):
        phone.check_identity(day.visits[0], day.people[0], code=day.unlock_code(visit))


def test_an_answer_lost_after_the_commit_leaves_one_operation(day: PhoneDay, phone: Phone) -> None:
    network = RoughNetwork()
    phone.door.transport = network
    _a_visit(day, phone)
    network.lose_answers = 2
    assert phone.push().received == 8
    day.work()
    phone.pull()
    assert network.lost == 2 and phone.status()["sent_again"] == 16
    assert [state for _, state, _ in day.inbox()] == ["applied"] * 8
    assert day.events(day.visits[0])["outcome"] == 1
    network.close()


def test_a_batch_that_arrives_three_times_is_one_batch(day: PhoneDay, phone: Phone) -> None:
    network = RoughNetwork()
    phone.door.transport = network
    network.repeat = 2
    _a_visit(day, phone)
    assert phone.push(batch=3).received == 8
    assert network.repeated == 6
    day.work()
    phone.pull()
    assert phone.status()["verdicts"] == {"applied": 8} and len(day.inbox()) == 8
    network.close()


def test_a_phone_that_believes_in_1970_works_all_day(day: PhoneDay) -> None:
    with day.enrol(clock=ShiftedClock.showing(datetime(1970, 1, 1, tzinfo=UTC))) as phone:
        day.work()
        phone.pull()
        _a_visit(day, phone)
        assert phone.push().received == 8
        day.work()
        phone.pull()
        assert phone.status()["verdicts"] == {"applied": 8}
        assert {flag for verdict in phone.verdicts() for flag in verdict["flags"]} >= {"clock-wrong"}


def test_without_any_anchor_a_clock_years_ahead_is_refused_by_the_certificates(day: PhoneDay) -> None:
    from sync.phone import Untrusted

    with pytest.raises(Untrusted, match="certificate"):
        day.enrol(clock=ShiftedClock(timedelta(days=365 * 40)))


def _photograph(day: PhoneDay, phone: Phone, side: int = 800) -> None:
    import random

    from PIL import Image

    noise = Image.frombytes("RGB", (side, side), random.Random(5).randbytes(side * side * 3))
    picture = encoded(noise, "JPEG", quality=90)
    assert len(picture) > 2 * 262_144, "it takes several PATCHes"
    visit = day.visits[0]
    phone.encounter(visit, "relative")
    phone.photo_permission(visit, True, "relative", ["facade"])
    phone.photo(visit, picture, "facade", position={"lat": 19.4, "lon": -99.1})


def _photo_states(day: PhoneDay) -> list[str]:
    states: list[str] = []
    day.change(lambda session: states.extend(session.scalars(select(Photo.state))))
    return states


def test_a_photograph_is_uploaded_and_developed(day: PhoneDay, phone: Phone) -> None:
    _photograph(day, phone)
    phone.push()
    assert phone.upload_photos().complete == 1
    day.work()
    assert _photo_states(day) == ["developed"]


def test_a_photograph_that_the_door_has_forgotten_is_brought_again(day: PhoneDay, phone: Phone) -> None:
    """`HEAD` says so without a body: no code tells the phone that it is not there, nor that its anchor is stale."""
    _photograph(day, phone)
    assert phone.upload_photos().complete == 1
    day.change(lambda session: session.execute(update(Upload).values(state="forgotten")))
    phone.handset.store.put("state", "epoch", 0)  # the door was restored since
    phone.handset.nonce = "stale"
    assert phone.upload_photos().complete == 1


@pytest.mark.parametrize("place", ["send.half", "upload.sent"])
def test_killed_in_mid_upload_the_photograph_still_arrives_whole(day: PhoneDay, place: str) -> None:
    with day.enrol() as phone:
        day.work()
        phone.pull()
        _photograph(day, phone)
        phone.push()
    steps: list[dict[str, Any]] = [{"do": "kill", "at": place, "times": 1}, {"do": "upload"}, {"do": "status"}]
    assert day.day(*steps)[0] == -9
    status, lines = day.day(*steps)
    assert status == 0 and lines[0]["step"] == 1
    assert lines[-1]["summary"]["photos"] == {"complete": 1}
    day.work()
    assert _photo_states(day) == ["developed"]


@pytest.mark.parametrize("place", ["push.answered", "pull.page", "op.stored"])
def test_killed_anywhere_in_a_day_every_operation_is_applied_once(day: PhoneDay, place: str) -> None:
    day.enrol().close()
    day.work()
    steps: list[dict[str, Any]] = [
        {"do": "pull"},
        {"do": "kill", "at": place, "times": 2 if place == "op.stored" else 1},
        {"do": "arrive", "visit": 0},
        {"do": "encounter", "visit": 0, "relation": "claims_to_be_sought"},
        {"do": "check", "visit": 0, "answers": RIGHT, "expect": {"passed": True}},
        {"do": "outcome", "visit": 0, "outcome": "client_located", "results": [{"result": "refusal"}]},
        {"do": "photo", "visit": 0, "file": "none.jpg", "subject": "facade", "refused": "no-permission"},
        {"do": "push", "batch": 2},
        {"do": "settle", "timeout_s": 20},
    ]
    (day.folder / "none.jpg").write_bytes(b"\xff\xd8\xff")
    assert day.day(*steps)[0] == -9
    status, lines = day.day(*steps)
    summary = lines[-1]["summary"]
    assert status == 0 and summary["ops_recorded"] == 4 and summary["verdicts"] == {"applied": 4}
    assert summary["recorded"] == {"arrived": 1, "encounter": 1, "identity_check": 1, "outcome": 1}
    assert [state for _, state, _ in day.inbox()] == ["applied"] * 4
    assert day.events(day.visits[0])["outcome"] == 1


def test_a_phone_whose_cursor_does_not_fit_takes_a_snapshot(day: PhoneDay, phone: Phone) -> None:
    phone.note(day.visits[0], "kept through the resync")
    cursor = phone.handset.store.get("state", "cursor")
    phone.handset.store.put("state", "cursor", {**cursor, "roll": "A" * 43})
    assert phone.pull().snapshots == 1
    assert [stop.visit for stop in phone.today()] == day.visits
    assert len(phone.queue()) == 1 and phone.push().received == 1
    phone.encounter(day.visits[0], "claims_to_be_sought")
    assert phone.check_identity(day.visits[0], day.people[0], RIGHT).passed


def test_a_revoked_phone_is_wiped_and_its_old_queue_still_taken(day: PhoneDay, phone: Phone) -> None:
    phone.note(day.visits[0], "recorded before the loss")
    device = UUID(phone.handset.device)
    now = SystemClock().now()
    day.change(lambda session: revoke_device(session, office_keys().of(day.agency), device, "lost", now=now))
    with pytest.raises(Revoked) as refused:
        phone.pull()
    assert refused.value.wiped and phone.is_wiped and phone.today() == []
    assert phone.push().sent == 1
    day.work()
    assert [(state, bool(reason)) for _, state, reason in day.inbox()] == [("quarantined", True)]


def test_the_command_line_does_a_visit_in_short_processes(day: PhoneDay) -> None:
    import json

    made = day.run("enrol", "--code-file", "-", stdin=day.code_line() + "\n")
    assert made.returncode == 0, made.stderr
    with day.open() as enrolled:
        enrolled.change_passphrase(PASSPHRASE, scrypt_cost=2**4)  # a dozen processes follow
    day.work()
    assert json.loads(day.run("pull").stdout)["items"] >= 3
    assert day.run("today").stdout.count("Persona Inventada") == 2
    visit = day.visits[0]
    assert "CT-" not in day.run("open", visit).stdout
    for arguments in (("arrive", visit), ("encounter", visit, "claims_to_be_sought")):
        assert day.run("record", *arguments).returncode == 0
    wrong = day.run("check", visit, stdin=json.dumps({"answers": WRONG}))
    assert wrong.returncode == 2 and json.loads(wrong.stdout) | {"op": 0} == {
        "passed": False,
        "tries_left": 4,
        "op": 0,
        "brief": None,
    }
    right = day.run("check", visit, stdin=json.dumps({"answers": RIGHT}))
    assert right.returncode == 0 and json.loads(right.stdout)["brief"]["accounts"]
    refused = day.run("record", "outcome", visit, "no_such")
    assert refused.returncode == 1 and "unknown-word" in refused.stderr
    assert (
        day.run("record", "outcome", visit, "client_located", "--set", 'results=[{"result": "refusal"}]').returncode
        == 0
    )
    assert len(day.run("queue").stdout.splitlines()) == 5
    assert json.loads(day.run("push").stdout)["received"] == 5
    day.work()
    day.run("pull")
    assert json.loads(day.run("status").stdout)["verdicts"] == {"applied": 5}
    other = day.folder / "wrong"
    other.write_text("another\n")
    denied = day.run("status", "--passphrase-file", str(other))
    assert denied.returncode == 1 and "wrong-passphrase" in denied.stderr
