"""What lies on each phone's sheet, and the signed digest of it, kept beside the feed's head (docs/protocol.md §6)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from typing import Any, cast
from uuid import UUID

from sqlalchemy import Table, bindparam, delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from field_api.platform.bounded_json import canonical
from field_api.platform.keyring import OfficeKeys
from field_api.platform.sealing import b64u
from field_api.platform.tenancy import current_agency
from field_api.queries.arrays import among
from sync.digest import ON_THE_SHEET, sheet_sha256
from sync.mailbox import FeedHead, SheetDigest
from sync.office.apart import Ref
from sync.office.items import FeedWriter, Written
from sync.records import OnSheet

CONTEXT = b"doorstep-digest-v1"


def note_written(session: Session, keys: OfficeKeys, writers: Sequence[FeedWriter], items: Sequence[Written]) -> None:
    """Keep what these items put on the sheets of their devices and what they took off, and state each digest anew: a
    phone compares at the number where it stands, so that a verdict alone needs a statement too.

    Seven statements at most, whatever the number of items and devices.
    """
    put = [_row(item) for item in items if item.content.lies_on_the_sheet]
    taken = [_row(item) for item in items if item.content.kind in ON_THE_SHEET and not item.content.lies_on_the_sheet]
    if put:
        new = insert(OnSheet)
        now = {"epoch": new.excluded.epoch, "version": new.excluded.version}
        session.execute(new.on_conflict_do_update(index_elements=_KEY, set_=now), put)
    if taken:
        session.connection().execute(_TAKE_OFF, [{f"its_{name}": row[name] for name in _KEY} for row in taken])
    lines = _lines(session, {writer.device_id: writer.epoch for writer in writers})
    _state(session, [_statement(keys, w.device_id, w.epoch, w.seq, sheet_sha256(lines[w.device_id])) for w in writers])


def replace_sheet(session: Session, keys: OfficeKeys, head: FeedHead, refs: Collection[Ref]) -> bytes:
    """A snapshot at `head` holds exactly these. Returns their digest.

    Only under the agent's publishing lock (`may_publish`).
    """
    session.execute(delete(OnSheet).where(OnSheet.agency_id == head.agency_id, OnSheet.device_id == head.device_id))
    of = {"agency_id": head.agency_id, "device_id": head.device_id, "epoch": head.epoch, "version": head.seq}
    if refs:
        session.execute(insert(OnSheet), [of | {"kind": kind, "ref": ref} for kind, ref in refs])
    digest = sheet_sha256((kind, ref, head.seq) for kind, ref in refs)
    _state(session, [_statement(keys, head.device_id, head.epoch, head.seq, digest)])
    return digest


_KEY = ("agency_id", "device_id", "kind", "ref")
_ON_SHEET = cast(Table, OnSheet.__table__)
_TAKE_OFF = delete(_ON_SHEET).where(*(_ON_SHEET.c[name] == bindparam(f"its_{name}") for name in _KEY))


def _row(item: Written) -> dict[str, Any]:
    row = {name: item.row[name] for name in ("agency_id", "device_id", "epoch")}
    return row | {"kind": item.content.kind, "ref": item.content.ref, "version": item.row["seq"]}


def _lines(session: Session, epochs: dict[UUID, int]) -> dict[UUID, list[tuple[str, UUID, int]]]:
    """Of each device the lines of its present epoch."""
    rows = session.execute(
        select(OnSheet.device_id, OnSheet.kind, OnSheet.ref, OnSheet.version, OnSheet.epoch).where(
            OnSheet.agency_id == current_agency(), among(OnSheet.device_id, set(epochs))
        )
    )
    lines: dict[UUID, list[tuple[str, UUID, int]]] = defaultdict(list)
    for row in rows:
        if row.epoch == epochs[row.device_id]:
            lines[row.device_id].append((row.kind, row.ref, row.version))
    return lines


def _statement(keys: OfficeKeys, device_id: UUID, epoch: int, seq: int, digest: bytes) -> dict[str, Any]:
    who = {"v": 1, "agency": str(keys.agency_id), "device": str(device_id)}
    statement = canonical({**who, "epoch": epoch, "seq": seq, "sheet": b64u(digest)})
    signature = keys.sign(CONTEXT, statement)
    return {"agency_id": keys.agency_id, "device_id": device_id, "statement": statement, "sig": signature}


def _state(session: Session, rows: list[dict[str, Any]]) -> None:
    new = insert(SheetDigest)
    now = {"statement": new.excluded.statement, "sig": new.excluded.sig}
    session.execute(new.on_conflict_do_update(index_elements=["agency_id", "device_id"], set_=now), rows)
