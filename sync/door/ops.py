"""`POST /ops` and `GET /ops/state` (docs/protocol.md §8). A revoked phone may still hand in its queue."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, g, request
from flask.typing import ResponseReturnValue
from sqlalchemy import Select, func, select, union_all

from field_api.platform.bounded_json import BadJson, loads
from field_api.platform.database import transaction
from field_api.platform.devices import Device
from field_api.platform.problems import Problem
from field_api.platform.signatures import MAX_BODY_BYTES, signed_by_device
from field_api.platform.wiring import clock, door_keys
from sync.door.op_form import elements_of
from sync.door.receive import Receiver
from sync.mailbox import InboxOp, QuarantinedBytes

MAX_OPS = 50
MAX_RANGES = 100

blueprint = Blueprint("ops", __name__)


@blueprint.post("/ops")
@signed_by_device(revoked_ok=True)
def push() -> ResponseReturnValue:
    device: Device = g.device
    elements = _elements(request.get_data())
    with transaction(device.agency_id) as session:
        receipts = Receiver(session, door_keys().of(device.agency_id), device, clock().now()).receive(elements)
    return {"receipts": [receipt.wire() for receipt in receipts]}


@blueprint.get("/ops/state")
@signed_by_device()
def state() -> ResponseReturnValue:
    device: Device = g.device
    with transaction(device.agency_id) as session:
        held = [[row.first, row.last] for row in session.execute(_held_ranges(device))]
    first = held.pop(0) if held and held[0][0] == 1 else [1, 0]
    return {"epoch": device.epoch, "contiguous": first[1], "ranges": held[:MAX_RANGES]}


def _elements(body: bytes) -> list[tuple[bytes, Any]]:
    """The JSON bytes and the value of each operation. Raises Problem for a body that is not `{"ops": [...]}`."""
    try:
        value = loads(body, max_bytes=MAX_BODY_BYTES)
    except BadJson as error:
        raise Problem("invalid-json", str(error)) from error
    if not isinstance(value, dict) or not isinstance(value.get("ops"), list):
        raise Problem("bad-request", "an object with an array `ops` is needed", at="ops")
    if len(value["ops"]) > MAX_OPS:
        raise Problem("bad-request", f"at most {MAX_OPS} operations a call", at="ops")
    return list(zip(elements_of(body, "ops"), value["ops"], strict=True))


def _held_ranges(device: Device) -> Select[tuple[int, int]]:
    """Runs of consecutive numbers that are held: numbers minus their rank are equal within a run.

    What is kept apart counts: sending it again would not mend it. Bytes of another device say nothing of this one's.
    """
    odd = QuarantinedBytes
    held = union_all(
        select(InboxOp.seq).where(InboxOp.agency_id == device.agency_id, InboxOp.device_id == device.id),
        select(odd.seq).where(
            odd.agency_id == device.agency_id,
            odd.device_id == device.id,
            odd.seq.is_not(None),
            odd.reason != "wrong-device",
        ),
    ).subquery()
    numbers = select(held.c.seq, (held.c.seq - func.dense_rank().over(order_by=held.c.seq)).label("run")).subquery()
    return (
        select(func.min(numbers.c.seq).label("first"), func.max(numbers.c.seq).label("last"))
        .group_by(numbers.c.run)
        .order_by("first")
        .limit(MAX_RANGES + 1)
    )
