"""Operations take effect exactly once, each for itself; what cannot is kept with a reason and holds up nobody."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select, text, update
from sqlalchemy.exc import OperationalError

import sync.office.decide_operation
from field_api.domain.confidential import audience
from field_api.domain.disclosure import Audience
from field_api.platform.database import transaction
from field_api.platform.devices import Device
from field_api.platform.sealing import b64u
from field_api.platform.wiring import office_keys
from field_api.records.log import LogEntry
from field_api.records.visits import VisitEvent
from field_api.usecases.withdraw_visit import withdraw_visit
from sync.mailbox import InboxOp
from sync.office.apply import apply_device
from sync.office.devices import revoke_device
from sync.office.turns import RETRY_AFTER, begin_turn, name_operation
from sync.records import ApplyTurn
from tests.door_client import Phone, un64
from tests.sync_day import Day, pull, states

pytest_plugins = ["tests.door_fixtures"]


@pytest.fixture
def phone(day: Day) -> Phone:
    return day.enrol()


TOLD_IN_THE_STORY = {"unknown-kind", "invalid-body", "cannot-open"}
"""Quarantined for these reasons, an operation still names a visit that the office knows."""


def events(day: Day) -> list[str]:
    with transaction(day.agency) as session:
        return list(
            session.scalars(select(VisitEvent.kind).where(VisitEvent.op_id.is_not(None)).order_by(VisitEvent.id))
        )


def flags(day: Day) -> list[list[str]]:
    with transaction(day.agency) as session:
        return list(session.scalars(select(InboxOp.flags).order_by(InboxOp.seq, InboxOp.received_at)))


def at_visit(day: Day, phone: Phone, kind: str = "arrived", body: dict[str, Any] | None = None, **more: Any) -> dict:
    return phone.operation(kind, body or {}, visit=day.visits[0], av=1, **more)


def test_a_batch_sent_three_times_takes_effect_once(day: Day, phone: Phone) -> None:
    batch = [at_visit(day, phone), at_visit(day, phone, "note", {"words": "timbre azul"})]
    for _ in range(3):
        phone.push(*batch)
        day.work()
    assert states(day) == [("applied", None), ("applied", None)]
    assert events(day) == ["arrived", "note"]


def test_operations_that_came_in_any_order_are_applied_in_order_of_seq(day: Day, phone: Phone) -> None:
    batch = [
        at_visit(day, phone),
        at_visit(day, phone, "encounter", {"relation": "nobody"}),
        at_visit(day, phone, "note", {"words": "ok"}),
    ]
    phone.push(batch[2])
    phone.push(batch[0], batch[1])
    day.work()
    assert events(day) == ["arrived", "encounter", "note"]


def test_an_operation_waits_for_what_it_needs_and_nobody_else_waits(day: Day, phone: Phone) -> None:
    needed = uuid4()
    first = at_visit(day, phone, "encounter", {"relation": "nobody"}, op=needed)
    second = at_visit(day, phone, "note", {"words": "a"}, deps=(needed,))
    third = at_visit(day, phone, "note", {"words": "b"})
    phone.push(second, third)
    day.work()
    assert states(day) == [("held", "waits"), ("applied", None)]
    _, cursor = pull(phone)
    phone.push(first)
    day.work()
    assert states(day) == [("applied", None)] * 3
    assert events(day) == ["note", "encounter", "note"]
    verdicts = {
        item["body"]["seq"]: item["body"]["verdict"] for item in pull(phone, cursor)[0] if item["kind"] == "verdict"
    }
    assert verdicts == {1: "applied", 2: "applied"}


def test_an_operation_on_a_withdrawn_visit_is_late_and_its_facts_are_kept(day: Day, phone: Phone) -> None:
    with transaction(day.agency) as session:
        withdraw_visit(session, day.visits[0], reason="pagó", now=day.clock.now(), by=None)
    phone.push(at_visit(day, phone))
    day.work()
    assert states(day) == [("late", None)]
    assert events(day) == ["arrived"]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"kind": "telepathy"}, "unknown-kind"),
        ({"kind": "arrived", "visit": "strange"}, "unknown-visit"),
        ({"kind": "encounter", "body": {"relation": "martian"}}, "invalid-body"),
        ({"key": "0" * 16}, "cannot-open"),
        ({"size": 777}, "invalid-header"),
        ({"prev": "?"}, "invalid-header"),
        ({"deps": ["x"]}, "invalid-header"),
    ],
)
def test_what_cannot_be_applied_is_quarantined_with_a_reason(
    day: Day, phone: Phone, change: dict[str, Any], reason: str
) -> None:
    change = dict(change)
    visit = uuid4() if change.pop("visit", None) else day.visits[0]
    kind, body = change.pop("kind", "arrived"), change.pop("body", {})
    bad = phone.operation(kind, body, visit=visit, av=1, **({"size": 512} | change if "size" not in change else {}))
    if "size" in change:
        bad = phone.operation(kind, body, visit=visit, av=1, seq=1, size=change["size"])
    phone.push(bad, at_visit(day, phone))
    day.work()
    assert states(day) == [("quarantined", reason), ("applied", None)]
    told = ["verdict"] if reason in TOLD_IN_THE_STORY else []
    assert events(day) == [*told, "arrived"]


def test_an_operation_that_crashes_the_code_is_quarantined_and_the_rest_go_on(
    day: Day, phone: Phone, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The crash is a real one in the middle of real work: what it had written is rolled back."""
    real = sync.office.decide_operation.record_operation

    def stumbling(session: Any, operation: Any, **more: Any) -> Any:
        effect = real(session, operation, **more)
        if operation.body.get("words") == "boom":
            raise ZeroDivisionError
        return effect

    monkeypatch.setattr(sync.office.decide_operation, "record_operation", stumbling)
    phone.push(
        at_visit(day, phone),
        at_visit(day, phone, "note", {"words": "boom"}),
        at_visit(day, phone, "note", {"words": "b"}),
    )
    day.work()
    assert states(day) == [("applied", None), ("quarantined", "crashed:ZeroDivisionError"), ("applied", None)]
    assert events(day) == ["arrived", "verdict", "note"]
    with transaction(day.agency) as session:
        assert session.scalars(select(VisitEvent.actor).where(VisitEvent.kind == "verdict")).one() == "system"
        assert session.scalars(select(InboxOp.incident).where(InboxOp.state == "quarantined")).one()


def test_trouble_of_the_database_quarantines_nothing_and_is_tried_again(
    day: Day, phone: Phone, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: Any, **__: Any) -> Any:
        raise OperationalError("SELECT", {}, Exception("gone"))

    phone.push(at_visit(day, phone))
    with monkeypatch.context() as patch:
        patch.setattr(sync.office.decide_operation, "record_operation", away)
        day.work()
    assert states(day) == [("received", None)]
    day.work()
    assert states(day) == [("received", None)], "what it failed of a moment ago may still be there"
    day.clock.advance(RETRY_AFTER)
    day.work()
    assert states(day) == [("applied", None)]


def test_a_statement_that_the_database_gives_up_on_is_the_operations_own_in_the_end(
    day: Day, phone: Phone, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A real timeout of a real statement: tried with the others, then alone, and again later; then it stands aside."""
    real = sync.office.decide_operation.record_operation

    def slow(session: Any, operation: Any, **more: Any) -> Any:
        if operation.body.get("words") == "slow":
            session.execute(text("SET LOCAL statement_timeout = '20ms'"))
            session.execute(text("SELECT pg_sleep(10)"))
        return real(session, operation, **more)

    monkeypatch.setattr(sync.office.decide_operation, "record_operation", slow)
    words = ["a", "slow", "b", "c"]
    phone.push(*[at_visit(day, phone, "note", {"words": word}) for word in words])
    for state in ("received", "received", "quarantined"):
        day.work()
        assert states(day)[0] == ("applied", None), "what stood before it was taken"
        assert states(day)[1][0] == state
        day.clock.advance(RETRY_AFTER)
    reason = ("quarantined", "crashed:OperationalError")
    assert states(day) == [("applied", None), reason, ("applied", None), ("applied", None)]
    assert events(day) == ["note", "verdict", "note", "note"]
    with transaction(day.agency) as session:
        assert session.scalars(select(ApplyTurn)).all() == []
        assert session.scalars(select(InboxOp.incident).where(InboxOp.state == "quarantined")).one()


def test_a_worker_that_dies_again_and_again_is_held_against_the_operation_unless_the_server_ended(
    day: Day, phone: Phone
) -> None:
    """The marks alone, as a worker leaves them that was killed: `test_poison_operations` kills real ones."""
    op_id = UUID(json.loads(un64(at_visit(day, phone)["protected"]))["op"])
    long_ago = day.clock.now()
    for server_ended, tries in ((False, 1), (False, 2), (True, 2), (False, 3)):
        with transaction(day.agency) as session:
            begin_turn(session, phone.device)
            if server_ended:
                session.execute(update(ApplyTurn).values(server_started_at=long_ago))
            attempt = name_operation(session, phone.device, op_id, now=day.clock.now())
        assert attempt.tries == tries
    assert attempt.given_up == "crashed-worker"


def together(day: Day) -> list[set[int]]:
    """The seqs that were decided in one transaction each."""
    with transaction(day.agency) as session:
        rows = session.execute(select(InboxOp.seq, text("inbox.xmin::text")).order_by(InboxOp.seq)).all()
    return [{row.seq for row in rows if row[1] == number} for number in dict.fromkeys(row[1] for row in rows)]


def apply(day: Day, phone: Phone) -> None:
    apply_device(day.agency, office_keys().of(day.agency), phone.device, now=day.clock.now())


def test_a_run_is_of_many_visits_and_what_locks_more_is_by_itself(day: Day, phone: Phone) -> None:
    """A hold locks all that somebody owes, letters have their own order: neither is locked beside other visits."""
    here, there = day.visits
    batch = [
        at_visit(day, phone),
        phone.operation("note", {"words": "a"}, visit=here, av=1),
        phone.operation("outcome", {"outcome": "nobody_there"}, visit=there, av=1),
        phone.operation("note", {"words": "b"}, visit=there, av=1),
        phone.operation("outcome", {"outcome": "deceased", "told_by": "neighbour"}, visit=here, av=1),
        phone.operation("letter", {"handling": "not_delivered"}, visit=there, av=1),
        phone.operation("note", {"words": "c"}, visit=here, av=1),
    ]
    phone.push(*batch)
    apply(day, phone)
    assert states(day) == [("applied", None)] * len(batch)
    assert together(day) == [{1, 2, 3, 4}, {5}, {6}, {7}]


def test_what_goes_wrong_undoes_its_run_and_takes_nobody_with_it(
    day: Day, phone: Phone, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those before it are taken again without it, then it by itself, then those after it."""
    real = sync.office.decide_operation.record_operation

    def stumbling(session: Any, operation: Any, **more: Any) -> Any:
        effect = real(session, operation, **more)
        if operation.body.get("words") == "boom":
            session.execute(text("SELECT 1 / 0"))
        return effect

    monkeypatch.setattr(sync.office.decide_operation, "record_operation", stumbling)
    phone.push(*[at_visit(day, phone, "note", {"words": words}) for words in ("a", "b", "boom", "c", "d")])
    apply(day, phone)
    applied, crashed = ("applied", None), ("quarantined", "crashed:DataError")
    assert states(day) == [applied, applied, crashed, applied, applied]
    assert together(day) == [{1, 2}, {3}, {4, 5}]
    assert events(day) == ["note", "note", "verdict", "note", "note"]


def test_what_shows_only_when_a_run_is_written_is_found_one_by_one(
    day: Day, phone: Phone, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A row that the database refuses is sent with the others of its run: nobody was in hand."""
    real = sync.office.decide_operation.record_operation

    def twice(session: Any, operation: Any, **more: Any) -> Any:
        effect = real(session, operation, **more)
        if operation.body.get("words") == "nowhere":
            session.add(VisitEvent(visit_id=uuid4(), at=day.clock.now(), kind="note", actor="system", body="{}"))
        return effect

    monkeypatch.setattr(sync.office.decide_operation, "record_operation", twice)
    phone.push(*[at_visit(day, phone, "note", {"words": words}) for words in ("a", "nowhere", "b")])
    apply(day, phone)
    assert states(day) == [("applied", None), ("quarantined", "crashed:IntegrityError"), ("applied", None)]
    assert together(day) == [{1}, {2}, {3}]


def test_a_run_stops_after_what_somebody_waits_for(day: Day, phone: Phone) -> None:
    """Who waited has the lower number, and comes before what follows."""
    needed = uuid4()
    first = at_visit(day, phone, "note", {"words": "waits"}, deps=(needed,))
    phone.push(first)
    apply(day, phone)
    second = at_visit(day, phone, "note", {"words": "needed"}, op=needed)
    phone.push(second, at_visit(day, phone, "note", {"words": "after"}))
    apply(day, phone)
    assert states(day) == [("applied", None)] * 3
    assert together(day) == [{1, 3}, {2}]
    with transaction(day.agency) as session, audience(Audience.OFFICE_JOB):
        story = session.scalars(select(VisitEvent).where(VisitEvent.op_id.is_not(None)).order_by(VisitEvent.id)).all()
        words = [json.loads(event.body.reveal(Audience.OFFICE_JOB))["recorded"]["words"] for event in story]
    assert words == ["needed", "waits", "after"]


def test_bytes_swapped_by_the_door_are_found_at_the_office(day: Day, phone: Phone) -> None:
    """The door's word that a signature held is not taken on trust."""
    phone.push(at_visit(day, phone))
    with transaction(day.agency) as session:
        row = session.scalars(select(InboxOp)).one()
        row.ct = row.ct[:-1] + bytes([row.ct[-1] ^ 1])
    day.work()
    assert states(day) == [("quarantined", "bad-signature")]


def test_a_broken_chain_and_a_seq_used_twice_are_flagged_and_refused_nothing(day: Day, phone: Phone) -> None:
    first = at_visit(day, phone)
    second = at_visit(day, phone, prev=b64u(bytes(32)))
    twin = at_visit(day, phone, "note", {"words": "x"}, seq=2)
    phone.push(first, second, twin)
    day.work()
    assert states(day) == [("applied", None)] * 3
    assert "chain-broken" not in flags(day)[0]
    assert "chain-broken" in flags(day)[1]
    assert any("seq-twice" in found for found in flags(day))


def test_a_clock_of_1970_or_none_at_all_keeps_nothing_out(day: Day, phone: Phone) -> None:
    phone.push(
        at_visit(day, phone, wall="1970-01-01T00:00:00.000Z"), at_visit(day, phone, wall="yesterday", mono_ms="x")
    )
    day.work()
    assert states(day) == [("applied", None)] * 2
    assert "clock-unreadable" in flags(day)[1]


@pytest.mark.parametrize("anchor", [[], {}, 7, ["x"], "é", "a.b", "x" * 2_000])
def test_an_anchor_of_any_shape_keeps_nothing_out(day: Day, phone: Phone, anchor: Any) -> None:
    phone.push(at_visit(day, phone, anchor=anchor))
    day.work()
    assert states(day) == [("applied", None)]
    assert "no-anchor" in flags(day)[0]


def test_what_a_phone_sent_before_it_was_revoked_still_counts(day: Day, phone: Phone) -> None:
    phone.push(at_visit(day, phone))
    day.clock.advance(timedelta(minutes=1))
    with transaction(day.agency) as session:
        revoke_device(session, office_keys().of(day.agency), phone.device, "lost", now=day.clock.now())
    phone.push(at_visit(day, phone))
    day.work()
    assert states(day) == [("applied", None), ("quarantined", "device-revoked")]
    assert events(day) == ["arrived", "verdict"]


def test_two_workers_at_once_apply_everything_once(day: Day, phone: Phone) -> None:
    from threading import Thread

    phone.push(*[at_visit(day, phone, "note", {"words": f"nota {n}"}) for n in range(12)])
    threads = [Thread(target=day.work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    while day.work():
        pass
    assert states(day) == [("applied", None)] * 12
    assert len(events(day)) == 12
    with transaction(day.agency) as session:
        numbers = session.scalars(select(LogEntry.number).order_by(LogEntry.number)).all()
        assert numbers == list(range(len(numbers)))
        assert session.scalars(select(Device.state)).one() == "active"


def _promises(minor: int, currency: str = "MXN") -> dict[str, Any]:
    amount = {"minor": minor, "currency": currency}
    promise = {"result": "promise", "kind": "partial", "amount": amount, "due_on": "2026-12-01"}
    return {
        "outcome": "client_located", "party": {"relation": "sought"}, "identified_by": "code", "results": [promise],
        "position": {"lat": 19.4, "lon": -99.1, "accuracy_m": 8.0},
    }  # fmt: skip


def test_no_verdict_tells_an_unchecked_phone_how_much_is_owed_or_that_there_are_letters(day: Day, phone: Phone) -> None:
    """Else whoever holds an open phone halves their way to the balance: some twenty promises that nobody made."""
    phone.push(at_visit(day, phone, "outcome", _promises(1)))  # the first one ends the visit: all that follow are alike
    guesses = [_promises(250_000), _promises(250_001), _promises(1, "USD")]
    for guess in guesses:
        phone.push(at_visit(day, phone, "outcome", guess))
    phone.push(at_visit(day, phone, "letter", {"handling": "not_delivered"}))
    day.work()
    assert "letter-unknown" in flags(day)[4]
    with transaction(day.agency) as session:
        shown = list(session.scalars(select(VisitEvent.flags).where(VisitEvent.kind == "outcome")))
    assert sum("more-than-owed" in found for found in shown) == sum("currency-differs" in found for found in shown) == 1
    verdicts = sorted(
        (item["body"] for item in pull(phone)[0] if item["kind"] == "verdict"), key=lambda verdict: verdict["seq"]
    )
    told = [{**verdict, "seq": 0} for verdict in verdicts]
    assert told[1] == told[2] == told[3] and "again" in told[1]["flags"]
    assert told[4]["flags"] == [flag for flag in told[0]["flags"] if flag == "clock-wrong"]
