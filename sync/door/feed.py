"""`GET /feed`: sealed items after a cursor, in order, with the sheet keys they need (docs/protocol.md §6)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask import Blueprint, Response, g, request
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from sqlalchemy.orm import Session

from field_api.platform.bounded_json import canonical
from field_api.platform.database import transaction
from field_api.platform.devices import Device
from field_api.platform.problems import Problem
from field_api.platform.records import MEDIA_TYPE, Record
from field_api.platform.sealing import Unsealable, from_b64u, same
from field_api.platform.signatures import signed_by_device
from sync.kinds import RecordKind
from sync.mailbox import Durable, FeedItem, SheetDigest, SheetKey
from sync.roll import first_roll

DEFAULT_ITEMS, MAX_ITEMS = 100, 200

blueprint = Blueprint("feed", __name__)


@dataclass(frozen=True)
class Cursor:
    """Where a phone says to stand in its feed: `EPOCH.SEQ.b64u(roll)` on the wire."""

    epoch: int
    seq: int
    roll: bytes


@blueprint.get("/feed")
@signed_by_device()
def feed() -> ResponseReturnValue:
    device: Device = g.device
    after, limit = _cursor(device, request.args.get("after")), _limit(request.args.get("limit"))
    with transaction(device.agency_id) as session:
        _check(session, device, after)
        items = session.execute(_items_after(device, after, limit + 1)).all()
        page = items[:limit]
        records = [
            *_sheet_keys(session, device, {item.sheet_key for item in page}),
            *(Record(RecordKind.ITEM, item.head, item.sig, item.ct) for item in page),
            *_newest(session, device, Durable, RecordKind.DURABLE),
            # A phone that got items already keeps the digest that came with them.
            *(_newest(session, device, SheetDigest, RecordKind.DIGEST) if page and len(items) <= limit else ()),
            Record(RecordKind.END, canonical({"more": len(items) > limit})),
        ]
    return Response(b"".join(map(bytes, records)), mimetype=MEDIA_TYPE)


def _limit(text: str | None) -> int:
    if text is None:
        return DEFAULT_ITEMS
    if not text.isascii() or not text.isdigit() or len(text) > 3 or not 1 <= int(text) <= MAX_ITEMS:
        raise Problem("bad-request", f"limit is 1 to {MAX_ITEMS}", at="limit")
    return int(text)


def _cursor(device: Device, text: str | None) -> Cursor:
    if text is None:
        return Cursor(device.epoch, 0, first_roll(device.agency_id, device.id, device.epoch))
    epoch, _, rest = text[:200].partition(".")
    seq, _, roll = rest.partition(".")
    try:
        if not (epoch.isascii() and epoch.isdigit() and seq.isascii() and seq.isdigit()) or len(seq) > 18:
            raise ValueError
        return Cursor(int(epoch), int(seq), from_b64u(roll))
    except (ValueError, Unsealable) as error:
        raise Problem("bad-request", "a cursor is EPOCH.SEQ.ROLL as it was given out", at="after") from error


def _check(session: Session, device: Device, cursor: Cursor) -> None:
    """Raises `resync-required` unless the cursor's roll is the one that stands at its place."""
    stored: bytes | None = first_roll(device.agency_id, device.id, device.epoch)
    if cursor.seq:
        stored = session.scalar(
            select(FeedItem.roll).where(
                FeedItem.agency_id == device.agency_id,
                FeedItem.device_id == device.id,
                FeedItem.epoch == device.epoch,
                FeedItem.seq == cursor.seq,
            )
        )
    if cursor.epoch != device.epoch or stored is None or not same(stored, cursor.roll):
        raise Problem("resync-required", "take a snapshot")


def _items_after(device: Device, cursor: Cursor, count: int) -> Any:
    return (
        select(FeedItem.seq, FeedItem.head, FeedItem.ct, FeedItem.sig, FeedItem.sheet_key)
        .where(
            FeedItem.agency_id == device.agency_id,
            FeedItem.device_id == device.id,
            FeedItem.epoch == cursor.epoch,
            FeedItem.seq > cursor.seq,
        )
        .order_by(FeedItem.seq)
        .limit(count)
    )


def _sheet_keys(session: Session, device: Device, names: set[str]) -> list[Record]:
    if not names:
        return []
    rows = session.execute(
        select(SheetKey.statement, SheetKey.sig)
        .where(SheetKey.agency_id == device.agency_id, SheetKey.device_id == device.id, SheetKey.id.in_(names))
        .order_by(SheetKey.id)
    )
    return [Record(RecordKind.SHEET_KEY, row.statement, row.sig) for row in rows]


def _newest(session: Session, device: Device, table: type[Durable | SheetDigest], kind: RecordKind) -> list[Record]:
    """The office's newest statement of this sort, if there is one."""
    rows = session.execute(
        select(table.statement, table.sig).where(table.agency_id == device.agency_id, table.device_id == device.id)
    )
    return [Record(kind, row.statement, row.sig) for row in rows]
