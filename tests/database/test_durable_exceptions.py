"""Spoiled bytes fill their number, so that what comes after them may go; what they stand for stays on the phone."""

from __future__ import annotations

import json
from typing import Any

import pytest
from sqlalchemy import select, update

from field_api.platform.database import transaction
from sync.mailbox import Durable, InboxOp, QuarantinedBytes
from tests.door_client import Phone, b64u, es256_holds, page_of, un64
from tests.sync_day import Day

pytest_plugins = ["tests.door_fixtures"]


@pytest.fixture
def phone(day: Day) -> Phone:
    return day.enrol()


def durable(phone: Phone) -> dict[str, Any]:
    signed = page_of(phone.call("GET", "/phone/v1/feed").data)["durable"]
    statement = un64(signed["statement"])
    es256_holds(phone.office_key, b"doorstep-durable-v1" + statement, un64(signed["sig"]))
    return json.loads(statement)


def test_a_spoiled_operation_holds_back_nothing_and_is_named(day: Day, phone: Phone) -> None:
    batch = [phone.operation("note", {"words": str(n)}, visit=day.visits[0], av=1) for n in range(4)]
    phone.push(batch[0], batch[1] | {"sig": b64u(bytes(64))}, *batch[2:])
    day.work()
    assert phone.call("GET", "/phone/v1/ops/state").json == {"epoch": 1, "contiguous": 4, "ranges": []}
    assert (durable(phone)["durable_seq"], durable(phone)["except"]) == (4, [2])
    phone.push(batch[1])  # the good copy was there after all
    day.work()
    assert durable(phone)["durable_seq"] == 4 and "except" not in durable(phone)


def test_what_only_the_door_calls_well_signed_is_named_as_well(day: Day, phone: Phone) -> None:
    batch = [phone.operation("note", {"words": str(n)}, visit=day.visits[0], av=1) for n in range(2)]
    phone.push(*batch)
    with transaction(day.agency) as session:
        session.execute(update(InboxOp).where(InboxOp.seq == 1).values(sig=bytes(64)))
    day.work()
    assert (durable(phone)["durable_seq"], durable(phone)["except"]) == (2, [1])


def test_bytes_of_another_device_and_numbers_far_away_move_nothing(day: Day, phone: Phone) -> None:
    other = day.enrol()
    phone.push(phone.operation("note", {"words": "x"}, visit=day.visits[0], av=1))
    theirs = [other.operation("note", {"words": "x"}, visit=day.visits[0], av=1) for _ in range(2)]
    far = phone.operation("note", {"words": "x"}, visit=day.visits[0], av=1, seq=1 << 50)
    assert {receipt["status"] for receipt in phone.push(*theirs, far | {"sig": b64u(bytes(64))})} == {"quarantined"}
    day.work()
    state = phone.call("GET", "/phone/v1/ops/state").json
    assert (state["contiguous"], state["ranges"]) == (1, [[1 << 50, 1 << 50]])
    assert durable(phone)["durable_seq"] == 1
    assert other.call("GET", "/phone/v1/ops/state").json["contiguous"] == 0


def test_a_statement_stops_before_it_would_have_to_name_too_many(day: Day, phone: Phone) -> None:
    phone.push(phone.operation("note", {"words": "x"}, visit=day.visits[0], av=1))
    with transaction(day.agency) as session:
        for seq in range(2, 104):
            session.add(
                QuarantinedBytes(
                    device_id=phone.device, sha256=seq.to_bytes(32), raw=b"", status="quarantined", seq=seq,
                    reason="bad-signature", receipt=b"", receipt_sig=b"", received_at=day.clock.now(),
                )
            )  # fmt: skip
    day.work()
    assert durable(phone)["durable_seq"] == 101 and durable(phone)["except"] == list(range(2, 102))
    with transaction(day.agency) as session:
        assert session.scalars(select(Durable.excepted)).one() == list(range(2, 102))
    assert day.work() == 0, "nothing is signed anew that says the same"
