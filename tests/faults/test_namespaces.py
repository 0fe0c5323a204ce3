"""A network that goes without a word: cable pulled in the middle of a push, address changed under an open connection."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator
from multiprocessing.process import BaseProcess
from pathlib import Path

import pytest
from fault_house import furnished_house
from fault_world import PASSPHRASE, House
from phone_lives import push_from
from processes import PATIENCE_S, killed, start, until
from wire import DOOR, Wire, call_it, why_not

from doorstep.server import Server

pytestmark = pytest.mark.xdist_group("faults")
OPS = 60
SILENT_S = 0.4


@pytest.fixture
def wire() -> Iterator[Wire]:
    missing = why_not()
    if missing:
        pytest.skip(missing)
    with Wire() as wire:
        yield wire


@pytest.fixture
def far_house(database: Server, tmp_path: Path, wire: Wire, monkeypatch: pytest.MonkeyPatch) -> Iterator[House]:
    """A phone that is enrolled and has a day's operations to send; its way to the door is the wire."""
    monkeypatch.setattr(socket, "getaddrinfo", socket.getaddrinfo)  # put back afterwards
    call_it(DOOR, wire.door)
    with furnished_house(database, tmp_path, wire.door, DOOR) as house:
        with house.enrol() as phone:
            for number in range(OPS):
                phone.note(house.visits[number % 3], f"nota {number}")
        yield house


def pushing(house: House, wire: Wire) -> BaseProcess:
    return start(push_from, wire.name, wire.door, house.folder / "phone", PASSPHRASE)


def spoiled(house: House, child: BaseProcess, spoil: Callable[[], None], times: int) -> int:
    """Spoil the network again and again while the phone is at it. How often it was in the middle of its work."""
    hit = 0
    for _ in range(times):
        before = len(house.proxy.exchanges)
        until(lambda before=before: len(house.proxy.exchanges) > before + 3 or not child.is_alive())
        spoil()
        hit += child.is_alive()
    child.join(PATIENCE_S)
    if child.is_alive():
        killed(child)
    return hit


def all_came_once(house: House) -> None:
    house.work()
    inbox = house.inbox()
    assert sorted(seq for seq, _ in inbox.values()) == list(range(1, OPS + 1))
    assert {state for _, state in inbox.values()} == {"applied"}
    assert set(house.effects().values()) == {1}


def test_a_cable_that_is_pulled_and_plugged_in_again_loses_and_doubles_nothing(far_house: House, wire: Wire) -> None:
    def flap() -> None:
        wire.pull_the_cable()
        time.sleep(SILENT_S)
        wire.plug_it_in()

    child = pushing(far_house, wire)
    assert spoiled(far_house, child, flap, times=4) >= 3
    assert child.exitcode == 0
    all_came_once(far_house)


def test_a_phone_whose_address_changes_goes_on_from_where_it_was(far_house: House, wire: Wire) -> None:
    child = pushing(far_house, wire)
    assert spoiled(far_house, child, wire.change_address, times=3) >= 2
    assert child.exitcode == 0
    all_came_once(far_house)


def test_without_a_network_everything_stays_on_the_phone(far_house: House, wire: Wire) -> None:
    wire.pull_the_cable()
    child = pushing(far_house, wire)
    time.sleep(SILENT_S)
    killed(child)
    with far_house.open() as phone:
        assert len(phone.queue()) == OPS
    assert far_house.inbox() == {}
    wire.plug_it_in()
    child = pushing(far_house, wire)
    child.join(PATIENCE_S)
    assert child.exitcode == 0
    all_came_once(far_house)
