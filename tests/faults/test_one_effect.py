"""One operation has one effect and one receipt, however often, in whatever order and however broken it comes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from fault_world import House
from processes import until
from proxy import Exchange, Fault
from sqlalchemy import func, select

from field_api.platform.database import transaction
from field_api.platform.sealing import from_b64u
from sync.mailbox import QuarantinedBytes
from sync.phone import Later, Patience, Phone, wire
from sync.phone.calls import Answer

pytest_plugins = ["fault_fixtures"]
pytestmark = pytest.mark.xdist_group("faults")
OPS = "POST /phone/v1/ops"


@pytest.fixture
def phone(house: House) -> Iterator[Phone]:
    """With eight operations at two visits: arrivals, notes, an outcome and its correction."""
    with house.enrol() as phone:
        phone.door.patience = Patience(tries=1)
        for visit in house.visits[:2]:
            phone.arrive(visit)
            phone.note(visit, "portón azul")
        phone.encounter(house.visits[0], "nobody")
        outcome = phone.record_outcome(house.visits[0], "nobody_there")
        phone.correction(outcome.op, "sí había luz")
        phone.note(house.visits[1], "sin timbre")
        yield phone


def documents(phone: Phone) -> list[dict[str, str]]:
    return [kept["document"] for _, kept in phone.handset.store.all("op")]


def send(phone: Phone, ops: list[dict[str, str]]) -> Answer:
    return phone.door.once(
        "POST", "/ops", body=wire.write_json({"ops": ops}), headers={"content-type": "application/json"}
    )


def receipts_in(body: bytes) -> list[tuple[bytes, bytes]]:
    return [(from_b64u(r["receipt"]), from_b64u(r["sig"])) for r in json.loads(body)["receipts"]]


def body_of(reply: bytes) -> bytes:
    return reply.partition(b"\r\n\r\n")[2]


def all_receipts(exchanges: list[Exchange]) -> dict[str, set[tuple[bytes, bytes]]]:
    """Every receipt that the door ever gave, by operation: whether the phone saw it or not."""
    given: dict[str, set[tuple[bytes, bytes]]] = {}
    for exchange in exchanges:
        if exchange.line.startswith(OPS):
            for reply in exchange.replies:
                for receipt in receipts_in(body_of(reply)):
                    given.setdefault(json.loads(receipt[0])["op"], set()).add(receipt)
    return given


def is_one_of_each(house: House, phone: Phone, ops: list[str]) -> None:
    """After all is applied: one row, one receipt, one place in the story for each; and the phone is told so."""
    house.work()
    phone.pull()
    inbox = house.inbox()
    assert {op: (seq, "applied") for seq, op in enumerate(ops, start=1)} == inbox
    assert house.effects() == dict.fromkeys(ops, 1)
    stored = house.receipts()
    assert all_receipts(house.proxy.exchanges) == {op: {stored[op]} for op in ops}
    with transaction(house.agency) as session:
        assert session.scalar(select(func.count()).select_from(QuarantinedBytes)) == 0
    assert phone.status()["verdicts"] == {"applied": len(ops)}
    assert phone.queue() == [], "all of it is receipted and durable"


def test_a_reply_dropped_after_the_commit(house: House, phone: Phone) -> None:
    ops = [entry["op"] for entry in phone.queue()]
    house.proxy.spoil(Fault(drop_reply=True), OPS, times=2)
    for _ in range(2):
        with pytest.raises(Later):
            phone.push()
    assert len(house.inbox()) == len(ops) and phone.status()["queue"] == {"unreceipted": len(ops)}
    pushed = phone.push()
    assert (pushed.received, phone.status()["sent_again"]) == (len(ops), 2 * len(ops))
    assert house.proxy.unspoiled() == 0
    is_one_of_each(house, phone, ops)


def test_a_reply_cut_anywhere_leaves_no_receipt_and_no_second_row(house: House, phone: Phone) -> None:
    ops = [entry["op"] for entry in phone.queue()]
    for at in (1, 17, 200, 700, 1500):
        house.proxy.spoil(Fault(cut_reply_at=at), OPS)
        with pytest.raises(Later):
            phone.push()
        assert phone.status()["queue"] == {"unreceipted": len(ops)}
    phone.push()
    is_one_of_each(house, phone, ops)


def test_a_request_cut_anywhere_is_no_operation(house: House, phone: Phone) -> None:
    ops = [entry["op"] for entry in phone.queue()]
    for at in (1, 300, 1200, 5000):
        house.proxy.spoil(Fault(cut_request_at=at), OPS)
        with pytest.raises(Later):
            phone.push()
    assert house.inbox() == {}
    phone.push()
    is_one_of_each(house, phone, ops)


def test_the_same_push_six_times_at_once(house: House, phone: Phone) -> None:
    ops = [entry["op"] for entry in phone.queue()]
    house.proxy.spoil(Fault(duplicate=5), OPS)
    assert phone.push().received == len(ops)
    (exchange,) = [e for e in house.proxy.exchanges if e.line.startswith(OPS)]
    assert len(exchange.replies) == 6 and len({body_of(reply) for reply in exchange.replies}) == 1
    is_one_of_each(house, phone, ops)


def test_each_operation_by_itself_six_times_at_once(house: House, phone: Phone) -> None:
    """Requests of their own, signed each for itself: not one request repeated."""
    ops, sent = [entry["op"] for entry in phone.queue()], documents(phone)
    headers = {"content-type": "application/json"}
    with ThreadPoolExecutor(6) as pool:
        for document in sent:
            body = wire.write_json({"ops": [document]})
            nonce = phone.handset.nonce
            calls = [pool.submit(_one_call, phone, "/ops", body, headers, nonce) for _ in range(6)]
            assert len({call.result() for call in calls}) == 1
    phone.push()
    is_one_of_each(house, phone, ops)


def _one_call(phone: Phone, path: str, body: bytes, headers: dict[str, str], nonce: str | None) -> bytes:
    with phone.door._send_signed("POST", path, "", body, headers, nonce) as response:
        assert response.status_code == 200, response.text
        return response.content


def test_one_operation_six_times_in_one_batch_and_the_batch_twice(house: House, phone: Phone) -> None:
    ops, sent = [entry["op"] for entry in phone.queue()], documents(phone)
    once = receipts_in(send(phone, sent[:1] * 6).body)
    assert len(once) == 6 and len(set(once)) == 1
    twice = [receipts_in(send(phone, [*sent, *sent]).body) for _ in range(2)]
    assert twice[0] == twice[1] and twice[0][: len(sent)] == twice[0][len(sent) :]
    assert twice[0][0] == once[0]
    phone.push()
    is_one_of_each(house, phone, ops)


def test_batches_that_overtake_each_other_are_applied_in_the_devices_order(house: House, phone: Phone) -> None:
    """The last batch comes first and is looked at before the others are there: what depends on them is held."""
    ops, sent = [entry["op"] for entry in phone.queue()], documents(phone)
    send(phone, list(reversed(sent[4:])))
    house.work()
    before = house.inbox()
    assert before[ops[6]][1] == before[ops[5]][1] == "applied", "its dependencies are in the same batch"
    send(phone, sent[2:4])
    house.work()
    send(phone, sent[:2])
    phone.push()
    is_one_of_each(house, phone, ops)


def test_a_dependant_that_overtakes_is_held_and_applied_once(house: House, phone: Phone) -> None:
    ops, sent = [entry["op"] for entry in phone.queue()], documents(phone)
    send(phone, [sent[6]])  # the correction of the outcome
    house.work()
    send(phone, [sent[5]])  # the outcome of the encounter
    house.work()
    assert [house.inbox()[ops[n]][1] for n in (5, 6)] == ["held", "held"] and house.effects() == {}
    send(phone, sent)
    phone.push()
    is_one_of_each(house, phone, ops)


def test_a_push_held_back_on_the_way_until_later_ones_have_passed(house: House, phone: Phone) -> None:
    ops, sent = [entry["op"] for entry in phone.queue()], documents(phone)
    headers = {"content-type": "application/json"}
    bodies = [wire.write_json({"ops": part}) for part in (sent[:3], sent[3:6], sent[6:])]
    house.proxy.spoil(Fault(behind=2), OPS)
    with ThreadPoolExecutor(3) as pool:
        first = pool.submit(_one_call, phone, "/ops", bodies[0], headers, phone.handset.nonce)
        until(lambda: any(e.line.startswith(OPS) for e in house.proxy.exchanges))
        for body in bodies[1:]:
            _one_call(phone, "/ops", body, headers, phone.handset.nonce)
            house.work()
        assert not any(e.fault.behind and e.replies for e in house.proxy.exchanges) or first.done()
        first.result()
    phone.push()
    is_one_of_each(house, phone, ops)
