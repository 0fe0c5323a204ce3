"""A disk took what phones had already deleted: nothing after it waits for ever, and a person is shown what is gone."""

from __future__ import annotations

import json
from uuid import UUID

import pytest
from fault_world import House
from sqlalchemy import delete, select

from doorstep.backup.replay import begin_epoch
from field_api.platform.clock import SystemClock
from field_api.platform.database import transaction
from field_api.platform.wiring import office_keys
from field_api.records.log import LogEntry
from field_api.records.visits import VisitEvent
from sync.mailbox import InboxOp, QuarantinedBytes
from sync.office.audit import export_log
from sync.office.lost_operations import FLAG, LOST, REASON
from sync.office.quarantine import waiting_for_a_person
from sync.phone import Phone

pytest_plugins = ["fault_fixtures"]
pytestmark = pytest.mark.xdist_group("faults")


def sent_and_deleted(house: House, phone: Phone, count: int) -> None:
    for number in range(count):
        phone.note(house.visits[number % 3], f"nota {number}")
    exchanged(house, phone)


def exchanged(house: House, phone: Phone) -> None:
    house.work()
    phone.push()
    house.work()
    phone.pull()


def disk_lost(house: House, after: int) -> None:
    """As a restored backup leaves it: what came later is in no table, and phones find a new epoch."""
    with transaction(house.agency) as session:
        lost = set(session.scalars(select(InboxOp.op_id).where(InboxOp.seq > after)))
        session.execute(delete(VisitEvent).where(VisitEvent.op_id.in_(lost)))
        session.execute(delete(InboxOp).where(InboxOp.seq > after))
        begin_epoch(session, [], SystemClock().now())


def test_what_comes_after_the_gap_is_durable_once_the_phone_says_what_it_still_has(house: House) -> None:
    phone = house.enrol()
    sent_and_deleted(house, phone, 6)
    assert phone.queue() == []
    disk_lost(house, after=2)
    sent_and_deleted(house, phone, 2)
    assert [entry["seq"] for entry in phone.queue()] == [7, 8], "the gap keeps them, though they are received"
    phone.session()
    exchanged(house, phone)
    phone.pull()
    assert phone.queue() == []
    with transaction(house.agency) as session:
        places = session.scalars(select(QuarantinedBytes).order_by(QuarantinedBytes.seq)).all()
        assert [(place.seq, place.status, place.reason) for place in places] == [(n, LOST, REASON) for n in range(3, 7)]
        said = {(line.state, line.reason): line.count for line in waiting_for_a_person(session)}
        assert said == {(f"{LOST}: bytes", REASON): 4}
        told = session.scalars(select(LogEntry.detail).where(LogEntry.detail["decision"].astext == FLAG)).one()
        assert (told["first"], told["last"], told["count"]) == (3, 6, 4)
    verdict = phone.verdicts()[-1]
    assert verdict["verdict"] == "applied"
    with transaction(house.agency) as session:
        assert FLAG in session.scalars(select(InboxOp.flags).where(InboxOp.seq == 9)).one()
    phone.session()
    exchanged(house, phone)
    with transaction(house.agency) as session:
        assert len(session.scalars(select(QuarantinedBytes.seq)).all()) == 4, "said once"
    phone.close()


def test_a_day_on_which_nothing_was_lost_says_nothing(house: House) -> None:
    phone = house.enrol()
    phone.session()
    sent_and_deleted(house, phone, 3)
    phone.note(house.visits[0], "todavía aquí")
    phone.session()
    exchanged(house, phone)
    with transaction(house.agency) as session:
        assert session.scalars(select(QuarantinedBytes.seq)).all() == []
        assert {FLAG in flags for flags in session.scalars(select(InboxOp.flags))} == {False}
        lines = [
            json.loads(line) for line in export_log(session, office_keys().of(house.agency), now=SystemClock().now())
        ]
    assert not [line for line in lines if "outside" in line]
    phone.close()


@pytest.mark.parametrize("oldest", [2**53, 10**12])
def test_a_phone_that_claims_the_impossible_gets_no_places(house: House, oldest: int) -> None:
    """No further than its own number, whatever it says."""
    phone = house.enrol()
    phone.session(oldest_seq=oldest)
    exchanged(house, phone)
    assert UUID(phone.handset.device)
    with transaction(house.agency) as session:
        assert session.scalars(select(QuarantinedBytes.seq)).all() == []
    phone.close()
