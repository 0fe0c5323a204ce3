"""What a logged staff decision commits to: the row it stands in, its free text as a hash.

The database itself enters decisions into the log (triggers of migration 0002); here their rows become payloads.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import DateTime, LargeBinary, Text, Uuid, column, select, table
from sqlalchemy.orm import Session

from field_api.domain.confidential import Confidential, audience
from field_api.domain.disclosure import Audience
from field_api.platform.bounded_json import canonical
from field_api.platform.sealing import b64u, sha256
from field_api.platform.tenancy import current_agency
from field_api.queries.arrays import among
from field_api.records.accounts import Hold
from field_api.records.log import LogEntry
from field_api.records.visits import VisitEvent

Makers = dict[str, tuple[Mapping[Any, Any], Callable[[Any], dict[str, Any]]]]

# By name: photographs are another room's, and sync knows nothing of media. What is listed never changes once it is
# there, but for the state.
_PHOTO = table(
    "photo", column("agency_id", Uuid()), column("id", Uuid()), column("visit_id", Uuid()), column("op_id", Uuid()),
    column("device_id", Uuid()), column("upload_id", Uuid()), column("subject", Text()),
    column("sha256", LargeBinary()), column("received_at", DateTime(timezone=True)),
    column("state", Text()), schema="office",
)  # fmt: skip


def decision_payloads(session: Session, entries: Sequence[LogEntry]) -> dict[int, bytes]:
    """The payload of each entry, by entry id. Three statements at most, whatever their number.

    A row that is gone has the payload `null`: the leaf then says that a decision was taken, and its row is missed.
    """
    events = _by_id(session, VisitEvent, _ids(entries, "visit_event"))
    holds = _by_id(session, Hold, _ids(entries, "hold", "hold_lifted"))
    photos = photo_rows(session, _ids(entries, "photo"))
    makers: Makers = {
        "visit_event": (events, _visit_event), "hold": (holds, _hold), "hold_lifted": (holds, _lift),
        "photo": (photos, _photo),
    }  # fmt: skip
    with audience(Audience.OFFICE_JOB):
        return {entry.id: canonical(_payload(entry, makers)) for entry in entries}


def photo_rows(session: Session, ids: set[UUID]) -> dict[UUID, Any]:
    """What came with a photograph, and its state, by id."""
    mine = _PHOTO.c.agency_id == current_agency()
    found = session.execute(select(_PHOTO).where(mine, among(_PHOTO.c.id, ids))) if ids else ()
    return {row.id: row for row in found}


def resolve_erasures(session: Session, erasures: Sequence[LogEntry]) -> None:
    """Numbers for the references of erasures: the leaves that are erased, and the decision's. Theirs are given."""
    named = {entry.detail[name] for entry in erasures for name in ("erased", "decided")}
    if not named:
        return
    session.flush()
    leaves: dict[str, list[int]] = {}
    found = select(LogEntry.ref, LogEntry.number).where(LogEntry.ref.in_(named), LogEntry.number.is_not(None))
    for row in session.execute(found.order_by(LogEntry.number)):
        leaves.setdefault(row.ref, []).append(int(row.number or 0))
    for entry in erasures:
        erased, decided = entry.detail["erased"], entry.detail["decided"]
        decision = leaves[decided][0] if decided in leaves else None
        entry.detail = {**entry.detail, "leaves": leaves.get(erased, []), "decision": decision}


def _payload(entry: LogEntry, makers: Makers) -> Any:
    kind, _, key = entry.ref.partition("/")
    if kind in ("decision", "erasure"):
        return {"ref": entry.ref, "at": _time(entry.at), **entry.detail}
    if kind not in makers:
        return None  # a reference that somebody changed: no row stands behind it
    rows, make = makers[kind]
    row = rows.get(_uuid(key))
    return None if row is None else {"ref": entry.ref, **make(row)}


def _photo(row: Any) -> dict[str, Any]:
    return {
        "visit": str(row.visit_id), "op": str(row.op_id), "device": str(row.device_id), "upload": str(row.upload_id),
        "subject": row.subject, "sha256": b64u(row.sha256), "received_at": _time(row.received_at),
    }  # fmt: skip


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


def _ids(entries: Iterable[LogEntry], *kinds: str) -> set[UUID]:
    parts = (entry.ref.partition("/") for entry in entries)
    return {found for kind, _, key in parts if kind in kinds and (found := _uuid(key))}


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def _by_id(session: Session, kind: Any, ids: set[UUID]) -> dict[UUID, Any]:
    return {row.id: row for row in session.scalars(select(kind).where(among(kind.id, ids)))} if ids else {}


def _hashed(value: Confidential[str] | None) -> str | None:
    return b64u(sha256(value.reveal(Audience.OFFICE_JOB).encode())) if value is not None else None


def _id(value: UUID | None) -> str | None:
    return str(value) if value else None


def _time(at: datetime) -> str:
    return at.astimezone(UTC).isoformat()
