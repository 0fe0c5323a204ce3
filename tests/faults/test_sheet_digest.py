"""A phone's digest is the office's exactly where the two sheets are one, whatever was put on them, taken off and put
back, and whatever the phone's own store lost or brought back. Where they differ the phone takes one snapshot, and then
they are one.

The oracle compares the lines themselves, row by row, and what should be on today's sheet from the turns alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest
from fault_world import House
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from sheet_world import TwoSheets, two_sheets

from sync.phone.feed import load_cursor, read_content
from sync.phone.pulling import take_snapshot
from sync.phone.sheet_digest import DIFFERS, SAME, UNKNOWN, compared

pytest_plugins = ["fault_fixtures"]
pytestmark = pytest.mark.xdist_group("faults")
NAMES = ("here", "there")


class Machine(RuleBasedStateMachine):
    visits = Bundle("visits")

    def __init__(self, two: TwoSheets) -> None:
        super().__init__()
        self.two = two
        self.whose: dict[UUID, str | None] = {}
        self.done: set[UUID] = set()
        self.older: dict[str, list[tuple[Any, bytes]]] = {name: [] for name in NAMES}

    @initialize(target=visits)
    def something_to_do(self) -> UUID:
        return self.assign("here")

    @rule(target=visits, agent=st.sampled_from(NAMES))
    def assign(self, agent: str) -> UUID:
        visit = self.two.assign(agent)
        self.whose[visit] = agent
        return visit

    @rule(visit=visits)
    def withdraw(self, visit: UUID) -> None:
        if self.whose[visit] and visit not in self.done:
            self.two.withdraw(visit)
            self.whose[visit] = None

    @rule(visit=visits, there_and_back=st.booleans())
    def reassign(self, visit: UUID, there_and_back: bool) -> None:
        if self.whose[visit] is None or visit in self.done:
            return
        for _ in range(2 if there_and_back else 1):
            other = next(name for name in NAMES if name != self.whose[visit])
            self.two.reassign(visit, other)
            self.whose[visit] = other

    @rule(visit=visits)
    def report(self, visit: UUID) -> None:
        """Done visits stay where they lie, and a snapshot leaves them out."""
        name = self.whose[visit]
        if name is None or visit in self.done:
            return
        phone = self.two.phones[name]
        self.two.house.work()
        phone.pull()
        phone.encounter(str(visit), "nobody")
        phone.record_outcome(str(visit), "nobody_there")
        phone.push()
        self.two.house.work()
        self.done.add(visit)

    @rule(name=st.sampled_from(NAMES))
    def publish(self, name: str) -> None:
        self.two.publish(name)

    @rule(name=st.sampled_from(NAMES))
    def pull(self, name: str) -> None:
        if self.two.phones[name].pull().snapshots:
            self.two.count("mended by a snapshot")

    @rule(name=st.sampled_from(NAMES))
    def snapshot(self, name: str) -> None:
        take_snapshot(self.two.phones[name].door)

    @rule(name=st.sampled_from(NAMES), which=st.integers(0, 30))
    def lose_a_row(self, name: str, which: int) -> None:
        store = self.two.phones[name].handset.store
        rows = list(store.all_bytes("sheet"))
        if rows:
            key, packed = rows[which % len(rows)]
            self.older[name].append((key, packed))
            store.delete("sheet", key)

    @rule(name=st.sampled_from(NAMES), which=st.integers(0, 30))
    def an_older_state_comes_back(self, name: str, which: int) -> None:
        if self.older[name]:
            key, packed = self.older[name][which % len(self.older[name])]
            self.two.phones[name].handset.store.put_bytes("sheet", key, packed)
            assert read_content(packed).kind in ("route", "visit")

    @invariant()
    def equal_digests_and_equal_sheets_are_one(self) -> None:
        for name in NAMES:
            (head, told), (cursor, held) = self.two.of_office(name), self.two.of_phone(name)
            said = compared(self.two.phones[name].handset)
            if cursor == head and said != UNKNOWN:
                assert (said == SAME) == (told == held), (name, said, told ^ held)
                self.two.count(said)

    def teardown(self) -> None:
        self.two.house.work()
        for name in NAMES:
            phone = self.two.phones[name]
            phone.pull()
            self.two.house.work()
            phone.pull()
            (head, told), (cursor, held) = self.two.of_office(name), self.two.of_phone(name)
            assert (cursor, held) == (head, told), (name, compared(phone.handset), held ^ told)
            shown = {UUID(stop.visit) for stop in phone.today()}
            for visit in self.whose.keys() - self.done:
                assert (visit in shown) == (self.whose[visit] == name)
        self.two.count("examples")


@pytest.fixture
def two(house: House) -> Iterator[TwoSheets]:
    with two_sheets(house) as two:
        yield two


@pytest.mark.parametrize(
    ("examples", "steps"), [(6, 16), pytest.param(100, 40, marks=pytest.mark.prove)], ids=["short", "long"]
)
def test_digests_are_equal_where_the_sheets_are_and_nowhere_else(two: TwoSheets, examples: int, steps: int) -> None:
    chosen = settings(
        phases=[Phase.generate], max_examples=examples, stateful_step_count=steps, deadline=None, database=None,
        derandomize=True, suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    run_state_machine_as_test(lambda: Machine(two), settings=chosen)
    print(two.seen)
    assert two.seen[SAME] > 0 and two.seen[DIFFERS] > 0 and two.seen["mended by a snapshot"] > 0


def test_a_visit_that_went_and_came_back_is_not_the_one_that_was_there_before(two: TwoSheets) -> None:
    """A, B, A: a digest that adds and takes away would be the old one again, and the phone would keep the old state."""
    visit = two.assign("here")
    two.house.work()
    phone = two.phones["here"]
    phone.pull()
    first = two.of_phone("here")[1]
    row = next(row for row in phone.handset.store.all_bytes("sheet") if read_content(row[1]).ref == str(visit))
    two.reassign(visit, "there")
    two.house.work()
    two.reassign(visit, "here")
    two.house.work()
    assert phone.pull().snapshots == 0
    assert two.of_phone("here") == two.of_office("here") and first != two.of_phone("here")[1]
    phone.handset.store.put_bytes("sheet", *row)  # the state of the first time, with its old version
    assert compared(phone.handset) == DIFFERS
    assert phone.pull().snapshots == 1
    assert two.of_phone("here") == two.of_office("here")


def test_a_snapshot_that_mends_nothing_is_taken_once_for_each_place_in_the_feed(
    two: TwoSheets, monkeypatch: pytest.MonkeyPatch
) -> None:
    two.assign("here")
    two.house.work()
    phone = two.phones["here"]
    phone.pull()
    monkeypatch.setattr("sync.phone.sheet_digest.sheet_sha256", lambda handset: b"\0" * 32)
    assert [phone.pull().snapshots for _ in range(3)] == [1, 0, 0]
    assert phone.status()["sheet"] == DIFFERS
    two.assign("here")
    two.house.work()
    assert [phone.pull().snapshots for _ in range(2)] == [1, 0]


def test_a_snapshot_that_was_built_and_never_taken_is_found_with_the_next_items(two: TwoSheets) -> None:
    """It left a done visit out: the office's lines are the snapshot's, the phone's still those of the feed."""
    phone = two.phones["here"]
    done, other = two.assign("here"), two.assign("here")
    two.house.work()
    phone.pull()
    phone.encounter(str(done), "nobody")
    phone.record_outcome(str(done), "nobody_there")
    phone.push()
    two.house.work()
    phone.pull()
    cursor = load_cursor(phone.handset)
    assert phone.door.once("GET", "/feed/snapshot", f"since={cursor.epoch}.{cursor.seq}").status == 202
    two.house.work()
    two.withdraw(other)
    two.house.work()
    assert phone.pull().snapshots == 1
    assert two.of_phone("here") == two.of_office("here")
