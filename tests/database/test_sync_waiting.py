"""What cannot be made an item of waits by itself and says why; everything else of the agent goes on, in its order."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

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
from tests.door_client import Phone, un64, unpacked
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
    line, _, lines = phone.call("GET", "/phone/v1/feed/snapshot").data.partition(b"\n")
    claims = json.loads(un64(json.loads(line)["m"]))
    keys = sheet_keys(phone, claims["sheet_keys"])
    found = []
    for index, each in enumerate(lines.splitlines()):
        value = json.loads(each)
        bound = nul(b"doorstep-snapshot-v1", phone.agency, phone.device, claims["epoch"], claims["seq"], index)
        found.append(unpacked(opened(keys[value["key"]], un64(value["ct"]), bound)))
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


def test_finding_one_among_many_takes_few_statements_and_many_bad_ones_have_a_bound(
    day: Day, monkeypatch: pytest.MonkeyPatch
) -> None:
    phone = day.enrol()
    day.work()
    visits = many_visits(day, 32)
    tell(day, *((ChangeKind.VISIT, visit) for visit in visits))
    assert publish(day)[0] == 32  # makes keys and stretched answers, once
    tell(day, *((ChangeKind.VISIT, visit) for visit in visits))
    _, whole = publish(day)
    _, cursor = pull(phone)
    key = break_key(day, visits[20])
    tell(day, *((ChangeKind.VISIT, visit) for visit in visits))
    settled, one_bad = publish(day)
    assert settled == 31
    items, cursor = pull(phone, cursor)
    assert refs(items) == [str(visit) for visit in visits if visit != visits[20]]
    assert one_bad <= whole * (2 * 5 + 1), "one try and two for each halving"
    mend_key(day, visits[20], key)

    monkeypatch.setattr(apart, "FAILURES", 8)
    for visit in visits[:-1]:
        break_key(day, visit)
    tell(day, *((ChangeKind.VISIT, visit) for visit in visits))
    rounds = 0
    while str(visits[-1]) not in refs(pull(phone, cursor)[0]):
        assert publish(day)[1] <= whole * (2 * 8 + 1)
        rounds += 1
        assert rounds < 32, "each round finds some of the bad ones, which then wait: the good one's turn comes"
    assert rounds > 1


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
