"""Poison never blocks: whatever an operation does to the worker, the next 49 apply, and other phones do not wait."""

from __future__ import annotations

import json
import time
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import pytest
from flask import Flask
from poisonous_worker import POISONS, poisonous_work
from processes import killed, start
from sqlalchemy import select

import tests.door_client
from field_api.platform.database import transaction
from field_api.platform.settings import Settings
from sync.mailbox import InboxOp, QuarantinedBytes
from sync.records import ApplyTurn
from tests.door_client import Phone
from tests.door_world import enrolled
from tests.sync_day import Day

pytest_plugins = ["tests.door_fixtures"]
pytestmark = pytest.mark.xdist_group("faults")
PATIENCE_S = 120.0
AFTER_IT = 49
REASONS = {
    "raise": "crashed:ZeroDivisionError",
    "recurse": "crashed:RecursionError",
    "exit": "crashed-worker",
    "kill": "crashed-worker",
    "memory": "crashed:MemoryError",
    "time out": "crashed:OperationalError",
    "backend": "crashed:OperationalError",
}
"""Poison -> the reason with which it ends in quarantine."""


@dataclass
class Workers:
    """As the supervisor does it: whichever dies is started again. `deaths` counts."""

    settings: Settings
    deaths: int = 0

    def until(self, done: Any) -> None:
        worker = start(poisonous_work, self.settings)
        deadline = time.monotonic() + PATIENCE_S
        try:
            while not done():
                assert time.monotonic() < deadline, "not in time"
                worker.join(0.05)
                if not worker.is_alive():
                    self.deaths += 1
                    worker = start(poisonous_work, self.settings)
        finally:
            killed(worker)


@pytest.fixture
def workers(settings: Settings) -> Iterator[Workers]:
    yield Workers(settings)


def states(day: Day, phone: Phone) -> list[tuple[str, str | None]]:
    with transaction(day.agency) as session:
        query = select(InboxOp.state, InboxOp.reason).where(InboxOp.device_id == phone.device).order_by(InboxOp.seq)
        return [tuple(row) for row in session.execute(query)]


def of_visit(day: Day, phone: Phone, words: str) -> dict[str, str]:
    return phone.operation("note", {"words": words}, visit=day.visits[0], av=1)


def test_every_poison_has_a_reason() -> None:
    assert set(REASONS) == set(POISONS)


def test_the_next_forty_nine_apply_and_no_other_phone_waits(
    app: Flask, agency: UUID, door: Flask, day: Day, workers: Workers
) -> None:
    """Seven phones with one poison each in front, and one without any, all at once; the workers die and come back."""
    healthy = day.enrol()
    phones = {poison: _of_same_agent(day, door) for poison in POISONS}
    for poison, phone in phones.items():
        phone.push(of_visit(day, phone, poison), *[of_visit(day, phone, "ok") for _ in range(AFTER_IT)])
    healthy.push(*[of_visit(day, healthy, "ok") for _ in range(AFTER_IT)])
    all_phones = [*phones.values(), healthy]
    workers.until(lambda: all(state != "received" for phone in all_phones for state, _ in states(day, phone)))
    for poison, phone in phones.items():
        assert states(day, phone) == [("quarantined", REASONS[poison])] + [("applied", None)] * AFTER_IT, poison
    assert states(day, healthy) == [("applied", None)] * AFTER_IT
    killers = sum(reason == "crashed-worker" for reason in REASONS.values())
    assert workers.deaths == killers * 3, "once with others, twice alone, and never again"
    with transaction(agency) as session:
        assert session.scalars(select(ApplyTurn)).all() == []
        incidents = session.scalars(select(InboxOp.incident).where(InboxOp.state == "quarantined")).all()
    assert all(incidents) and len(incidents) == len(POISONS)


def _of_same_agent(day: Day, door: Flask) -> Phone:
    phone = enrolled(door, day.agency, day.clock, day.agent)
    return phone


def sealed(phone: Phone, day: Day, packed: bytes, size: int = 512) -> dict[str, str]:
    """A well-signed operation whose sealed part is these bytes."""
    real = tests.door_client.packed
    try:
        tests.door_client.packed = lambda _value, _size: packed.ljust(size, b"\x00")
        return phone.operation("note", {}, visit=day.visits[0], av=1, size=size)
    finally:
        tests.door_client.packed = real


def squeezed(data: bytes) -> bytes:
    body = zlib.compress(data, 9)
    return len(body).to_bytes(4, "big") + body


INSIDE = {
    "deep": (b'{"kind":"note","body":' + b"[" * 5_000 + b"]" * 5_000 + b"}", "cannot-unpack"),
    "NaN": (b'{"kind":"note","body":{"words":NaN}}', "cannot-unpack"),
    "twice": (b'{"kind":"note","body":{"words":"a","words":"b"}}', "cannot-unpack"),
    "number": (b'{"kind":"note","body":{"words":"a","n":' + b"9" * 400 + b"}}", "cannot-unpack"),
    "half a pair": (b'{"kind":"note","body":{"words":"\\ud800"}}', "cannot-unpack"),
    "NUL": (b'{"kind":"note","body":{"words":"\\u0000"}}', "cannot-unpack"),
    "bomb": (b'{"kind":"note","body":{"words":"' + b"a" * 10_000_000 + b'"}}', "cannot-unpack"),
    "large": (b'{"kind":"note","body":{"words":"' + b"a" * 200_000 + b'"}}', "too-large"),
    "no object": (b'["note"]', "invalid-body"),
    "no text": (b'{"kind":["note"],"body":{}}', "unknown-kind"),
}


@pytest.mark.parametrize("case", sorted(INSIDE))
def test_what_is_sealed_may_be_anything(day: Day, case: str) -> None:
    """Ten megabytes of one letter, a bomb, depth, what no JSON is: quarantined with a reason, the next ones apply."""
    phone = day.enrol()
    data, reason = INSIDE[case]
    size = 16_384 if len(squeezed(data)) > 508 else 512
    phone.push(sealed(phone, day, squeezed(data), size), *[of_visit(day, phone, "ok") for _ in range(3)])
    day.work()
    assert states(day, phone) == [("quarantined", reason)] + [("applied", None)] * 3


@pytest.mark.parametrize(
    "element",
    [
        b"[" * 25 + b"]" * 25, b"7", b"null", b'"x"', b'{"protected":"' + b"A" * 9_000 + b'","ct":"AA","sig":"AA"}',
        b'{"protected":"\\ud800"}'.replace(b"\\ud800", b"=="), b"{}",
    ],
)  # fmt: skip
def test_an_element_may_be_anything_and_its_neighbours_are_taken(day: Day, element: bytes) -> None:
    phone = day.enrol()
    good = json.dumps(of_visit(day, phone, "ok")).encode()
    answer = phone.call("POST", "/phone/v1/ops", b'{"ops":[' + element + b"," + good + b"]}")
    assert answer.status_code == 200, answer.text
    day.work()
    assert states(day, phone) == [("applied", None)]
    with transaction(day.agency) as session:
        assert len(session.scalars(select(QuarantinedBytes.raw)).all()) == 1


@pytest.mark.parametrize(
    "body", [b" " * 10_000_000, b'{"ops":[NaN]}', b'{"ops":[],"ops":[]}', b'{"ops":[' + b"9" * 400 + b"]}"]
)
def test_a_call_that_is_no_call_is_refused_whole_and_the_next_one_is_taken(day: Day, body: bytes) -> None:
    phone = day.enrol()
    assert phone.call("POST", "/phone/v1/ops", body).json["code"] in {"too-large", "invalid-json"}
    phone.push(of_visit(day, phone, "ok"))
    day.work()
    assert states(day, phone) == [("applied", None)]


def test_a_header_may_hold_anything_that_is_signed(day: Day) -> None:
    """What its own device signed is kept, whatever it claims; the office says what was wrong."""
    phone = day.enrol()
    headers: list[dict[str, Any]] = [
        {"av": 1.5}, {"visit": 7}, {"deps": ["x"] * 3}, {"deps": [str(uuid4())] * 17}, {"key": None}, {"prev": 7},
    ]  # fmt: skip
    for change in headers:
        phone.push(phone.operation("note", {"words": "x"}, **({"visit": None, "av": 1} | change)))
    phone.push(of_visit(day, phone, "ok"))
    day.work()
    assert [state for state, _ in states(day, phone)] == ["quarantined"] * len(headers) + ["applied"]
    assert {reason for _, reason in states(day, phone)} == {"invalid-header", None}
