"""`doorstep audit export`: the whole log as lines of JSON (docs/protocol.md §11), in one pass and bounded memory.

What stands in the tables goes out as it stands, also what does not belong there: it is `sync.office.audit_verify`,
which needs neither database nor keys, that says what holds.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from datetime import datetime
from heapq import merge
from itertools import islice
from typing import Any
from uuid import UUID

from sqlalchemy import func, select, text, tuple_
from sqlalchemy.orm import Session

from field_api.platform.bounded_json import canonical
from field_api.platform.clock import utc_text
from field_api.platform.keyring import OfficeKeys
from field_api.platform.problems import Problem
from field_api.platform.sealing import Unsealable, b64u, from_b64u, sha256
from field_api.platform.tenancy import current_agency
from field_api.records.log import LogEntry
from sync.mailbox import Checkpoint, InboxOp, LogNode, QuarantinedBytes
from sync.merkle import TILE_WIDTH
from sync.office.decisions import decision_payloads, photo_rows
from sync.office.emptied_rows import ERASED
from sync.office.log import op_payload

EXPORT_CONTEXT = b"doorstep-export-v1"
VERSION = 2
PAGE = 500
_BEHIND_ALL = 1 << 63
Line = dict[str, Any]

# Rows that ought to have a leaf, and have none: somebody put them there, or took the leaf away.
_OUTSIDE = text(
    """
    WITH known AS (SELECT ref FROM office.log_entry WHERE agency_id = :agency)
    SELECT ref FROM (
        SELECT 'inbox/' || device_id || '/' || op_id AS ref FROM mailbox.inbox
        WHERE agency_id = :agency AND logged AND state <> 'erased'
        UNION ALL
        SELECT 'quarantine/' || device_id || '/' || rtrim(translate(encode(sha256, 'base64'), '+/', '-_'), '=')
        FROM mailbox.quarantine WHERE agency_id = :agency AND logged AND status NOT IN ('erased', 'lost')
        UNION ALL
        SELECT 'visit_event/' || id FROM office.visit_event WHERE agency_id = :agency AND actor LIKE 'staff:%'
        UNION ALL
        SELECT 'hold/' || id FROM office.hold WHERE agency_id = :agency AND placed_by IS NOT NULL
        UNION ALL
        SELECT 'hold_lifted/' || id FROM office.hold WHERE agency_id = :agency AND lifted_at IS NOT NULL
        UNION ALL
        SELECT 'photo/' || id FROM office.photo WHERE agency_id = :agency
    ) rows WHERE NOT EXISTS (SELECT FROM known WHERE known.ref = rows.ref) ORDER BY ref
    """
)


def export_log(session: Session, keys: OfficeKeys, *, now: datetime) -> Iterator[bytes]:
    """The lines of the agency's log. The transaction must be REPEATABLE READ where others are at work.

    Raises Problem `not-found` where the log is empty, `conflict` where leaves are there and no checkpoint is.
    """
    yield canonical(_head(session, keys, now)) + b"\n"
    parts = merge(_leaves(session), _nodes(session), _checkpoints(session), key=lambda part: part[0])
    for _, line in parts:
        yield canonical(line) + b"\n"
    for (ref,) in session.execute(_OUTSIDE, {"agency": current_agency()}).yield_per(PAGE):
        yield canonical({"outside": ref}) + b"\n"


def _head(session: Session, keys: OfficeKeys, now: datetime) -> Line:
    mine = Checkpoint.agency_id == current_agency()
    newest = session.scalars(select(Checkpoint).where(mine).order_by(Checkpoint.size.desc()).limit(1)).one_or_none()
    if newest is None:
        if session.scalar(select(func.max(LogEntry.number))) is not None:
            raise Problem("conflict", "the log has leaves, and no checkpoint: all of them were removed")
        raise Problem("not-found", "the log is empty")
    certificates = [*keys.certificates["office"], *keys.certificates["door"]]
    head = canonical(
        {
            "v": VERSION, "agency": str(current_agency()), "at": utc_text(now),
            "checkpoints": session.scalar(select(func.count()).select_from(Checkpoint).where(mine)),
            "checkpoint": b64u(newest.statement), "sig": b64u(newest.sig),
            "certificates": [each.wire() for each in certificates], "roots": keys.root_steps,
        }
    )  # fmt: skip
    return {"head": b64u(head), "sig": b64u(keys.sign(EXPORT_CONTEXT, head))}


def _leaves(session: Session) -> Iterator[tuple[tuple[int, ...], Line]]:
    """Every number that has an entry, a node or both."""
    nodes = select(LogNode.position, LogNode.hash).where(LogNode.agency_id == current_agency(), LogNode.level == 0)
    found = _paired(_entries(session), _stream(session, nodes.order_by(LogNode.position)))
    while page := list(islice(found, PAGE)):
        lines = leaf_lines(session, [entry for _, entry, _ in page if entry is not None])
        for number, entry, node in page:
            line = _EMPTY if entry is None else lines[entry.id]
            yield (number + 1, 0), {**line, "number": number, "hash": _b64u(node)}


def _entries(session: Session) -> Iterator[LogEntry]:
    statement = select(LogEntry).where(LogEntry.agency_id == current_agency(), LogEntry.number.is_not(None))
    for (entry,) in _stream(session, statement.order_by(LogEntry.number)):
        yield entry
        session.expunge(entry)


def _stream(session: Session, statement: Any) -> Iterator[Any]:
    return iter(session.execute(statement, execution_options={"yield_per": PAGE}))


def _paired(entries: Iterator[LogEntry], nodes: Iterator[Any]) -> Iterator[tuple[int, LogEntry | None, bytes | None]]:
    entry, node = next(entries, None), next(nodes, None)
    while entry is not None or node is not None:
        number = min(_number(entry.number if entry else None), _number(node.position if node else None))
        mine = entry if entry is not None and entry.number == number else None
        of_tree = node if node is not None and node.position == number else None
        yield number, mine, bytes(of_tree.hash) if of_tree is not None else None
        entry = next(entries, None) if mine is not None else entry
        node = next(nodes, None) if of_tree is not None else node


def _number(value: int | None) -> int:
    return _BEHIND_ALL if value is None else value


def _nodes(session: Session) -> Iterator[tuple[tuple[int, ...], Line]]:
    """Nodes above the leaves, each behind the leaf that completes its tile."""
    mine = LogNode.agency_id == current_agency()
    ends = (LogNode.position + 1) * func.power(TILE_WIDTH, LogNode.level)
    rows = select(LogNode.level, LogNode.position, LogNode.hash).where(mine, LogNode.level > 0)
    for row in _stream(session, rows.order_by(ends, LogNode.level)):
        key = ((row.position + 1) * TILE_WIDTH**row.level, 1, row.level)
        yield key, {"level": row.level, "position": row.position, "hash": b64u(row.hash)}


def _checkpoints(session: Session) -> Iterator[tuple[tuple[int, ...], Line]]:
    rows = select(Checkpoint.size, Checkpoint.root, Checkpoint.statement, Checkpoint.sig)
    for row in _stream(session, rows.where(Checkpoint.agency_id == current_agency()).order_by(Checkpoint.size)):
        line = {"size": row.size, "root": b64u(row.root), "checkpoint": b64u(row.statement), "sig": b64u(row.sig)}
        yield (row.size, 2), line


_FIELDS = ("kind", "at", "ref", "leaf", "salt", "payload_sha256", "payload", "row", "sig")
_EMPTY: Line = dict.fromkeys(_FIELDS)


def leaf_lines(session: Session, entries: Sequence[LogEntry]) -> dict[int, Line]:
    """By entry id: the entry, and what it commits to, recomputed from its row as it stands now; null where it is gone.

    `row` are the row's own columns that say the same as what is signed or committed, `sig` is a receipt's.
    """
    received = [entry for entry in entries if entry.kind in ("op", "receipt")]
    rows = _inbox(session, received) | _odd(session, received)
    known = [entry for entry in entries if entry.kind not in ("op", "receipt")]
    payloads = {key: None if found == b"null" else found for key, found in decision_payloads(session, known).items()}
    destroyed = _destroyed(session, known)
    lines = {}
    for entry in entries:
        behind = rows.get((entry.kind, entry.ref), _EMPTY)
        payload = payloads.get(entry.id, behind["payload"])
        lines[entry.id] = {
            "kind": entry.kind, "at": utc_text(entry.at), "ref": entry.ref, "leaf": _b64u(entry.leaf),
            "salt": _b64u(entry.salt), "payload_sha256": _b64u(entry.payload_sha256),
            "payload": _b64u(payload),
            "row": behind["row"] or destroyed.get(entry.ref), "sig": behind["sig"],
        }  # fmt: skip
    return lines


def _inbox(session: Session, entries: Iterable[LogEntry]) -> dict[tuple[str, str], Line]:
    refs = {pair for entry in entries if (pair := _key(entry.ref, "inbox"))}
    ids = [(device, op) for device, text_ in refs if (op := _uuid(text_))]
    these = tuple_(InboxOp.device_id, InboxOp.op_id).in_(ids), InboxOp.state != ERASED
    rows = session.scalars(select(InboxOp).where(*these)) if ids else ()
    found: dict[tuple[str, str], Line] = {}
    for row in rows:
        ref = f"inbox/{row.device_id}/{row.op_id}"
        columns = {"device": str(row.device_id), "op": str(row.op_id), "seq": row.seq, "link": b64u(row.link)}
        found["op", ref] = {"payload": op_payload(row.protected, row.ct, row.sig), "row": None, "sig": None}
        found["receipt", ref] = {"payload": row.receipt, "row": columns, "sig": b64u(row.receipt_sig)}
        session.expunge(row)
    return found


def _odd(session: Session, entries: Iterable[LogEntry]) -> dict[tuple[str, str], Line]:
    table = QuarantinedBytes
    refs = {pair for entry in entries if (pair := _key(entry.ref, "quarantine"))}
    keys = [(device, hash_) for device, text_ in refs if (hash_ := _hash(text_))]
    these = tuple_(table.device_id, table.sha256).in_(keys), table.status != ERASED
    rows = session.scalars(select(table).where(*these)) if keys else ()
    found: dict[tuple[str, str], Line] = {}
    for row in rows:
        ref = f"quarantine/{row.device_id}/{b64u(row.sha256)}"
        op = str(row.op_id) if row.op_id else None
        columns = {"device": str(row.device_id), "op": op, "seq": row.seq, "status": row.status}
        # Under the hash of other bytes the row is not the one that was kept.
        payload = row.raw if sha256(row.raw) == row.sha256 else b"changed " + row.raw
        found["op", ref] = {"payload": payload, "row": None, "sig": None}
        found["receipt", ref] = {"payload": row.receipt, "row": columns, "sig": b64u(row.receipt_sig)}
        session.expunge(row)
    return found


def _destroyed(session: Session, entries: Iterable[LogEntry]) -> dict[str, Line]:
    ids = {found for entry in entries if entry.ref.startswith("photo/") and (found := _uuid(entry.ref[6:]))}
    return {f"photo/{key}": {"destroyed": row.state == "destroyed"} for key, row in photo_rows(session, ids).items()}


def _key(ref: str, table: str) -> tuple[UUID, str] | None:
    parts = ref.split("/")
    device = _uuid(parts[1]) if len(parts) == 3 and parts[0] == table else None
    return (device, parts[2]) if device else None


def _uuid(value: str) -> UUID | None:
    try:
        return UUID(value)
    except ValueError:
        return None


def _hash(value: str) -> bytes | None:
    with suppress(Unsealable):
        return from_b64u(value)
    return None


def _b64u(value: bytes | None) -> str | None:
    return None if value is None else b64u(value)
