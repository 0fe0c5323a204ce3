"""Exactly once, from the phone's side: it sends stored bytes again and again, and deletes only what is proved safe."""

from __future__ import annotations

import json
from typing import Any

import pytest
import requests
from phone_world import World
from small_door import answer

from field_api.platform.sealing import from_b64u
from sync.phone import DoorRefused, Later, Phone, Untrusted


def _notes(world: World, phone: Phone, count: int) -> None:
    for number in range(count):
        phone.note(world.visits[0], f"note {number}")


def test_a_batch_is_receipted_and_kept_until_it_is_durable(world: World, phone: Phone) -> None:
    _notes(world, phone, 3)
    pushed = phone.push()
    assert (pushed.sent, pushed.received, pushed.deleted, pushed.waiting) == (3, 3, 0, 3)
    world.office.durable_seq = 2
    phone.pull()
    assert [entry["seq"] for entry in phone.queue()] == [3]
    assert phone.push().sent == 0


def test_batches_keep_to_fifty_and_to_what_was_asked(world: World, phone: Phone) -> None:
    _notes(world, phone, 53)
    phone.push()
    assert world.door.op_calls == [50, 3]
    _notes(world, phone, 5)
    phone.push(batch=2)
    assert world.door.op_calls[2:] == [2, 2, 1]


def test_batches_keep_to_256_kib(world: World, phone: Phone) -> None:
    import random

    noise = random.Random(2)
    for _ in range(12):
        phone.note(world.visits[0], "".join(chr(noise.randrange(0x4E00, 0x9FFF)) for _ in range(9_000)))
    phone.push()
    assert len(world.door.op_calls) > 1 and sum(world.door.op_calls) == 12


def test_an_answer_lost_after_the_door_committed_is_no_second_operation(world: World, phone: Phone) -> None:
    _notes(world, phone, 2)
    world.door.lose_next_answer = 1
    pushed = phone.push()
    assert pushed.received == 2 and world.door.op_calls == [2, 2] and len(world.door.ops) == 2
    assert phone.status()["sent_again"] == 2
    bodies = [body for _, path, body, _ in world.door.requests if path == "/ops"]
    assert bodies[0] == bodies[1], "the stored bytes are sent, not new ones"


def test_a_lost_answer_with_no_patience_left_is_made_up_at_the_next_session(world: World, phone: Phone) -> None:
    _notes(world, phone, 2)
    world.door.lose_next_answer = 99
    with pytest.raises(Later):
        phone.push()
    world.door.lose_next_answer = 0
    phone.close()
    with world.open() as again:
        assert again.push().received == 2
        assert len(world.door.ops) == 2


def test_what_a_restored_door_lacks_is_sent_again_though_receipted(world: World, phone: Phone) -> None:
    _notes(world, phone, 3)
    phone.push()
    last = max(world.door.ops, key=lambda op: world.door.ops[op]["seq"])
    del world.door.ops[last]
    assert phone.push().sent == 1
    assert last in world.door.ops


def test_what_was_durable_before_a_restore_lets_nothing_go_after_it(world: World, phone: Phone) -> None:
    """The receipt was lost, the statement came; then the server lost both, and got the operation again."""
    _notes(world, phone, 1)
    world.door.lose_next_answer = 99
    with pytest.raises(Later):
        phone.push()
    world.door.lose_next_answer, world.office.durable_seq = 0, 1
    phone.pull()
    world.door.ops.clear()
    world.office.durable_seq = None
    world.office.restored()
    phone.pull()
    pushed = phone.push()
    assert (phone.status()["epoch"], pushed.received, pushed.deleted, len(phone.queue())) == (2, 1, 0, 1)
    world.office.durable_seq = 1
    phone.pull()
    assert phone.queue() == []


def _receipts(world: World, alter: Any) -> None:
    honest = world.office.receipt

    def altered(op: dict[str, str], status: str = "received") -> dict[str, str]:
        result: dict[str, str] = alter(honest, op)
        return result

    world.office.receipt = altered  # type: ignore[method-assign]


def test_a_receipt_for_other_bytes_proves_nothing(world: World, phone: Phone) -> None:
    _notes(world, phone, 1)
    phone.note(world.visits[0], "another")
    ops = [kept["document"] for _, kept in phone.handset.store.all("op")]
    _receipts(world, lambda honest, op: honest(ops[0]))
    world.office.durable_seq = 2
    pushed = phone.push()
    phone.pull()
    assert (pushed.received, pushed.proofless) == (1, 1)
    assert [entry["seq"] for entry in phone.queue()] == [2]


def test_a_receipt_that_the_door_did_not_sign_is_refused(world: World, phone: Phone) -> None:
    _notes(world, phone, 1)
    _receipts(
        world,
        lambda honest, op: world.office.signed(
            "office", "doorstep-receipt-v1", "receipt", json.loads(from_b64u(honest(op)["receipt"]))
        ),
    )
    with pytest.raises(Untrusted, match="bad-signature"):
        phone.push()
    assert len(phone.queue()) == 1 and phone.queue()[0]["receipt"] is None


@pytest.mark.parametrize("status", ["fork", "quarantined"])
def test_only_received_lets_an_operation_go(world: World, phone: Phone, status: str) -> None:
    _notes(world, phone, 1)
    _receipts(world, lambda honest, op: honest(op, status))
    world.office.durable_seq = 1
    pushed = phone.push()
    phone.pull()
    assert getattr(pushed, status) == 1 and phone.queue()[0]["receipt"] == status


def test_a_durable_statement_of_another_epoch_or_signer_deletes_nothing(world: World, phone: Phone) -> None:
    _notes(world, phone, 1)
    phone.push()
    world.office.durable_seq = 1
    honest = world.office.durable
    world.office.durable = lambda: world.office.signed(  # type: ignore[method-assign]
        "office", "doorstep-durable-v1", "statement",
        world.office.named(epoch=9, durable_seq=1, at="2026-11-18T15:00:00.000Z"),
    )  # fmt: skip
    phone.pull()
    assert len(phone.queue()) == 1
    world.office.durable = lambda: world.office.signed(  # type: ignore[method-assign]
        "door", "doorstep-durable-v1", "statement",
        world.office.named(epoch=1, durable_seq=1, at="2026-11-18T15:00:00.000Z"),
    )  # fmt: skip
    with pytest.raises(Untrusted):
        phone.pull()
    assert len(phone.queue()) == 1
    world.office.durable = honest  # type: ignore[method-assign]
    phone.pull()
    assert phone.queue() == []


def test_what_the_office_excepts_stays_whatever_the_door_receipted(world: World, phone: Phone) -> None:
    """A door that kept other bytes than it signed a receipt for cannot have the operation deleted."""
    _notes(world, phone, 2)
    phone.push()
    stated = {"epoch": 1, "durable_seq": 2, "at": "2026-11-18T15:00:00.000Z"}
    for exceptions, left in (([1], [1]), ([], [])):
        named = world.office.named(**stated, **{"except": exceptions})
        world.office.durable = lambda named=named: world.office.signed(  # type: ignore[method-assign,misc]
            "office", "doorstep-durable-v1", "statement", named
        )
        phone.pull()
        assert [entry["seq"] for entry in phone.queue()] == left


def test_too_few_receipts_are_no_receipts(world: World, phone: Phone) -> None:
    _notes(world, phone, 2)
    world.door.script = [lambda *_: None, lambda *_: answer(200, {"receipts": []})]
    with pytest.raises(Untrusted, match="receipts"):
        phone.push()
    assert phone.push().received == 2


def test_verdicts_come_by_the_feed_and_outlive_a_snapshot(world: World, phone: Phone) -> None:
    note = phone.note(world.visits[0], "n")
    phone.push()
    world.office.publish("verdict", note.op, 1, {"seq": note.seq, "verdict": "late", "reason": None, "flags": ["late"]})
    phone.pull()
    world.office.restored()
    world.office.contents.clear()
    phone.pull()
    assert phone.verdicts() == [{"op": note.op, "seq": 1, "verdict": "late", "reason": None, "flags": ["late"]}]


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504, None])
def test_no_later_takes_an_operation_off_the_queue(world: World, phone: Phone, status: int | None) -> None:
    """None: the call timed out. After all patience the session ends; the queue stays as it was, to the byte."""
    _notes(world, phone, 2)
    held = [(entry["seq"], entry["op"], entry["receipt"]) for entry in phone.queue()]

    def later(_method: str, path: str) -> requests.Response | None:
        if path != "/ops":
            return None
        if status is None:
            raise requests.ReadTimeout
        return answer(status, {"code": "unavailable"}, {"Retry-After": "3"})

    world.door.script = [later] * 20
    with pytest.raises(Later):
        phone.push()
    assert [(entry["seq"], entry["op"], entry["receipt"]) for entry in phone.queue()] == held
    assert world.door.ops == {}
    world.door.script = []
    assert phone.push().received == 2


@pytest.mark.parametrize(
    ("status", "code"),
    [(400, "bad-request"), (410, "gone"), (413, "too-large"), (418, "to-come"), (460, "digest-mismatch")],
)
def test_no_refusal_takes_an_operation_off_the_queue(world: World, phone: Phone, status: int, code: str) -> None:
    _notes(world, phone, 2)
    world.door.script = [lambda *_: None, lambda *_: answer(status, {"code": code})]
    with pytest.raises(DoorRefused, match=code):
        phone.push()
    assert len(phone.queue()) == 2 and phone.push().received == 2


def test_a_code_that_is_not_known_is_told_by_its_status(world: World, phone: Phone) -> None:
    _notes(world, phone, 1)
    world.door.script = [lambda *_: answer(503, {"code": "to-come"})]
    assert phone.push().received == 1 and world.waits


def test_the_door_is_told_how_many_operations_there_are(world: World, phone: Phone) -> None:
    _notes(world, phone, 3)
    phone.push()
    assert ("/ops/state", "newest=3") in world.door.asked
