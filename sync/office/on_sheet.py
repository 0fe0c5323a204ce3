"""What lies on each phone's sheet, and the signed digest of it, kept beside the feed's head (docs/protocol.md §6)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from field_api.platform.bounded_json import canonical
from field_api.platform.keyring import OfficeKeys
from field_api.platform.sealing import aead_seal, b64u, sha256
from field_api.platform.tenancy import current_agency
from sync.mailbox import FeedHead, SheetDigest
from sync.office.apart import Ref
from sync.office.items import FeedWriter, SheetKeyInUse, Written

CONTEXT = b"doorstep-digest-v1"
SHEET = b"doorstep-sheet-v1"
ON_THE_SHEET = ("route", "visit")
"""Kinds that the digest speaks of. A phone that knows more kinds, or fewer, still finds the same."""


def note_written(session: Session, keys: OfficeKeys, writers: Sequence[FeedWriter], items: Sequence[Written]) -> None:
    """Keep what these items put on the sheets of their devices and what they took off, and state each digest anew: a
    phone compares at the number where it stands, so that a verdict alone needs a statement too.

    Four statements at most, whatever the number of items and devices.
    """
    put = [item for item in items if item.content.lies_on_the_sheet]
    taken = [item for item in items if item.content.kind in ON_THE_SHEET and not item.content.lies_on_the_sheet]
    for statement, of in ((_PUT, put), (_TAKE_OFF, taken)):
        if of:
            session.execute(statement, _columns(of))
    digests = _digests(session, {writer.device_id: writer.epoch for writer in writers})
    _state(session, [_statement(keys, w, digests.get(w.device_id, sha256(SHEET))) for w in writers])


def replace_sheet(session: Session, keys: OfficeKeys, head: FeedHead, key: SheetKeyInUse, refs: Sequence[Ref]) -> str:
    """A snapshot at `head` holds exactly these. Returns their digest, sealed under `key` as the manifest tells it.

    Only under the agent's publishing lock (`may_publish`).
    """
    device = {"agency": head.agency_id, "device": head.device_id}
    session.execute(_CLEAR, device)
    kinds, ids = [kind for kind, _ in refs], [ref for _, ref in refs]
    session.execute(_FILL, device | {"kinds": kinds, "refs": ids, "epoch": head.epoch, "version": head.seq})
    digest = _digests(session, {head.device_id: head.epoch}).get(head.device_id, sha256(SHEET))
    at_head = FeedWriter(keys, head.device_id, head.epoch, head.seq, head.roll, key)
    _state(session, [_statement(keys, at_head, digest)])
    return _sealed(at_head, digest)


_PUT = text(
    """
    INSERT INTO office.on_sheet (agency_id, device_id, kind, ref, epoch, version)
    SELECT :agency, item.* FROM unnest(CAST(:devices AS uuid[]), CAST(:kinds AS text[]), CAST(:refs AS uuid[]),
                                       CAST(:epochs AS integer[]), CAST(:versions AS bigint[])) AS item
    ON CONFLICT (agency_id, device_id, kind, ref) DO UPDATE SET epoch = excluded.epoch, version = excluded.version
    """
)
_TAKE_OFF = text(
    """
    DELETE FROM office.on_sheet s
    USING unnest(CAST(:devices AS uuid[]), CAST(:kinds AS text[]), CAST(:refs AS uuid[])) AS gone (device, kind, ref)
    WHERE s.agency_id = :agency AND s.device_id = gone.device AND s.kind = gone.kind AND s.ref = gone.ref
    """
)
_CLEAR = text("DELETE FROM office.on_sheet WHERE agency_id = :agency AND device_id = :device")
_FILL = text(
    """
    INSERT INTO office.on_sheet (agency_id, device_id, kind, ref, epoch, version)
    SELECT :agency, :device, line.*, :epoch, :version
    FROM unnest(CAST(:kinds AS text[]), CAST(:refs AS uuid[])) AS line
    """
)
# Here and not in Python: the lines of a sheet of thousands never leave the database.
_DIGESTS = text(
    r"""
    SELECT device_id, sha256(:context || string_agg(line, ''::bytea ORDER BY line)) AS digest
    FROM (SELECT s.device_id, convert_to(s.kind, 'UTF8') || '\x00'::bytea || convert_to(s.ref::text, 'UTF8')
                 || '\x00'::bytea || convert_to(s.version::text, 'UTF8') || '\x0a'::bytea AS line
          FROM office.on_sheet s
          JOIN unnest(CAST(:devices AS uuid[]), CAST(:epochs AS integer[])) AS d (device, epoch)
            ON s.device_id = d.device AND s.epoch = d.epoch
          WHERE s.agency_id = :agency) lines
    GROUP BY device_id
    """
)


def _columns(items: Sequence[Written]) -> dict[str, Any]:
    return {
        "agency": current_agency(),
        "devices": [item.row["device_id"] for item in items],
        "kinds": [item.content.kind for item in items],
        "refs": [item.content.ref for item in items],
        "epochs": [item.row["epoch"] for item in items],
        "versions": [item.row["seq"] for item in items],
    }


def _digests(session: Session, epochs: Mapping[UUID, int]) -> dict[UUID, bytes]:
    """Of each device with lines in its present epoch: over the lines `kind`, `ref`, `version`, sorted by their bytes.

    Neither a kind nor an id nor a number has a 0x00 or a line feed in it, so that no two sheets have one text.
    """
    of = {"agency": current_agency(), "devices": list(epochs), "epochs": list(epochs.values()), "context": SHEET}
    return {row.device_id: row.digest for row in session.execute(_DIGESTS, of)}


def _sealed(at: FeedWriter, digest: bytes) -> str:
    """Under the day's sheet key: a hash of ids and numbers could be tried out by who sees many of both."""
    place = (at.keys.agency_id, at.device_id, at.epoch, at.seq)
    associated = b"\x00".join([CONTEXT, *(str(part).encode() for part in place)])
    return b64u(aead_seal(at.sheet_key.key, digest, associated))


def _statement(keys: OfficeKeys, at: FeedWriter, digest: bytes) -> dict[str, Any]:
    who = {"v": 1, "agency": str(keys.agency_id), "device": str(at.device_id)}
    place = {"epoch": at.epoch, "seq": at.seq, "key": at.sheet_key.id}
    statement = canonical({**who, **place, "sheet": _sealed(at, digest)})
    signature = keys.sign(CONTEXT, statement)
    return {"agency_id": keys.agency_id, "device_id": at.device_id, "statement": statement, "sig": signature}


def _state(session: Session, rows: list[dict[str, Any]]) -> None:
    new = insert(SheetDigest).values(rows)
    now = {"statement": new.excluded.statement, "sig": new.excluded.sig}
    session.execute(new.on_conflict_do_update(index_elements=["agency_id", "device_id"], set_=now))
