"""The door under more than it can do: who is told to come later, when, and who is not."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import uuid4

import pytest
from flask import Flask
from sqlalchemy.exc import TimeoutError as PoolTimeout

import media.door
import sync.door
import sync.door.ops
from field_api.platform.call_rates import FAILED_PER_MINUTE
from field_api.platform.door_gate import _ANSWERS
from field_api.platform.overload import SLOTS, Lanes, Load
from tests.door_client import Phone

pytest_plugins = ["tests.door_fixtures"]


@contextmanager
def full(door: Flask, *loads: Load) -> Iterator[Lanes]:
    """All slots of these kinds taken."""
    lanes: Lanes = door.extensions["doorstep.lanes"]
    for load in loads:
        for _ in range(SLOTS[load]):
            assert lanes.enter(load) is None
    try:
        yield lanes
    finally:
        for load in loads:
            for _ in range(SLOTS[load]):
                lanes.leave(load, 0.01)


def retry_after(response: object) -> int:
    return int(response.headers["Retry-After"])  # type: ignore[attr-defined]


def test_operations_get_through_while_everything_else_is_full(door: Flask, phone: Phone) -> None:
    with full(door, Load.PULLS, Load.SNAPSHOTS, Load.PHOTOS):
        for method, path in (
            ("GET", "/phone/v1/feed"),
            ("GET", "/phone/v1/feed/snapshot"),
            ("POST", "/phone/v1/photos"),
        ):
            refused = phone.call(method, path, headers={"Tus-Resumable": "1.0.0"} if method == "POST" else None)
            assert (refused.status_code, refused.json["code"]) == (503, "unavailable")
            assert 1 <= retry_after(refused) <= 30
        assert phone.push(phone.operation("note", {"text": "x"}))[0]["status"] == "received"
        assert phone.call("GET", "/phone/v1/ops/state").json["contiguous"] == 1
        assert phone.call("POST", "/phone/v1/anchors").status_code == 200
    assert phone.call("GET", "/phone/v1/feed").status_code == 200


def test_a_refused_operation_is_not_taken_and_a_later_one_is(door: Flask, phone: Phone) -> None:
    operation = phone.operation("note", {"text": "x"})
    with full(door, Load.OPS):
        assert phone.call("POST", "/phone/v1/ops", b"{}").status_code == 503
        assert phone.call("GET", "/phone/v1/feed").status_code == 200
        assert door.test_client().get("/healthz").status_code == 200
    assert phone.push(operation)[0]["status"] == "received"


def test_every_slot_is_given_back_whatever_the_call_ended_with(door: Flask, phone: Phone) -> None:
    lanes: Lanes = door.extensions["doorstep.lanes"]
    phone.call("POST", "/phone/v1/ops", b"no json")
    phone.call("GET", "/phone/v1/feed", query="limit=0")
    phone.call("GET", "/phone/v1/log/checkpoint")
    door.test_client().get("/phone/v1/feed")
    door.test_client().get("/nowhere")
    assert {load: lanes.in_hand(load) for load in SLOTS} == dict.fromkeys(SLOTS, 0)


def test_every_phone_route_names_its_slots() -> None:
    of = {
        name.partition(" ")[2].removeprefix("/phone/v1/").partition("/")[0]: way.load for name, way in _ANSWERS.items()
    }
    assert {name: of[name] for name in ("ops", "photos", "log", "anchors", "enrolments", "devices")} == {
        "ops": Load.OPS, "photos": Load.PHOTOS, "log": Load.PULLS, "anchors": Load.SMALL, "enrolments": Load.SMALL,
        "devices": Load.SMALL,
    }  # fmt: skip
    assert _ANSWERS["GET /phone/v1/feed/snapshot"].load is Load.SNAPSHOTS
    assert _ANSWERS["GET /phone/v1/feed"].load is Load.PULLS


def test_a_device_that_calls_too_often_is_told_when_and_another_one_is_served(
    door: Flask, phone: Phone, monkeypatch: pytest.MonkeyPatch
) -> None:
    unsigned = {"Signature-Input": f'doorstep=();keyid="{phone.agency}/{phone.device}"', "Signature": "x"}
    refused = [
        door.test_client().get("/phone/v1/feed", headers=unsigned).status_code for _ in range(FAILED_PER_MINUTE + 5)
    ]
    assert refused == [401] * FAILED_PER_MINUTE + [429] * 5, "wrong signatures have a limit of their own"
    answer = door.test_client().get("/phone/v1/feed", headers=unsigned)
    assert answer.json["code"] == "rate-limited" and 1 <= retry_after(answer) <= 75
    stranger = {**unsigned, "Signature-Input": unsigned["Signature-Input"].replace(str(phone.device), str(uuid4()))}
    assert door.test_client().get("/phone/v1/feed", headers=stranger).status_code == 401


@pytest.fixture
def few_calls(monkeypatch: pytest.MonkeyPatch) -> int:
    """Before the door is made: the same limits, small enough to meet."""
    for package in (sync.door, media.door):
        monkeypatch.setattr(package, "CALLS_PER_MINUTE", 3)
    return 3


def test_calls_of_one_device_are_bounded_of_photographs_too(few_calls: int, door: Flask, phone: Phone) -> None:
    for method, path in (("GET", "/phone/v1/feed"), ("POST", "/phone/v1/photos")):
        seen = [phone.call(method, path).status_code for _ in range(few_calls + 2)]
        assert 429 not in seen[:few_calls] and seen[few_calls:] == [429, 429]


def test_a_database_without_a_free_connection_is_later_not_an_error(
    door: Flask, phone: Phone, monkeypatch: pytest.MonkeyPatch
) -> None:
    def none_free(*_: object) -> None:
        raise PoolTimeout("QueuePool limit")

    monkeypatch.setattr(sync.door.ops.Receiver, "receive", none_free)
    refused = phone.call("POST", "/phone/v1/ops", b'{"ops": [{}]}')
    assert (refused.status_code, refused.json["code"]) == (503, "unavailable")
    assert 2 <= retry_after(refused) <= 6
