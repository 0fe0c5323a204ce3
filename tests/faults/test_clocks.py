"""A phone's clock decides nothing: whatever it shows, all is stored and applied in the phone's order, and flagged."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from fault_world import House
from sqlalchemy import select

from field_api.platform.clock import SystemClock
from field_api.platform.database import transaction
from field_api.queries.visit_story import visit_story
from sync.mailbox import InboxOp
from sync.phone import Patience, Phone

pytest_plugins = ["fault_fixtures"]
pytestmark = pytest.mark.xdist_group("faults")
YEAR = timedelta(days=365)
HOUR = timedelta(hours=1)
NONE = timedelta(0)


@dataclass
class Watch:
    """A phone's clocks as a test sets them: the wall clock, and since when the phone runs."""

    shift: timedelta = NONE
    boots: int = 0
    began: datetime = field(default_factory=lambda: datetime.now(UTC))

    def now(self) -> datetime:
        return datetime.now(UTC) + self.shift

    def mono_ms(self) -> int:
        return int((datetime.now(UTC) - self.began) / timedelta(milliseconds=1))

    def boot(self) -> str:
        return f"00000000-0000-4000-8000-{self.boots:012}"

    def restart(self) -> None:
        self.boots, self.began = self.boots + 1, datetime.now(UTC)

    def show(self, at: datetime) -> None:
        self.shift = at - datetime.now(UTC)


@pytest.fixture
def watch() -> Watch:
    return Watch()


@pytest.fixture
def phone(house: House, watch: Watch) -> Iterator[Phone]:
    with house.enrol(clock=watch) as phone:
        phone.door.patience = Patience(tries=1)
        yield phone


def told(house: House, visit: str) -> list[tuple[str, list[str], datetime]]:
    """The visit's story as a manager reads it: kind, flags about clocks, and when it is said to have happened."""
    with transaction(house.agency) as session:
        events = [event for event in visit_story(session, UUID(visit)).events if event.op_id]
    clocks = ("clock-wrong", "no-anchor", "clock-unreadable")
    return [(event.kind, [flag for flag in event.flags if flag in clocks], event.at) for event in events]


def settled(house: House, phone: Phone) -> None:
    """All was taken and applied in the phone's order, and is told to be."""
    made = phone.status()["ops_recorded"]
    assert phone.push().received > 0
    house.work()
    phone.pull()
    with transaction(house.agency) as session:
        rows = session.execute(select(InboxOp.seq, InboxOp.state).order_by(InboxOp.decided_at, InboxOp.seq)).all()
    assert [tuple(row) for row in rows] == [(seq, "applied") for seq in range(1, made + 1)]
    assert phone.queue() == [] and phone.status()["verdicts"] == {"applied": made}


SHIFTS = {
    "five years ahead": (5 * YEAR, True),
    "five years behind": (-5 * YEAR, True),
    "1970": (datetime(1970, 1, 1, tzinfo=UTC) - datetime.now(UTC), True),
    "summer time by hand": (HOUR, True),
    "winter time by hand": (-HOUR, True),
    "four minutes ahead": (timedelta(minutes=4), False),
    "right": (NONE, False),
}


def test_a_clock_that_is_wrong_by_any_much_is_flagged_and_nothing_more(
    house: House, phone: Phone, watch: Watch
) -> None:
    """Anchor and monotonic clock give the time all the same."""
    began, expected = SystemClock().now(), []
    visit = house.visits[0]
    for shift, wrong in SHIFTS.values():
        watch.shift = shift
        phone.arrive(visit)
        phone.note(visit, "portón azul")
        expected += [("arrived", wrong), ("note", wrong)]
    settled(house, phone)
    story = told(house, visit)
    assert [(kind, flags) for kind, flags, _ in story] == [(kind, ["clock-wrong"] * wrong) for kind, wrong in expected]
    times = [at for _, _, at in story]
    assert times == sorted(times) and began - timedelta(seconds=5) < times[0] <= times[-1] <= SystemClock().now()


def test_calls_are_signed_and_heard_whatever_the_clock_shows(house: House, phone: Phone, watch: Watch) -> None:
    for shift, _ in SHIFTS.values():
        watch.shift = shift
        phone.note(house.visits[1], "sin timbre")
        settled(house, phone)


def test_a_clock_that_jumps_back_between_two_operations(house: House, phone: Phone, watch: Watch) -> None:
    visit = house.visits[0]
    phone.arrive(visit)
    watch.shift = timedelta(days=-3)
    phone.encounter(visit, "nobody")
    watch.shift = timedelta(days=-900)
    outcome = phone.record_outcome(visit, "nobody_there")
    watch.shift = NONE
    phone.correction(outcome.op, "sí había luz")
    settled(house, phone)
    wrong, right = ["clock-wrong"], list[str]()
    assert [(kind, flags) for kind, flags, _ in told(house, visit)] == [
        ("arrived", right), ("encounter", wrong), ("outcome", wrong), ("correction", right)
    ]  # fmt: skip


def test_a_restart_with_a_wrong_clock_keeps_the_phones_order(house: House, phone: Phone, watch: Watch) -> None:
    """After a restart the monotonic clock says nothing of before: what follows may seem to come first."""
    visit = house.visits[0]
    watch.began -= timedelta(minutes=30)  # the anchor is half an hour old when the agent arrives
    phone.arrive(visit)
    watch.restart()
    watch.show(datetime(1970, 1, 1, tzinfo=UTC))
    phone.encounter(visit, "nobody")
    phone.record_outcome(visit, "nobody_there")
    settled(house, phone)
    story = told(house, visit)
    assert [kind for kind, _, _ in story] == ["arrived", "encounter", "outcome"]
    assert [flags for _, flags, _ in story][1:] == [["clock-wrong"]] * 2


def test_a_phone_that_was_never_online_since_it_was_enrolled_in_1970(house: House, watch: Watch) -> None:
    watch.show(datetime(1970, 1, 1, tzinfo=UTC))
    with house.enrol(clock=watch) as phone:
        phone.door.patience = Patience(tries=1)
        watch.restart()
        for visit in house.visits:
            phone.arrive(visit)
        settled(house, phone)
        assert all(told(house, visit)[0][1] == ["clock-wrong"] for visit in house.visits)
