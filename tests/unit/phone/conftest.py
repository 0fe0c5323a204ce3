"""A phone of the small office, enrolled and with three visits on its sheet."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from phone_world import World
from small_door import SmallDoor
from small_office import SmallOffice

from sync.phone import Phone


@pytest.fixture
def world(tmp_path: Path) -> World:
    office = SmallOffice()
    visits = [str(uuid4()) for _ in range(3)]
    return World(office, SmallDoor(office), tmp_path / "phone", str(uuid4()), visits, [])


@pytest.fixture
def enrolled(world: World) -> Iterator[Phone]:
    with world.enrol() as phone:
        yield phone


@pytest.fixture
def phone(world: World, enrolled: Phone) -> Phone:
    """Enrolled, with the sheet pulled."""
    for number in (2, 0, 1):
        world.publish(number)
    enrolled.pull()
    return enrolled


@pytest.fixture
def at_the_door(world: World, phone: Phone) -> Callable[[], str]:
    """Arrived at the first visit; somebody says to be the one sought. Returns the visit's id."""

    def arrive() -> str:
        visit = world.visits[0]
        phone.arrive(visit, {"lat": 20.67, "lon": -103.34})
        phone.encounter(visit, "claims_to_be_sought")
        return visit

    return arrive
