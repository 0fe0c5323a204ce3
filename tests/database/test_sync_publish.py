"""Feeds have no holes and nothing is lost, whatever commits when and however many publish at once."""

from __future__ import annotations

import random
import threading
import time
from datetime import timedelta
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import func, select, update

from field_api.domain.vocabulary import ChangeKind
from field_api.platform.database import transaction
from field_api.platform.devices import Device
from field_api.platform.wiring import office_keys
from field_api.records.accounts import Account
from field_api.records.agency import Creditor
from field_api.records.changes import Change
from field_api.records.people import Address, Person, VerificationAnswer
from field_api.records.planning import Route
from field_api.records.visits import Visit, VisitKey
from field_api.usecases.tell_agent import tell_agent
from sync.mailbox import FeedHead, FeedItem
from sync.office.contents import Contents, Ref
from sync.office.publish import publish_changes
from sync.records import OnSheet
from sync.roll import first_roll
from tests.planning_world import World, statements
from tests.sync_day import Day, pull

pytest_plugins = ["tests.door_fixtures"]


def bump(day: Day, visit_id: UUID, pause_s: float) -> None:
    """Change a visit and say so, in a transaction that takes its time before it commits."""
    with day.app.app_context(), transaction(day.agency) as session:
        session.execute(
            update(Visit).where(Visit.id == visit_id).values(assignment_version=Visit.assignment_version + 1)
        )
        tell_agent(session, day.agent, ChangeKind.VISIT, visit_id)
        session.flush()
        time.sleep(pause_s)


def publish(day: Day) -> int:
    with day.app.app_context(), transaction(day.agency) as session:
        return publish_changes(session, office_keys().of(day.agency), day.agent, now=day.clock.now())


def waiting(day: Day) -> int:
    with transaction(day.agency) as session:
        return session.scalar(select(func.count()).select_from(Change)) or 0


def test_no_change_is_lost_between_slow_transactions_and_several_publishers(day: Day) -> None:
    """Each writer's row gets its number before faster writers commit theirs: a plain `id > last` would lose it."""
    phones = [day.enrol(), day.enrol()]
    chance = random.Random(20261118)
    stop = threading.Event()

    def publisher() -> None:
        while not stop.is_set():
            publish(day)

    def writer(visit_id: UUID, pauses: list[float]) -> None:
        for pause in pauses:
            bump(day, visit_id, pause)

    publishers = [threading.Thread(target=publisher) for _ in range(2)]
    writers = [
        threading.Thread(target=writer, args=(visit_id, [chance.random() * 0.05 for _ in range(8)]))
        for visit_id in day.visits
        for _ in range(2)
    ]
    for thread in (*publishers, *writers):
        thread.start()
    for thread in writers:
        thread.join(timeout=60)
    stop.set()
    for thread in publishers:
        thread.join(timeout=60)
    while publish(day):
        pass
    assert waiting(day) == 0
    with transaction(day.agency) as session:
        truth = {
            str(row.id): row.assignment_version for row in session.execute(select(Visit.id, Visit.assignment_version))
        }
    assert set(truth.values()) == {17}
    for phone in phones:
        contents, _ = pull(phone, limit=7)  # verifies that numbers are dense and the chain holds
        newest: dict[str, tuple[int, int]] = {}
        for item in contents:
            if item["kind"] == "visit":
                assert item["version"] > newest.get(item["ref"], (0, 0))[0]
                newest[item["ref"]] = (item["version"], item["body"]["assignment_version"])
        assert {ref: version for ref, (_, version) in newest.items()} == truth


def test_a_publisher_that_fails_leaves_neither_items_nor_holes(day: Day, monkeypatch: pytest.MonkeyPatch) -> None:
    import sync.office.publish as module

    phone = day.enrol()
    _, cursor = pull(phone)
    bump(day, day.visits[0], 0)
    with monkeypatch.context() as patch:
        patch.setattr(module, "_move_head", lambda *_: (_ for _ in ()).throw(RuntimeError("cut")))
        with pytest.raises(RuntimeError, match="cut"):
            publish(day)
    assert pull(phone, cursor)[0] == []
    assert waiting(day) == 1
    publish(day)
    assert [item["ref"] for item in pull(phone, cursor)[0]] == [str(day.visits[0])]


def test_withdrawals_go_in_front_of_everything_that_waits(day: Day) -> None:
    phone = day.enrol()
    _, cursor = pull(phone)
    with transaction(day.agency) as session:
        tell_agent(session, day.agent, ChangeKind.ROUTE, day.route)
        tell_agent(session, day.agent, ChangeKind.VISIT, day.visits[1])
        session.flush()
        session.execute(update(Visit).where(Visit.id == day.visits[0]).values(state="withdrawn"))
        tell_agent(session, day.agent, ChangeKind.VISIT, day.visits[0], urgent=True)
    publish(day)
    contents, _ = pull(phone, cursor)
    assert [item["ref"] for item in contents] == [str(day.visits[0]), str(day.route), str(day.visits[1])]
    assert contents[0]["body"]["state"] == "withdrawn"


def test_a_withdrawal_does_not_wait_for_what_cannot_be_sealed(day: Day) -> None:
    """One visit's key that does not open keeps the agent's other news back, and never "do not go there"."""
    phone = day.enrol()
    _, cursor = pull(phone)
    with transaction(day.agency) as session:
        session.execute(update(VisitKey).where(VisitKey.visit_id == day.visits[1]).values(sealed_key=b"broken"))
        tell_agent(session, day.agent, ChangeKind.VISIT, day.visits[1])
        session.execute(update(Visit).where(Visit.id == day.visits[0]).values(state="withdrawn"))
        tell_agent(session, day.agent, ChangeKind.VISIT, day.visits[0], urgent=True)
    day.work()
    (item,) = pull(phone, cursor)[0]
    assert (item["ref"], item["body"]["state"]) == (str(day.visits[0]), "withdrawn")
    assert waiting(day) == 1


def test_many_changes_of_one_visit_become_one_item(day: Day) -> None:
    phone = day.enrol()
    _, cursor = pull(phone)
    for _ in range(5):
        bump(day, day.visits[0], 0)
    assert publish(day) == 5
    (item,) = pull(phone, cursor)[0]
    assert item["body"]["assignment_version"] == 6


def test_a_visit_that_went_to_somebody_else_is_a_tombstone_here(day: Day) -> None:
    phone = day.enrol()
    _, cursor = pull(phone)
    with transaction(day.agency) as session:
        other = World(session).agent(code="MX-2")
        session.execute(update(Visit).where(Visit.id == day.visits[0]).values(agent_id=other.id))
        tell_agent(session, day.agent, ChangeKind.VISIT, day.visits[0], urgent=True)
    publish(day)
    (item,) = pull(phone, cursor)[0]
    assert (item["body"]["state"], item["body"]["open"], item["body"]["locks"]) == ("moved", None, [])


def test_changes_for_an_agent_without_a_phone_do_not_pile_up(day: Day) -> None:
    bump(day, day.visits[0], 0)
    publish(day)
    assert waiting(day) == 0
    contents, _ = pull(day.enrol())
    assert {item["ref"] for item in contents} == {str(day.route), *map(str, day.visits)}


def test_a_whole_sheet_is_loaded_in_a_fixed_number_of_statements(app: Flask, day: Day) -> None:
    def statements_for(count: int) -> int:
        with transaction(day.agency) as session:
            world = World(session, serial=count * 1000)
            world.creditors["MX"] = session.scalars(select(Creditor)).one()
            agent = world.agent(code=f"N-{count}")
            route = world.route(agent)
            refs: list[Ref] = []
            for position in range(1, count + 1):
                person, address, account = world.household()
                refs.append(("visit", world.visit(route, position, address, person, account).id))
                for kind, group in (("birth_date", "birth"), ("postcode", "postcode")):
                    session.add(
                        VerificationAnswer(person_id=person.id, kind=kind, independent_group=group, answer="1970-01-01")
                    )
            device = Device(
                id=route.id, agent_id=agent.id, signing_public=b"", sealing_public=b"", enrolled_at=day.clock.now()
            )
            device.agency_id = day.agency
            session.flush()
            keys = office_keys().of(day.agency)
            with statements() as seen:
                contents = Contents(session, keys, agent.id, refs, day.clock.now()).for_device(device, refs)
            assert len(contents) == count
            assert all(len(content.packed(1)) == 6_144 for content in contents)
            assert all(content.lies_on_the_sheet for content in contents)
            session.rollback()
        return len(seen)

    few, many = statements_for(3), statements_for(30)
    assert many <= few + 2, (few, many)


def test_items_are_written_in_as_many_statements_however_many_there_are(day: Day) -> None:
    """The sheets of an agent's phones and their digests included, one lone change or a day's plan."""
    day.enrol(), day.enrol()
    with transaction(day.agency) as session:
        world = World(session, serial=5000)
        world.creditors["MX"] = session.scalars(select(Creditor)).one()
        route = session.get_one(Route, (day.agency, day.route))
        more = [world.visit(route, position, *_household(world)).id for position in range(3, 33)]
    counts = []
    for visits in (more[:1], more):
        with transaction(day.agency) as session:
            for visit_id in visits:
                tell_agent(session, day.agent, ChangeKind.VISIT, visit_id)
        with day.app.app_context(), transaction(day.agency) as session, statements() as seen:
            done = publish_changes(session, office_keys().of(day.agency), day.agent, now=day.clock.now())
        assert done == len(visits)
        counts.append(len(seen))
    assert counts[1] <= counts[0], "the keys of the first were made once"


def _household(world: World) -> tuple[Address, Person, Account]:
    person, address, account = world.household()
    return address, person, account


def test_the_head_stands_where_the_last_item_stands(day: Day) -> None:
    phone = day.enrol()
    with transaction(day.agency) as session:
        head = session.scalars(select(FeedHead)).one()
        last = session.scalars(select(FeedItem).order_by(FeedItem.seq.desc()).limit(1)).one()
        assert (head.seq, head.roll) == (last.seq, last.roll)
        assert head.roll != first_roll(phone.agency, phone.device, 1)


def test_done_visits_and_their_route_leave_the_phone_a_week_later_with_whatever_comes_next(day: Day) -> None:
    phone, (first, second) = day.enrol(), day.visits
    cursor = pull(phone)[1]

    def told_after(days: float, changed: UUID) -> list[tuple[str, str, str | None]]:
        nonlocal cursor
        day.clock.advance(timedelta(days=days))
        bump(day, changed, 0)
        publish(day)
        phone.take_anchor()
        items, cursor = pull(phone, cursor)
        return [(one["kind"], one["ref"], one["body"].get("state")) for one in items]

    def done(visit: UUID) -> None:
        with transaction(day.agency) as session:
            values = {"state": "done", "done_at": day.clock.now()}
            session.execute(update(Visit).where(Visit.id == visit).values(**values))

    done(first)
    assert told_after(6.9, second) == [("visit", str(second), "published")]
    assert told_after(0.2, second) == [("visit", str(second), "published"), ("visit", str(first), "over")]
    # The route stays while something is to be done on it, however old it is.
    assert told_after(30, second) == [("visit", str(second), "published")]
    done(second)
    assert set(told_after(7.1, first)) == {
        ("visit", str(first), "over"), ("visit", str(second), "over"), ("route", str(day.route), "over"),
    }  # fmt: skip
    with transaction(day.agency) as session:
        assert session.scalar(select(func.count()).select_from(OnSheet)) == 0
