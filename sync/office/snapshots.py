"""Snapshots: a device's whole sheet at one point of its feed, as immutable signed bytes (docs/protocol.md §6)."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from field_api.domain.vocabulary import ChangeKind
from field_api.platform.bounded_json import canonical
from field_api.platform.devices import Device
from field_api.platform.keyring import OfficeKeys
from field_api.platform.records import Record
from field_api.platform.sealing import aead_seal, b64u, sha256
from field_api.platform.tenancy import current_agency
from field_api.queries.phone_routes import current_sheet
from field_api.records.changes import Change
from field_api.usecases.tell_agent import tell_agents
from sync.kinds import RecordKind
from sync.mailbox import FeedHead, SheetKey, Snapshot, SnapshotRequest
from sync.office.apart import Ref, each_made, made_apart
from sync.office.contents import Contents
from sync.office.items import Content, SheetKeyInUse
from sync.office.on_sheet import replace_sheet
from sync.office.publish import may_publish
from sync.office.sheet_keys import sheet_keys_of_day

CONTEXT = b"doorstep-snapshot-v1"
A_ROUND = 8  # each holds its agent's publishing up while it is built
KEPT = 2  # the newest, and the one that somebody may be half-way through


def wanted_snapshots(session: Session) -> list[UUID]:
    """Devices that asked for one, some of them: between rounds others learn what changed."""
    query = select(SnapshotRequest.device_id).where(SnapshotRequest.agency_id == current_agency())
    return list(session.scalars(query.order_by(SnapshotRequest.requested_at).limit(A_ROUND)))


def build_snapshot(session: Session, keys: OfficeKeys, device_id: UUID, *, now: datetime) -> bool:
    """Build and keep the device's snapshot, and settle its request. False where that was settled meanwhile, or
    somebody publishes to its agent now.

    `session` must be in a REPEATABLE READ transaction that has read nothing yet: the head read here and the sheet read
    after it are then of one moment, so items after the head's number tell everything that the snapshot lacks: also
    what cannot be sealed now, which it leaves out. Where a publisher committed between that moment and the lock, the
    database refuses what is written here (SerializationFailure).
    """
    device = session.get_one(Device, (current_agency(), device_id))
    asked = session.get(SnapshotRequest, (current_agency(), device_id))
    if asked is None or not may_publish(session, device.agent_id):
        return False
    head = session.get_one(FeedHead, (current_agency(), device_id))
    body = _snapshot_bytes(session, keys, device, head, now)
    session.execute(
        insert(Snapshot)
        .values(
            agency_id=current_agency(), device_id=device_id, epoch=head.epoch, seq=head.seq, body=body,
            sha256=sha256(body), built_at=now,
        )
        .on_conflict_do_update(
            index_elements=["agency_id", "device_id", "epoch", "seq"],
            set_={"body": body, "sha256": sha256(body), "built_at": now},  # what lies on the sheet now is in this one
        )
    )  # fmt: skip
    mine = (Snapshot.agency_id == current_agency(), Snapshot.device_id == device_id)
    newest = select(Snapshot.epoch, Snapshot.seq).where(*mine)
    newest = newest.order_by(Snapshot.epoch.desc(), Snapshot.seq.desc()).limit(KEPT)
    keep = {(row.epoch, row.seq) for row in session.execute(newest)}
    for row in session.execute(select(Snapshot.epoch, Snapshot.seq).where(*mine)).all():
        if (row.epoch, row.seq) not in keep:
            session.execute(delete(Snapshot).where(*mine, Snapshot.epoch == row.epoch, Snapshot.seq == row.seq))
    session.execute(
        delete(SnapshotRequest).where(
            SnapshotRequest.agency_id == current_agency(), SnapshotRequest.device_id == device_id
        )
    )
    return True


def _snapshot_bytes(session: Session, keys: OfficeKeys, device: Device, head: FeedHead, now: datetime) -> bytes:
    sheet_key = sheet_keys_of_day(session, keys, [device], now)[device.id]
    routes, visits = current_sheet(session, device.agent_id)
    refs: list[Ref] = [*(("route", route_id) for route_id in routes), *(("visit", visit_id) for visit_id in visits)]

    def packed(group: Sequence[Ref]) -> list[tuple[Content, bytes]]:
        contents = Contents(session, keys, device.agent_id, group, now).for_device(device, group)
        pairs = ((content.named, content) for content in contents)
        return each_made(pairs, lambda content: (content, content.packed(head.seq)))

    sheet = made_apart(session, refs, packed)
    _tell_later(session, device.agent_id, [*sheet.troubles, *sheet.untried])
    lines = [bytes(_line(sheet_key, _associated(device, head, n), item)) for n, (_, item) in enumerate(sheet.made)]
    rest = b"".join(lines)
    lying = [one.named for one, _ in sheet.made if one.lies_on_the_sheet]
    digest = replace_sheet(session, keys, head, sheet_key, lying)
    statement = session.execute(
        select(SheetKey.statement, SheetKey.sig).where(
            SheetKey.agency_id == device.agency_id, SheetKey.device_id == device.id, SheetKey.id == sheet_key.id
        )
    ).one()
    manifest = canonical(
        {
            "v": 1,
            "agency": str(device.agency_id),
            "device": str(device.id),
            "epoch": head.epoch,
            "seq": head.seq,
            "roll": b64u(head.roll),
            "count": len(lines),
            "sha256": b64u(sha256(rest)),
            "key": sheet_key.id,
            "sheet": digest,
            "sheet_keys": [{"statement": b64u(statement.statement), "sig": b64u(statement.sig)}],
        }
    )
    # Beside what is signed: certificates prove themselves, and the key that signed may be news to this phone.
    announced = Record(RecordKind.KEYS, canonical(keys.announced(now)))
    return bytes(announced) + bytes(Record(RecordKind.MANIFEST, manifest, keys.sign(CONTEXT, manifest))) + rest


def _tell_later(session: Session, agent_id: UUID, refs: Collection[Ref]) -> None:
    """What the snapshot leaves out has a change row, and becomes an item after it as soon as it can be sealed.

    A row that is seen here and that somebody publishes meanwhile is an item with a higher number than the head's.
    """
    if not refs:
        return
    mine = (Change.agency_id == current_agency(), Change.agent_id == agent_id)
    waiting = set(session.scalars(select(Change.ref).where(*mine)))
    tell_agents(session, [(agent_id, ChangeKind(kind), ref) for kind, ref in refs if ref not in waiting])


def _line(sheet_key: SheetKeyInUse, associated: bytes, packed: bytes) -> Record:
    sealed = aead_seal(sheet_key.key, packed, associated)
    return Record(RecordKind.LINE, canonical({"key": sheet_key.id}), sealed=sealed)


def _associated(device: Device, head: FeedHead, index: int) -> bytes:
    parts = (device.agency_id, device.id, head.epoch, head.seq, index)
    return b"\x00".join([CONTEXT, *(str(part).encode() for part in parts)])
