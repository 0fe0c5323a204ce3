"""`GET /feed/snapshot`: the whole sheet as immutable bytes, resumable by Range and ETag (docs/protocol.md §6)."""

from __future__ import annotations

from flask import Blueprint, Response, g, request
from flask.typing import ResponseReturnValue
from sqlalchemy import ScalarSelect, func, select, text
from sqlalchemy.dialects.postgresql import insert

from field_api.platform.database import transaction
from field_api.platform.devices import Device
from field_api.platform.door_gate import check_records
from field_api.platform.overload import later_s
from field_api.platform.problems import Problem
from field_api.platform.records import MEDIA_TYPE
from field_api.platform.sealing import b64u
from field_api.platform.signatures import signed_by_device
from sync.mailbox import FeedItem, Snapshot, SnapshotRequest

MAX_DIGITS = 18

blueprint = Blueprint("snapshots", __name__)


@blueprint.get("/feed/snapshot")
@signed_by_device()
def snapshot() -> ResponseReturnValue:
    device: Device = g.device
    since = _since(device, request.args.get("since"))
    with transaction(device.agency_id) as session:
        row = session.execute(
            select(Snapshot.body, Snapshot.sha256)
            .where(
                Snapshot.agency_id == device.agency_id,
                Snapshot.device_id == device.id,
                Snapshot.epoch == device.epoch,
                Snapshot.seq >= func.least(since, _head(device)),  # a place that is not there yet is nowhere
            )
            .order_by(Snapshot.seq.desc())
            .limit(1)
        ).one_or_none()
        if row is None:
            wanted = insert(SnapshotRequest).values(agency_id=device.agency_id, device_id=device.id)
            session.execute(wanted.on_conflict_do_nothing())
            session.execute(text("NOTIFY doorstep_change"))
            return {"building": True}, 202, {"Retry-After": later_s(1, 3)}
    check_records(200, row.body)  # here, since of a Range the gate sees a piece
    response = Response(row.body, mimetype=MEDIA_TYPE)
    response.set_etag(b64u(row.sha256))
    return response.make_conditional(request, accept_ranges=True, complete_length=len(row.body))


def _since(device: Device, text: str | None) -> int:
    """Where a phone stands, `EPOCH.SEQ`: it takes none that is older. Of another epoch than the door's it says nothing.

    Raises `bad-request`.
    """
    epoch, _, seq = ("0.0" if text is None else text[:40]).partition(".")
    if not all(part.isascii() and part.isdigit() and len(part) <= MAX_DIGITS for part in (epoch, seq)):
        raise Problem("bad-request", "since is EPOCH.SEQ", at="since")
    return int(seq) if int(epoch) == device.epoch else 0


def _head(device: Device) -> ScalarSelect[int]:
    of = (FeedItem.agency_id == device.agency_id, FeedItem.device_id == device.id, FeedItem.epoch == device.epoch)
    return select(func.coalesce(func.max(FeedItem.seq), 0)).where(*of).scalar_subquery()
