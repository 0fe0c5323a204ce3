"""Ten thousand withdrawals at once: each agent has its turn, and what phones send takes effect in between."""

from __future__ import annotations

from uuid import UUID

import psycopg
import pytest
from sqlalchemy import event, func, insert, select, update

import sync.office.work as work
from doorstep.server import Server
from field_api.domain.vocabulary import ChangeKind
from field_api.platform.database import db, transaction
from field_api.platform.devices import Device
from field_api.platform.sealing import new_private_key, public_key_of
from field_api.platform.wiring import office_keys
from field_api.records.changes import Change
from field_api.records.visits import Visit
from field_api.usecases.tell_agent import tell_agent
from sync.mailbox import FeedHead, FeedItem, InboxOp
from sync.office.devices import revoke_device
from sync.office.publish import BATCH, agents_with_changes, publish_changes
from sync.roll import first_roll
from tests.planning_world import World
from tests.sync_day import Day, pull

pytest_plugins = ["tests.door_fixtures"]
AGENTS, WITHDRAWALS = 20, 500  # of each: ten thousand


@pytest.fixture
def burdened(day: Day) -> list[UUID]:
    """Other agents with a phone, each with a withdrawn visit and 500 urgent change rows of it: only the last of them
    need a new item, but all are read, weighed and settled."""
    public = public_key_of(new_private_key())
    with transaction(day.agency) as session:
        world = World(session, serial=9_000)
        agents = [world.agent(code=f"B-{number}").id for number in range(AGENTS)]
        visit = session.get_one(Visit, {"agency_id": day.agency, "id": day.visits[1]})
        visit.state = "withdrawn"
        for agent in agents:
            device = Device(
                agent_id=agent, state="active", signing_public=public, sealing_public=public,
                enrolled_at=day.clock.now(),
            )  # fmt: skip
            session.add(device)
            session.flush()
            roll = first_roll(day.agency, device.id, 1)
            session.add(FeedHead(device_id=device.id, epoch=1, seq=0, roll=roll))
        rows = [
            {"agent_id": agent, "kind": ChangeKind.VISIT.value, "ref": day.visits[1], "urgent": True}
            for agent in agents
            for _ in range(WITHDRAWALS)
        ]
        session.execute(insert(Change), rows)
    return agents


def waiting(day: Day) -> dict[UUID, int]:
    with transaction(day.agency) as session:
        return dict(session.execute(select(Change.agent_id, func.count()).group_by(Change.agent_id)).all())


def test_a_promise_made_meanwhile_takes_effect_and_is_told_within_one_round(
    day: Day, burdened: list[UUID], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The operation comes when the round has begun to publish: it is applied after at most eight turns, and the
    verdict is told when the other agents have had one turn more at most."""
    phone = day.enrol()
    day.work()
    _, cursor = pull(phone)
    assert sum(waiting(day).values()) >= AGENTS * (WITHDRAWALS - 2 * BATCH)
    before, turns, applied_after = waiting(day), list[UUID](), list[int]()
    real = work._Round._publish

    def publish(round_: work._Round, agent_id: UUID) -> int:
        with transaction(day.agency) as session:
            if not applied_after and session.scalar(select(InboxOp.state)) == "applied":
                applied_after.append(len(turns))
        turns.append(agent_id)
        if len(turns) == 2:
            op = phone.operation("arrived", {"position": None}, visit=day.visits[0], av=1)
            assert phone.push(op)[0]["status"] == "received"
        return real(round_, agent_id)

    monkeypatch.setattr(work._Round, "_publish", publish)
    day.work()
    assert applied_after == [work.TURNS_BETWEEN_APPLYING]
    assert len(turns) == len(set(turns)) == AGENTS, "one turn for each in a round"
    after = waiting(day)
    assert {before[agent] - after.get(agent, 0) for agent in burdened} == {BATCH}
    turns.clear()
    day.work()
    assert turns.index(day.agent) <= 1, "whose news is no withdrawal takes turns with those who have one"
    (verdict,) = pull(phone, cursor)[0]
    assert (verdict["kind"], verdict["body"]["verdict"]) == ("verdict", "applied")
    assert sum(waiting(day).values()) > AGENTS * BATCH, "and the withdrawals are not through yet"


def test_withdrawals_and_other_news_take_turns_beginning_with_a_withdrawal(day: Day, burdened: list[UUID]) -> None:
    with transaction(day.agency) as session:
        others = [World(session, serial=9_900 + number).agent(code=f"C-{number}").id for number in range(3)]
        for other in others:
            tell_agent(session, other, ChangeKind.ROUTE, day.route)
    with transaction(day.agency) as session:
        order = agents_with_changes(session, now=day.clock.now())
    assert order[:6] == [burdened[0], others[0], burdened[1], others[1], burdened[2], others[2]]
    assert set(order) == {*burdened, *others}


def test_a_turn_costs_the_same_however_much_waits(day: Day, burdened: list[UUID]) -> None:
    def statements(agent: UUID) -> int:
        seen: list[str] = []
        listener = lambda *args: seen.append(args[2])  # noqa: E731
        event.listen(db.engine, "before_cursor_execute", listener)
        try:
            with transaction(day.agency) as session:
                publish_changes(session, office_keys().of(day.agency), agent, now=day.clock.now())
        finally:
            event.remove(db.engine, "before_cursor_execute", listener)
        return len(seen)

    long_queue = statements(burdened[0])
    with transaction(day.agency) as session:
        last = select(Change.id).where(Change.agent_id == burdened[1]).order_by(Change.id).limit(WITHDRAWALS - 1)
        session.execute(update(Change).where(Change.id.in_(last.scalar_subquery())).values(agent_id=burdened[2]))
    assert statements(burdened[1]) == long_queue
    with transaction(day.agency) as session:
        per_device = session.execute(select(func.count()).select_from(FeedItem).group_by(FeedItem.device_id)).all()
    assert [count for (count,) in per_device] == [1, 1], "many rows of one visit became one item"


def test_whoever_writes_a_change_wakes_the_worker_when_it_commits(day: Day, database: Server) -> None:
    with psycopg.connect(database.conninfo("office"), autocommit=True) as listening:
        listening.execute("LISTEN doorstep_change")
        with transaction(day.agency) as session:
            for visit in day.visits:
                tell_agent(session, day.agent, ChangeKind.VISIT, visit)
            session.flush()
            assert list(listening.notifies(timeout=0.2, stop_after=1)) == []
        assert len(list(listening.notifies(timeout=5, stop_after=1))) == 1
        with transaction(day.agency) as session:
            tell_agent(session, day.agent, ChangeKind.VISIT, day.visits[0])
            session.flush()
            session.rollback()
        assert list(listening.notifies(timeout=0.2, stop_after=1)) == []


def test_a_revoked_phone_gets_its_order_with_every_signed_call_but_operations_and_photographs(day: Day) -> None:
    phone = day.enrol()
    with transaction(day.agency) as session:
        revoke_device(session, office_keys().of(day.agency), phone.device, "stolen", now=day.clock.now())
    refused, taken = set(), set()
    for rule in day.door.url_map.iter_rules():
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
            path = rule.rule.replace("<int:level>", "0").replace("<int:index>", "0")
            path = path.replace("<uuid:upload_id>", str(day.visits[0]))
            unsigned = day.door.test_client().open(path, method=method)
            if (unsigned.json or {}).get("code") != "signature-required":
                continue  # static files, and what no key has signed yet: enrolment
            answer = phone.call(method, path, b"{}" if method in ("POST", "PATCH") and "anchors" not in path else b"")
            if answer.status_code == 403:
                assert answer.json["code"] == "device-revoked", path
                assert set(answer.json["wipe"]) == {"order", "sig", "keys"}, path
                assert len(answer.json["wipe"]["keys"]["certificates"]) == 3
                refused.add(f"{method} {rule.rule}")
            else:
                taken.add(f"{method} {rule.rule}")
    assert all("/ops" in name or "/photos" in name for name in taken), taken
    assert "POST /phone/v1/ops" in taken
    assert {"GET /phone/v1/feed", "GET /phone/v1/feed/snapshot", "GET /phone/v1/ops/state"} <= refused
    assert {"POST /phone/v1/anchors", "GET /phone/v1/log/checkpoint"} <= refused
