"""Pushing: send what the door lacks, believe only signed receipts for one's own bytes, delete only what is durable."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

from sync.phone import wire
from sync.phone.calls import Door
from sync.phone.errors import Revoked, Untrusted
from sync.phone.feed import load_durable
from sync.phone.handset import Handset
from sync.phone.trust import signed_part

RECEIPT = b"doorstep-receipt-v1"
MAX_OPS = 50
MAX_BATCH_BYTES = 256 * 1024
STATUSES = frozenset({"received", "fork", "quarantined"})


@dataclass(frozen=True)
class Pushed:
    """One session's push: operations sent, receipts by status, proofless receipts, operations deleted and left."""

    sent: int
    received: int
    fork: int
    quarantined: int
    proofless: int
    deleted: int
    waiting: int


def push(door: Door, batch: int = MAX_OPS) -> Pushed:
    """Send all that the door lacks or has not receipted. Raises Later, Untrusted, DoorRefused; nothing is lost then."""
    handset = door.handset
    held = _ask_what_is_held(door)
    waiting = [seq for seq in handset.store.keys("op") if not held(seq) or not _is_receipted(handset, seq)]
    statuses: list[str] = []
    for group in _batches(handset, waiting, min(batch, MAX_OPS)):
        statuses += door.patience.insist(partial(_send, door, group))
        handset.step("push.batch")
    deleted = drop_durable(handset)
    received, fork, quarantined, proofless = (
        statuses.count(status) for status in ("received", "fork", "quarantined", "proofless")
    )
    left = len(handset.store.keys("op"))
    return Pushed(len(statuses), received, fork, quarantined, proofless, deleted, left)


class _Held:
    """What the door holds: a hint, since it is not signed. At worst something is sent once more."""

    def __init__(self, contiguous: int, ranges: list[tuple[int, int]]) -> None:
        self._ranges = [(1, contiguous), *ranges]

    def __call__(self, seq: int) -> bool:
        return any(first <= seq <= last for first, last in self._ranges)


def _ask_what_is_held(door: Door) -> _Held:
    """Also tells the office how much there is to come. A revoked phone is not told; its old queue is taken all the
    same, so it sends whatever has no receipt."""
    try:
        newest = (door.handset.store.get("state", "chain") or {"seq": 0})["seq"]
        return _held(door.call("GET", "/ops/state", f"newest={newest}").json())
    except Revoked:
        return _Held(0, [])


def _held(state: Any) -> _Held:
    ranges = wire.field(state, "ranges", list)
    if not all(isinstance(r, list) and len(r) == 2 and all(isinstance(n, int) for n in r) for r in ranges):
        raise wire.bad("ranges")
    return _Held(int(wire.field(state, "contiguous", int)), [(r[0], r[1]) for r in ranges])


def _is_receipted(handset: Handset, seq: int) -> bool:
    return (handset.store.get("receipt", seq) or {}).get("status") is not None


def _batches(handset: Handset, seqs: list[int], most: int) -> Iterator[list[tuple[int, dict[str, Any]]]]:
    """Groups of (seq, stored operation) within the call's limits, in order."""
    group: list[tuple[int, dict[str, Any]]] = []
    size = 0
    for seq in seqs:
        kept = handset.store.get("op", seq)
        bytes_here = len(wire.write_json(kept["document"])) + 1
        if group and (len(group) >= most or size + bytes_here + 16 > MAX_BATCH_BYTES):
            yield group
            group, size = [], 0
        group.append((seq, kept))
        size += bytes_here
    if group:
        yield group


def _send(door: Door, group: list[tuple[int, dict[str, Any]]]) -> list[str]:
    """Send one batch once; the status of each operation, or `proofless`."""
    handset = door.handset
    _note_sending(handset, [seq for seq, _ in group])
    handset.step("push.sending")
    body = wire.write_json({"ops": [kept["document"] for _, kept in group]})
    answer = door.once("POST", "/ops", body=body, headers={"content-type": "application/json"})
    handset.step("push.answered")
    receipts = wire.field(answer.json(), "receipts", list)
    if len(receipts) != len(group):
        raise Untrusted("receipts", "not one per operation")
    with handset.store.transaction():
        return [_take(handset, seq, kept, receipt) for (seq, kept), receipt in zip(group, receipts, strict=True)]


def _note_sending(handset: Handset, seqs: list[int]) -> None:
    """Count what is sent again, before it is: a kill in between must not hide a repetition."""
    with handset.store.transaction():
        again = 0
        for seq in seqs:
            times = (handset.store.get("sent", seq) or {"times": 0})["times"]
            again += times > 0
            handset.store.put("sent", seq, {"times": times + 1})
        handset.count("sent", len(seqs))
        handset.count("sent_again", again)


def _take(handset: Handset, seq: int, kept: dict[str, Any], document: Any) -> str:
    receipt = signed_part(handset.keys_of("door"), RECEIPT, document, "receipt")
    if not handset.is_mine(receipt) or receipt.get("link") != kept["link"]:
        return "proofless"
    named = receipt.get("op"), receipt.get("seq")
    status = receipt.get("status")
    if status not in STATUSES or (status == "received" and named != (kept["op"], seq)):
        return "proofless"
    held = handset.store.get("receipt", seq)
    if held is None:
        handset.count(f"receipts.{status}")
    elif held["status"] == "received":
        return "received"  # a later word cannot take back a proof
    handset.store.put("receipt", seq, {"status": status, "document": document})
    return str(status)


def drop_durable(handset: Handset) -> int:
    """Delete operations that a `received` receipt for their own bytes and a durable statement both cover."""
    stated = load_durable(handset) or {"seq": 0}
    durable, kept = stated["seq"], frozenset(stated.get("except", ()))
    deleted = 0
    with handset.store.transaction():
        for seq in handset.store.keys("op"):
            receipt = handset.store.get("receipt", seq) if seq <= durable and seq not in kept else None
            if receipt and receipt["status"] == "received":
                for table in ("op", "receipt", "sent"):
                    handset.store.delete(table, seq)
                deleted += 1
        if deleted:
            handset.count("durable", deleted)
    return deleted
