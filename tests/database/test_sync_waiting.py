"""What cannot be made an item of waits by itself and says why; everything else of the agent goes on, in its order."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select, text, update
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session
from structlog.testing import capture_logs

from field_api.domain.confidential import audience
from field_api.domain.disclosure import Audience
from field_api.domain.vocabulary import ChangeKind
from field_api.platform.database import transaction
from field_api.platform.log import catalogued
from field_api.platform.wiring import office_keys
from field_api.queries.phone_visits import running_agency
from field_api.records.agency import Creditor
from field_api.records.changes import Change
from field_api.records.planning import Agent, Route
from field_api.records.visits import VisitKey
from field_api.usecases.tell_agent import tell_agent
from field_api.usecases.withdraw_visit import withdraw_visit
from sync.office import apart, contents
from sync.office import publish as publishing
from sync.office.apart import made_apart
from sync.office.apply import apply_device
from sync.office.publish import LONGEST_WAIT_S, publish_changes
from tests.door_client import Phone, snapshot_of, unpacked
from tests.planning_world import World, statements
from tests.sync_day import Day, nul, opened, pull, sheet_keys

pytest_plugins = ["tests.door_fixtures"]
ARRIVED: dict[str, Any] = {}


def break_key(day: Day, visit: UUID) -> bytes:
    """Make a visit's key one that does not open, as a restored or damaged row would be. Returns the good one."""
    with transaction(day.agency) as session:
        good = session.scalars(select(VisitKey.sealed_key).where(VisitKey.visit_id == visit)).one()
        session.execute(update(VisitKey).where(VisitKey.visit_id == visit).values(sealed_key=b"broken"))
        return good


def mend_key(day: Day, visit: UUID, good: bytes) -> None:
    with transaction(day.agency) as session:
        session.execute(update(VisitKey).where(VisitKey.visit_id == visit).values(sealed_key=good))


def tell(day: Day, *told: tuple[ChangeKind, UUID]) -> None:
    with transaction(day.agency) as session:
        for kind, ref in told:
            tell_agent(session, day.agent, kind, ref)
            session.flush()


def waiting(day: Day) -> list[tuple[UUID, int, str | None]]:
    with transaction(day.agency) as session:
        rows = session.execute(select(Change.ref, Change.tries, Change.trouble).order_by(Change.id))
        return [(row.ref, row.tries, row.trouble) for row in rows]


def retries(day: Day) -> list[datetime]:
    with transaction(day.agency) as session:
        return list(session.scalars(select(Change.retry_at).order_by(Change.id)))


def refs(items: list[dict[str, Any]]) -> list[str]:
    return [item["ref"] for item in items]


def snapshot(phone: Phone) -> tuple[list[dict[str, Any]], str]:
    """Its contents, and the cursor at which it stands."""
    parts = snapshot_of(phone.call("GET", "/phone/v1/feed/snapshot").data)
    claims = json.loads(parts.manifest)
    keys = sheet_keys(phone, claims["sheet_keys"])
    found = []
    for index, (key, ct) in enumerate(parts.lines):
        bound = nul(b"doorstep-snapshot-v1", phone.agency, phone.device, claims["epoch"], claims["seq"], index)
        found.append(unpacked(opened(keys[key], ct, bound)))
    assert len(found) == claims["count"]
    return found, f"{claims['epoch']}.{claims['seq']}.{claims['roll']}"


def test_a_visit_that_cannot_be_sealed_holds_up_no_visit_no_route_and_no_verdict(day: Day) -> None:
    phones = [day.enrol(), day.enrol()]
    day.work()
    cursors = [pull(phone)[1] for phone in phones]
    bad, good = day.visits
    key = break_key(day, bad)
    tell(day, (ChangeKind.VISIT, bad), (ChangeKind.ROUTE, day.route), (ChangeKind.CODE, good))
    operation = phones[0].operation("arrived", ARRIVED, visit=good, av=1)
    phones[0].push(operation)
    with capture_logs() as lines:
        day.work()
    (line,) = [line for line in lines if line["event"] == "change-waits"]
    line["level"] = line.pop("log_level")
    assert catalogued(None, "error", dict(line)) == line, "every field passes, and tells of which visit"
    assert (line["ref"], line["error"]) == (str(bad), "Unsealable")
    got = [pull(phone, cursor) for phone, cursor in zip(phones, cursors, strict=True)]  # verifies numbers and chain
    assert [item["kind"] for item in got[0][0]] == ["route", "visit", "verdict"], "in the order of the changes"
    assert refs(got[1][0]) == [str(day.route), str(good)]
    ((ref, tries, trouble),) = waiting(day)
    assert (ref, tries) == (bad, 1) and trouble and "sealing.py:" in trouble
    mend_key(day, bad, key)
    day.clock.advance(timedelta(seconds=2))
    day.work()
    assert [refs(pull(phone, cursor)[0]) for phone, (_, cursor) in zip(phones, got, strict=True)] == [[str(bad)]] * 2
    assert waiting(day) == []


def test_a_verdict_that_cannot_be_told_holds_up_nothing(day: Day, monkeypatch: pytest.MonkeyPatch) -> None:
    phone = day.enrol()
    day.work()
    _, cursor = pull(phone)
    real = contents.told_to_phones
    monkeypatch.setattr(contents, "told_to_phones", lambda flags: {}["x"] if "bad" in flags else real(flags))
    first = phone.operation("arrived", ARRIVED, visit=day.visits[0], av=1)
    second = phone.operation("arrived", ARRIVED, visit=day.visits[1], av=1)
    phone.push(first, second)
    with day.app.app_context(), audience(Audience.OFFICE_JOB):
        apply_device(day.agency, office_keys().of(day.agency), phone.device, now=day.clock.now())
    with transaction(day.agency) as session:
        ops = session.execute(text("SELECT op_id FROM mailbox.inbox ORDER BY seq")).scalars().all()
        session.execute(text("UPDATE mailbox.inbox SET flags = '[\"bad\"]' WHERE op_id = :op"), {"op": ops[0]})
    day.work()
    verdicts = [item for item in pull(phone, cursor)[0] if item["kind"] == "verdict"]
    assert refs(verdicts) == [str(ops[1])]
    ((ref, _, trouble),) = waiting(day)
    assert ref == ops[0] and trouble and trouble.startswith("KeyError ")


def test_tries_come_further_and_further_apart_and_at_once_when_it_changes(
    day: Day, monkeypatch: pytest.MonkeyPatch
) -> None:
    phone = day.enrol()
    day.work()
    _, cursor = pull(phone)
    bad = day.visits[0]
    key = break_key(day, bad)
    tell(day, (ChangeKind.VISIT, bad))
    tried = []
    real = publishing.made_apart
    monkeypatch.setattr(publishing, "made_apart", lambda *given: tried.append(day.clock.now()) or real(*given))
    start = day.clock.now()
    for _ in range(9):
        day.work()
        day.work()
        (ready,) = retries(day)
        day.clock.moment = ready - timedelta(milliseconds=1)
        day.work()
        day.clock.moment = ready
    assert [(moment - start).total_seconds() for moment in tried] == [0, 2, 6, 14, 30, 62, 126, 254, 510]
    assert (day.clock.now() - start).total_seconds() == 510 + LONGEST_WAIT_S
    phone.take_anchor()
    mend_key(day, bad, key)
    tell(day, (ChangeKind.VISIT, bad))
    day.work()
    assert refs(pull(phone, cursor)[0]) == [str(bad)] and waiting(day) == [], "the older change is settled with it"


def test_with_a_policy_that_nobody_understands_no_visit_goes_out_but_withdrawals_and_routes(day: Day) -> None:
    phone = day.enrol()
    day.work()
    _, cursor = pull(phone)
    tell(day, (ChangeKind.VISIT, day.visits[1]), (ChangeKind.ROUTE, day.route))
    with transaction(day.agency) as session:
        running_agency(session).policy = {"disclosure": {"spouse": {"balance": "yes"}}}
        withdraw_visit(session, day.visits[0], reason="dispatcher", now=day.clock.now(), by=None)
    day.work()
    items, _ = pull(phone, cursor)
    assert refs(items) == [str(day.visits[0]), str(day.route)] and items[0]["body"]["state"] == "withdrawn"
    ((ref, _, trouble),) = waiting(day)
    assert ref == day.visits[1] and trouble and trouble.startswith("LooserThanTheRule ")


def test_a_snapshot_leaves_out_what_cannot_be_sealed_and_an_item_brings_it_later(day: Day) -> None:
    phone = day.enrol()
    day.work()
    pull(phone)
    bad, good = day.visits
    key = break_key(day, bad)
    assert phone.call("GET", "/phone/v1/feed/snapshot").status_code == 202
    day.work()
    sheet, cursor = snapshot(phone)
    assert refs(sheet) == [str(day.route), str(good)]
    assert [ref for ref, _, _ in waiting(day)] == [bad], "no change was waiting for it: the snapshot leaves word"
    mend_key(day, bad, key)
    day.work()
    assert refs(pull(phone, cursor)[0]) == [str(bad)]


def test_a_snapshot_leaves_no_second_word_where_one_waits(day: Day) -> None:
    phone = day.enrol()
    day.work()
    break_key(day, day.visits[0])
    tell(day, (ChangeKind.VISIT, day.visits[0]))
    day.work()
    assert phone.call("GET", "/phone/v1/feed/snapshot").status_code == 202
    day.work()
    assert len(waiting(day)) == 1


def many_visits(day: Day, count: int) -> list[UUID]:
    """As many more visits of the day's agent, none of which waits."""
    with transaction(day.agency) as session:
        world = World(session, serial=5_000)
        world.creditors["MX"] = session.scalars(select(Creditor)).one()
        agent, route = session.scalars(select(Agent)).one(), session.scalars(select(Route)).one()
        assert agent.id == day.agent
        made = []
        for position in range(10, 10 + count):
            person, address, account = world.household()
            made.append(world.visit(route, position, address, person, account).id)
        return made


def publish(day: Day) -> tuple[int, int]:
    """Rows settled, statements sent."""
    with day.app.app_context(), transaction(day.agency) as session, statements() as seen:
        settled = publish_changes(session, office_keys().of(day.agency), day.agent, now=day.clock.now())
    return settled, len(seen)


def test_finding_what_cannot_be_sealed_among_many_takes_few_statements(day: Day) -> None:
    phone = day.enrol()
    day.work()
    visits = many_visits(day, 32)
    told = [(ChangeKind.VISIT, visit) for visit in visits]
    tell(day, *told)
    assert publish(day)[0] == 32  # makes keys and stretched answers, once
    tell(day, *told)
    _, whole = publish(day)
    _, cursor = pull(phone)
    for good in ({*visits} - {visits[20]}, {visits[31]}):
        for visit in visits:
            if visit not in good:
                break_key(day, visit)
        tell(day, *told)
        settled, sent = publish(day)
        assert settled == len(good) and sent <= 2 * whole
        items, cursor = pull(phone, cursor)
        assert refs(items) == [str(visit) for visit in visits if visit in good]
    with transaction(day.agency) as session:
        running_agency(session).policy = {"disclosure": {"spouse": {"balance": "yes"}}}
    tell(day, *told)
    settled, sent = publish(day)
    assert settled == 0 and sent <= 2 * whole


def test_what_nobody_can_name_is_halved_out_and_many_tries_are_left_to_the_next_rounds(
    day: Day, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(apart, "FAILURES", 8)
    visits = [("visit", uuid4()) for _ in range(32)]
    tries: list[int] = []

    def make(group: Any) -> list[Any]:
        tries.append(len(group))
        if {*group} & {*bad}:
            raise KeyError("whichever")
        return list(group)

    with transaction(day.agency) as session:
        bad = visits[20:21]
        found = made_apart(session, visits, make)
        assert found.made == visits[:20] + visits[21:] and list(found.troubles) == bad and len(tries) == 11
        bad, left, rounds = visits[:-1], visits, 0
        while visits[-1] in left:
            tries.clear()
            found = made_apart(session, left, make)
            assert found.troubles or found.made, "some are found and wait: the turn of others comes"
            assert len(tries) <= 2 * 8 + 1
            left, rounds = [ref for ref in left if ref in found.untried], rounds + 1
        assert found.made == [visits[-1]] and rounds > 1


def test_a_database_that_goes_away_is_nobodys_fault(day: Day) -> None:
    def make(_refs: object) -> list[object]:
        raise OperationalError("SELECT 1", {}, Exception("gone"))

    with transaction(day.agency) as session, pytest.raises(OperationalError):
        made_apart(session, [("visit", day.visits[0]), ("visit", day.visits[1])], make)


def test_what_a_failed_try_wrote_is_undone_and_what_others_wrote_stays(day: Day) -> None:
    refs = [("visit", visit) for visit in (*day.visits, day.route)]

    def make(session: Session, group: Any) -> list[UUID]:
        for kind, ref in group:
            tell_agent(session, day.agent, ChangeKind(kind), ref)
        session.flush()
        if ("visit", day.visits[1]) in group:
            raise KeyError("bad")
        return [ref for _, ref in group]

    with transaction(day.agency) as session:
        result = made_apart(session, refs, lambda group: make(session, group))
    assert result.made == [day.visits[0], day.route] and list(result.troubles) == [("visit", day.visits[1])]
    assert [ref for ref, _, _ in waiting(day)] == [day.visits[0], day.route]
