"""Snapshots that mend a sheet: who may build one when, what is served of them, and that nobody is kept waiting for ever."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import timedelta
from uuid import UUID

import pytest
from fault_world import IMPATIENT, House
from sheet_world import TwoSheets, two_sheets
from sqlalchemy import select, update

from field_api.platform.clock import SystemClock
from field_api.platform.database import transaction
from field_api.platform.wiring import office_keys
from field_api.records.agency import Agency
from field_api.records.changes import Change
from field_api.records.visits import Visit
from sync.mailbox import Snapshot
from sync.office import snapshots
from sync.office.work import _Round
from sync.phone import Later, Phone
from sync.phone.feed import load_cursor, read_content
from sync.phone.pulling import take_snapshot
from sync.phone.sheet_digest import SAME, compared

pytest_plugins = ["fault_fixtures"]
pytestmark = pytest.mark.xdist_group("faults")


@pytest.fixture
def two(house: House) -> Iterator[TwoSheets]:
    with two_sheets(house) as two:
        yield two


def asked(phone: Phone, ahead: int = 0) -> int:
    """The status of a call for a snapshot that is not older than where the phone stands."""
    cursor = load_cursor(phone.handset)
    return phone.door.once("GET", "/feed/snapshot", f"since={cursor.epoch}.{cursor.seq + ahead}").status


def build(two: TwoSheets, hours: int = 0) -> int:
    """What a worker does whose list names the first agent's phone, with a clock that is so much ahead."""
    now = SystemClock().now() + timedelta(hours=hours)
    device = UUID(two.phones["here"].handset.device)
    return _Round(two.house.agency, office_keys().of(two.house.agency), now)._snapshot(device)


def settled(two: TwoSheets, name: str = "here") -> None:
    two.house.work()
    two.phones[name].pull()
    assert compared(two.phones[name].handset) == SAME and two.of_phone(name) == two.of_office(name)


def refs(two: TwoSheets, name: str) -> set[str]:
    return {ref for _, ref, _ in two.of_phone(name)[1]}


def test_a_place_past_the_feeds_end_is_nowhere(two: TwoSheets) -> None:
    phone = two.phones["here"]
    assert [asked(phone, ahead=1), build(two), asked(phone, ahead=1), asked(phone, ahead=10**9)] == [202, 1, 200, 200]


def test_none_that_is_older_than_where_the_phone_stands_is_served(two: TwoSheets) -> None:
    phone = two.phones["here"]
    for _ in range(2):
        assert [asked(phone), build(two), asked(phone)] == [202, 1, 200]
        take_snapshot(phone.door)
        two.assign("here")
        settled(two)


def test_a_clock_that_went_back_does_not_make_the_newest_the_oldest(two: TwoSheets) -> None:
    phone = two.phones["here"]
    for hours in (2, 1, 0):
        assert [asked(phone), build(two, hours), asked(phone)] == [202, 1, 200]
        take_snapshot(phone.door)
        two.assign("here")
        settled(two)
    with transaction(two.house.agency) as session:
        assert len(session.scalars(select(Snapshot.seq)).all()) == snapshots.KEPT


def test_a_request_that_is_settled_is_not_built_again(two: TwoSheets) -> None:
    phone = two.phones["here"]
    assert asked(phone) == 202
    assert [build(two), build(two)] == [1, 0]
    take_snapshot(phone.door)
    two.assign("here")
    two.house.work()
    assert build(two) == 0
    assert phone.pull().snapshots == 0
    settled(two)


def test_what_is_published_between_the_moment_and_the_lock_leaves_the_request_for_the_next_round(
    two: TwoSheets, monkeypatch: pytest.MonkeyPatch
) -> None:
    phone = two.phones["here"]
    free = snapshots.may_publish

    def published_meanwhile(*whose: object) -> bool:
        other = threading.Thread(target=publishing)
        other.start()
        other.join()
        return free(*whose)  # type: ignore[arg-type] # as it was called

    def publishing() -> None:
        with two.house.app.app_context():
            two.publish("here")

    two.assign("here")
    assert asked(phone) == 202
    with monkeypatch.context() as patch:
        patch.setattr(snapshots, "may_publish", published_meanwhile)
        assert build(two) == 0
    assert build(two) == 1
    settled(two)


def test_nobody_builds_while_somebody_publishes_to_that_agent(two: TwoSheets) -> None:
    assert asked(two.phones["here"]) == 202
    ended, begun = threading.Event(), threading.Event()

    def publisher() -> None:
        with two.house.app.app_context(), transaction(two.house.agency) as session:
            assert snapshots.may_publish(session, two.agents["here"])
            begun.set()
            assert ended.wait(30)

    other = threading.Thread(target=publisher)
    other.start()
    assert begun.wait(30)
    assert build(two) == 0
    ended.set()
    other.join()
    assert build(two) == 1


def test_two_phones_of_one_agent_are_told_what_leaves_though_one_lacks_it_already(two: TwoSheets) -> None:
    two.house.agent = two.agents["here"]
    first = two.phones["here"]
    done = two.assign("here")
    two.phones["second"] = second = two.house.enrol("second")
    two.agents["second"] = two.agents["here"]
    settled(two)
    first.encounter(str(done), "nobody")
    first.record_outcome(str(done), "nobody_there")
    first.push()
    settled(two)
    take_snapshot(second.door)
    assert str(done) in refs(two, "here") - refs(two, "second")
    with transaction(two.house.agency) as session:
        long_ago = SystemClock().now() - timedelta(days=8)
        session.execute(update(Visit).where(Visit.id == done).values(done_at=long_ago))
    two.assign("here")
    for name in ("here", "second"):
        settled(two, name)
        assert str(done) not in refs(two, name)


def test_a_row_that_no_longer_opens_is_mended_too(two: TwoSheets) -> None:
    phone = two.phones["here"]
    settled(two)
    store = phone.handset.store
    key = next(key for key, packed in store.all_bytes("sheet") if read_content(packed).kind == "route")
    store._run("UPDATE TABLE_NAME SET sealed = zeroblob(100) WHERE key = ?", "sheet", key)
    assert phone.pull().snapshots == 1
    settled(two)


def test_a_snapshot_that_is_to_come_keeps_no_brief_open(two: TwoSheets, monkeypatch: pytest.MonkeyPatch) -> None:
    phone = two.phones["here"]
    settled(two)
    store = phone.handset.store
    store.delete("sheet", store.keys("sheet")[0])
    phone.door.patience = IMPATIENT
    locked: list[object] = []
    monkeypatch.setattr(phone, "lock_again", lambda but=frozenset(): locked.append(but))
    with pytest.raises(Later, match="snapshot-not-ready"):
        phone.pull()
    assert locked == [{stop.visit for stop in phone.today()}]


def test_a_tombstone_needs_nothing_of_what_another_agents_visit_lacks(two: TwoSheets) -> None:
    visit = two.assign("here")
    settled(two)
    with transaction(two.house.agency) as session:
        agency = session.scalars(select(Agency)).one()
        agency.policy = {**agency.policy, "disclosure": "no matrix"}
    two.reassign(visit, "there")
    two.house.work()
    assert two.phones["here"].pull().items == 1
    assert str(visit) not in {stop.visit for stop in two.phones["here"].today()}
    with transaction(two.house.agency) as session:
        waiting = session.scalars(select(Change).where(Change.ref == visit)).one()
        assert waiting.agent_id == two.agents["there"] and waiting.trouble
