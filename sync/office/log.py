"""The tamper-evident log: entries wait in the transaction that made them, one sequencer gives them numbers (§11)."""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import and_, insert, or_, select, text, update
from sqlalchemy.orm import Session

from field_api.platform.anchors import utc_text
from field_api.platform.bounded_json import canonical
from field_api.platform.keyring import OfficeKeys
from field_api.platform.sealing import b64u, sha256
from field_api.platform.tenancy import current_agency
from field_api.records.log import LogEntry
from sync.mailbox import Checkpoint, InboxOp, LogNode, QuarantinedBytes
from sync.merkle import TILE_WIDTH, leaf_hash, new_nodes, root_from_tiles
from sync.office.decisions import decision_payloads, resolve_erasures

CHECKPOINT_CONTEXT = b"doorstep-checkpoint-v1"
BATCH = 500
MAX_LEVELS = 7  # 256^7 leaves


def op_payload(protected: bytes, ct: bytes, sig: bytes) -> bytes:
    """What a leaf of an operation commits to."""
    return sha256(protected) + sha256(ct) + sig


def commitment_of(salt: bytes, payload_sha256: bytes) -> bytes:
    return sha256(salt + payload_sha256)


def sequence_log(session: Session, keys: OfficeKeys, *, now: datetime) -> int:
    """Number what waits, grow the tree, sign a checkpoint. One sequencer at a time. Returns the leaves added."""
    if not session.scalar(
        text("SELECT pg_try_advisory_xact_lock(hashtextextended('doorstep-log:' || :agency, 0))"),
        {"agency": str(current_agency())},
    ):
        return 0
    _enter_received(session)
    session.flush()
    waiting = session.scalars(
        select(LogEntry).where(LogEntry.number.is_(None)).order_by(LogEntry.id).limit(BATCH)
    ).all()
    if not waiting:
        return 0
    newest = session.scalars(select(Checkpoint).order_by(Checkpoint.size.desc()).limit(1)).one_or_none()
    hashes = _number(session, waiting, newest.size if newest else 0)
    _grow(session, keys, newest, hashes, now)
    return len(waiting)


def _enter_received(session: Session) -> None:
    """An entry for every operation and receipt that the door took and nobody has logged yet."""
    ops = session.execute(
        select(
            InboxOp.device_id, InboxOp.op_id, InboxOp.protected, InboxOp.ct, InboxOp.sig, InboxOp.receipt,
            InboxOp.received_at,
        ).where(InboxOp.logged.is_(False)).order_by(InboxOp.received_at).limit(BATCH // 2)
    ).all()  # fmt: skip
    odd = session.execute(
        select(
            QuarantinedBytes.device_id, QuarantinedBytes.sha256, QuarantinedBytes.raw, QuarantinedBytes.receipt,
            QuarantinedBytes.received_at,
        ).where(QuarantinedBytes.logged.is_(False)).order_by(QuarantinedBytes.received_at).limit(BATCH // 2)
    ).all()  # fmt: skip
    entries = [
        *(
            _entry(kind, row.received_at, f"inbox/{row.device_id}/{row.op_id}", payload)
            for row in ops
            for kind, payload in (("op", op_payload(row.protected, row.ct, row.sig)), ("receipt", row.receipt))
        ),
        *(
            _entry(kind, row.received_at, f"quarantine/{row.device_id}/{b64u(row.sha256)}", payload)
            for row in odd
            for kind, payload in (("op", row.raw), ("receipt", row.receipt))
        ),
    ]
    if entries:
        session.execute(insert(LogEntry), entries)
    _mark(session, InboxOp, InboxOp.op_id, ops)
    _mark(session, QuarantinedBytes, QuarantinedBytes.sha256, odd)


def _entry(kind: str, at: datetime, ref: str, payload: bytes) -> dict[str, Any]:
    return {"agency_id": current_agency(), "kind": kind, "at": at, "ref": ref, "payload_sha256": sha256(payload)}


def _mark(session: Session, table: Any, key: Any, rows: Sequence[Any]) -> None:
    by_device: dict[UUID, list[Any]] = {}
    for row in rows:
        by_device.setdefault(row.device_id, []).append(row[1])
    for device_id, keys in sorted(by_device.items()):
        these = (table.device_id == device_id, key.in_(keys))
        # Locked in the order in which a run of apply locks them: in another one the two would wait for each other.
        session.execute(select(key).where(*these).order_by(table.seq, table.received_at, key).with_for_update())
        session.execute(update(table).where(*these).values(logged=True))


def _number(session: Session, waiting: Sequence[LogEntry], size: int) -> list[bytes]:
    """Give numbers, salts and leaves to the entries; the leaf hashes in order."""
    for number, entry in enumerate(waiting, start=size):
        entry.number = number
    resolve_erasures(session, [entry for entry in waiting if entry.kind == "erasure"])
    payloads = decision_payloads(session, [entry for entry in waiting if entry.payload_sha256 is None])
    hashes = []
    for entry in waiting:
        if entry.payload_sha256 is None:
            entry.payload_sha256 = sha256(payloads[entry.id])
        entry.salt = os.urandom(32)
        entry.leaf = canonical(
            {
                "kind": entry.kind,
                "at": utc_text(entry.at),
                "ref": entry.ref,
                "commitment": b64u(commitment_of(entry.salt, entry.payload_sha256)),
            }
        )
        hashes.append(leaf_hash(entry.leaf))
    return hashes


def _grow(session: Session, keys: OfficeKeys, newest: Checkpoint | None, hashes: list[bytes], now: datetime) -> None:
    size = newest.size if newest else 0
    added = new_nodes(size, hashes, open_tiles(session, size))
    session.execute(
        insert(LogNode),
        [
            {"agency_id": current_agency(), "level": level, "position": position, "hash": value}
            for level, nodes in added.items()
            for position, value in nodes
        ],
    )
    new_size = size + len(hashes)
    root = root_from_tiles(open_tiles(session, new_size))
    # Named by the next one: a checkpoint that is taken out later leaves a gap in the chain.
    before = b64u(sha256(newest.statement)) if newest else None
    claims = {"size": new_size, "root": b64u(root), "at": utc_text(now), "prev": before}
    statement = canonical({"v": 1, "agency": str(current_agency()), **claims})
    session.add(Checkpoint(size=new_size, root=root, statement=statement, sig=keys.sign(CHECKPOINT_CONTEXT, statement)))


def open_tiles(session: Session, size: int) -> dict[int, list[bytes]]:
    """The hashes of every level's last, unfilled tile for a log of `size` leaves. One statement."""
    spans = {}
    for level in range(MAX_LEVELS + 1):
        count = size // TILE_WIDTH**level
        spans[level] = (count - count % TILE_WIDTH, count - 1)
    rows = session.execute(
        select(LogNode.level, LogNode.hash)
        .where(or_(*(and_(LogNode.level == level, LogNode.position.between(*span)) for level, span in spans.items())))
        .order_by(LogNode.level, LogNode.position)
    )
    tiles: dict[int, list[bytes]] = {level: [] for level in spans}
    for row in rows:
        tiles[row.level].append(row.hash)
    return tiles
