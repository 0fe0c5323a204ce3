"""Phones that all come at once: nothing is lost, and operations pass while photographs and snapshots are held up.

The long form, with figures, is `python -m bench.stampede`.
"""

from __future__ import annotations

import socket
import statistics
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from uuid import UUID, uuid4

import pytest
from flask import Flask
from sqlalchemy import func, select

from bench.stampede_phones import LATER, StampedePhone, all_at_once, by_kind
from bench.sync_phones import BenchPhone
from doorstep.door import door_app
from doorstep.http_server import served_beside
from doorstep.server import Server
from field_api.platform.clock import SystemClock
from field_api.platform.database import db, transaction
from field_api.platform.devices import Device
from field_api.platform.overload import SLOTS, THREADS, Lanes, Load
from field_api.platform.sealing import public_key_of
from field_api.platform.settings import Settings
from field_api.platform.wiring import office_keys
from media.records import COMPLETE, Upload
from sync.mailbox import InboxOp

PHONES, OPS, PHOTO_BYTES = 24, 10, 300_000


@dataclass
class Served:
    url: str
    lanes: Lanes


@pytest.fixture
def served(app: Flask, settings: Settings, database: Server) -> Iterator[Served]:
    """A door with production's threads, its lanes within the test's reach."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    door = door_app(replace(settings, database_url=database.url("door"), door_url=url))
    with served_beside(door, host="127.0.0.1", port=port, threads=THREADS):
        yield Served(url, door.extensions["doorstep.lanes"])
    with door.app_context():
        db.engine.dispose()


def enrolled(agency: UUID) -> list[StampedePhone]:
    sealing = office_keys().of(agency).sealing_certificate.public
    phones = [BenchPhone(str(agency), str(uuid4()), sealing, [str(uuid4())]) for _ in range(PHONES)]
    with transaction(agency) as session:
        session.add_all(
            Device(
                id=UUID(phone.device), agent_id=uuid4(), state="active", signing_public=public_key_of(phone.signing),
                sealing_public=public_key_of(phone.sealing), enrolled_at=SystemClock().now(),
            )
            for phone in phones
        )  # fmt: skip
    return [StampedePhone.recorded(phone, OPS, PHOTO_BYTES) for phone in phones]


def ops_there(agency: UUID) -> int:
    with transaction(agency) as session:
        return session.scalar(select(func.count(func.distinct(InboxOp.op_id)))) or 0


def photos_there(agency: UUID) -> int:
    with transaction(agency) as session:
        return session.scalar(select(func.count()).where(Upload.state == COMPLETE)) or 0


def wait_for(condition: Callable[[], bool]) -> None:
    until = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < until, "did not come to pass"
        time.sleep(0.05)


def test_operations_of_all_phones_pass_while_photographs_are_held_up_and_then_those_follow(
    agency: UUID, served: Served
) -> None:
    phones = enrolled(agency)
    held = [load for load in (Load.PHOTOS, Load.SNAPSHOTS) for _ in range(SLOTS[load])]
    assert [served.lanes.enter(load) for load in held] == [None] * len(held)
    troubles: list[str] = []
    crowd = threading.Thread(target=lambda: troubles.extend(all_at_once(phones, served.url)))
    crowd.start()
    try:
        wait_for(lambda: ops_there(agency) == PHONES * OPS)
        wait_for(lambda: all(any(call[:2] == ("photo", 503) for call in phone.calls) for phone in phones))
        assert photos_there(agency) == 0
    finally:
        for load in held:
            served.lanes.leave(load, 0.05)
        crowd.join()
    assert troubles == []
    assert (ops_there(agency), photos_there(agency)) == (PHONES * OPS, PHONES)
    assert all(phone.receipts == OPS for phone in phones)
    later = {kind: (later, unanswered) for kind, _, later, unanswered in by_kind(phones)}
    assert later["photo"][0] >= PHONES, "each was told to come later at least once"
    assert all(unanswered == 0 for _, unanswered in later.values())
    assert {status for phone in phones for _, status, _ in phone.calls} <= {200, 201, 204, *LATER}
    assert {load: served.lanes.in_hand(load) for load in SLOTS} == dict.fromkeys(SLOTS, 0)
    took = sorted(phone.done_s for phone in phones)
    assert took[-1] <= 3 * statistics.median(took)
