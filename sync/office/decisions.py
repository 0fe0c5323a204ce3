"""What a logged staff decision commits to: the row it stands in, its free text as a hash.

The database itself enters decisions into the log (triggers of migration 0002); here their rows become payloads.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from field_api.domain.confidential import Confidential, audience
from field_api.domain.disclosure import Audience
from field_api.platform.bounded_json import canonical
from field_api.platform.sealing import b64u, sha256
from field_api.queries.arrays import among
from field_api.records.accounts import Hold
from field_api.records.visits import VisitEvent
from sync.records import LogEntry


def decision_payloads(session: Session, entries: Sequence[LogEntry]) -> dict[int, bytes]:
    """The payload of each entry, by entry id. Two statements at most, whatever their number.

    A row that is gone has the payload `null`: the leaf then says that a decision was taken, and its row is missed.
    """
    events = _by_id(session, VisitEvent, _ids(entries, "visit_event"))
    holds = _by_id(session, Hold, _ids(entries, "hold", "hold_lifted"))
    with audience(Audience.OFFICE_JOB):
        return {entry.id: canonical(_payload(entry, events, holds)) for entry in entries}


def _payload(entry: LogEntry, events: dict[UUID, VisitEvent], holds: dict[UUID, Hold]) -> Any:
    table, _, key = entry.ref.partition("/")
    if table == "decision":
        return {"ref": entry.ref, "at": _time(entry.at), **entry.detail}
    makers: dict[str, tuple[dict[UUID, Any], Callable[[Any], dict[str, Any]]]] = {
        "visit_event": (events, _visit_event),
        "hold": (holds, _hold),
        "hold_lifted": (holds, _lift),
    }
    rows, make = makers[table]
    row = rows.get(UUID(key))
    return None if row is None else {"ref": entry.ref, **make(row)}


def _visit_event(row: VisitEvent) -> dict[str, Any]:
    return {
        "visit": str(row.visit_id), "at": _time(row.at), "kind": row.kind, "actor": row.actor, "op": _id(row.op_id),
        "flags": list(row.flags), "body_sha256": _hashed(row.body),
    }  # fmt: skip


def _hold(row: Hold) -> dict[str, Any]:
    return {
        "account": _id(row.account_id), "person": _id(row.person_id), "kind": row.kind, "at": _time(row.placed_at),
        "by": _id(row.placed_by), "reason_sha256": _hashed(row.reason),
    }  # fmt: skip


def _lift(row: Hold) -> dict[str, Any]:
    at = _time(row.lifted_at) if row.lifted_at else None
    return {"at": at, "by": _id(row.lifted_by), "reason_sha256": _hashed(row.lift_reason)}


def _ids(entries: Iterable[LogEntry], *tables: str) -> set[UUID]:
    parts = (entry.ref.partition("/") for entry in entries)
    return {UUID(key) for table, _, key in parts if table in tables}


def _by_id(session: Session, kind: Any, ids: set[UUID]) -> dict[UUID, Any]:
    return {row.id: row for row in session.scalars(select(kind).where(among(kind.id, ids)))} if ids else {}


def _hashed(value: Confidential[str] | None) -> str | None:
    return b64u(sha256(value.reveal(Audience.OFFICE_JOB).encode())) if value is not None else None


def _id(value: UUID | None) -> str | None:
    return str(value) if value else None


def _time(at: datetime) -> str:
    return at.astimezone(UTC).isoformat()
