"""Before or after the contact hours, or a second time: the phone says so and records all the same."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from phone_world import World
from small_office import text

from sync.phone import Phone, ShiftedClock
from sync.phone.contact_hours import AFTER, AGAIN, BEFORE


def with_hours(world: World, number: int, begins: datetime | None, ends: datetime) -> None:
    """The visit again, as an office publishes it whose hours are these."""
    visit = world.visits[number]
    body: dict[str, Any] = world.office.visit_body(visit, world.person)
    body["stop"] |= {"visit_from": begins and text(begins), "visit_until": text(ends)}
    if begins is None:
        del body["stop"]["visit_from"]
    world.office.publish("visit", visit, 9, body)


@pytest.mark.parametrize(("begins_in", "ends_in", "told"), [
    (-60, 60, ()), (5, 60, (BEFORE,)), (-60, -5, (AFTER,)), (None, 60, ()), (None, -5, (AFTER,)),
])  # fmt: skip
def test_hours_are_told_and_nothing_is_refused(
    world: World, phone: Phone, begins_in: int | None, ends_in: int, told: tuple[str, ...]
) -> None:
    begins = None if begins_in is None else world.office.now + timedelta(minutes=begins_in)
    with_hours(world, 0, begins, world.office.now + timedelta(minutes=ends_in))
    phone.pull()
    visit = world.visits[0]
    assert phone.against_visit(visit) == told
    assert phone.arrive(visit).hours == told
    assert phone.encounter(visit, "nobody").hours == told
    assert phone.record_outcome(visit, "nobody_there").kind == "outcome"


def test_an_outcome_makes_the_next_arrival_a_second_visit_and_a_skipping_does_not(world: World, phone: Phone) -> None:
    visit = world.visits[0]
    phone.record_outcome(visit, "skipped", {"reason": "weather"})
    assert phone.arrive(visit).hours == ()
    phone.encounter(visit, "nobody")
    phone.record_outcome(visit, "nobody_there")
    assert phone.arrive(visit).hours == (AGAIN,)
    assert phone.arrive(world.visits[1]).hours == ()


def test_the_anchor_and_the_time_since_count_and_not_a_wrong_clock(world: World, phone: Phone) -> None:
    with_hours(world, 0, world.office.now - timedelta(hours=1), world.office.now + timedelta(hours=1))
    phone.pull()
    phone.close()
    with world.open(clock=ShiftedClock(timedelta(days=-9_000))) as wrong:
        assert wrong.arrive(world.visits[0]).hours == ()


def test_a_visit_taken_back_meanwhile_has_no_hours(world: World, phone: Phone) -> None:
    visit = world.visits[0]
    phone.arrive(visit)
    world.office.publish(
        "visit", visit, 9, {"state": "withdrawn", "assignment_version": 2, "stop": None, "open": None, "locks": []}
    )
    phone.pull()
    assert phone.arrive(visit).hours == ()
