"""What is kept and had no effect: a look at it, its clocks and header included, and what is sealed in it.

The look says nothing that the door does not see. The opened body is for managers alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import any_, literal, select
from sqlalchemy.orm import Session

from field_api.domain.confidential import Confidential
from field_api.platform.bounded_json import BadJson, canonical, loads
from field_api.platform.keyring import OfficeKeys
from field_api.platform.problems import Problem
from field_api.platform.sealing import Unsealable, b64u, from_b64u, sha256
from field_api.platform.tenancy import current_agency
from sync.mailbox import InboxOp, QuarantinedBytes
from sync.office.emptied_rows import is_emptied
from sync.office.open_op import CONTEXT, MAX_HEADER_BYTES
from sync.packing import DoesNotFit, unpack
from sync.records import QuarantineDecision

MAX_NAMED = 16
MAX_RAW_BYTES = 256 * 1024


@dataclass(frozen=True)
class Claims:
    """The header as far as it can be read: every value is the phone's word, and None where it is no such value."""

    visit: UUID | None = None
    assignment_version: int | None = None
    epoch: int | None = None
    seq: int | None = None
    op: UUID | None = None
    deps: tuple[UUID, ...] = ()
    wall: datetime | None = None
    mono_ms: int | None = None
    key: str | None = None
    size: int | None = None


@dataclass(frozen=True)
class PastDecision:
    action: str
    decided_by: UUID | None
    decided_at: datetime
    mended_as: UUID | None


@dataclass(frozen=True)
class KeptOperation:
    """An operation of the inbox: what the door knows of it, what became of it, and who waits for it."""

    row: InboxOp
    claims: Claims
    waiting: list[UUID]
    decisions: list[PastDecision]


@dataclass(frozen=True)
class OpenedContent:
    """What is sealed in it, or `trouble`: why it cannot be shown. Signatures are not what this says anything about."""

    content: Confidential[str] | None
    trouble: str | None
    raw: Confidential[str] | None = None


def kept_operation(session: Session, device_id: UUID, op_id: UUID, *, lock: bool = False) -> InboxOp:
    """The operation, in whatever state. Raises `not-found`."""
    row = session.get(InboxOp, (current_agency(), device_id, op_id), with_for_update=True if lock else None)
    if row is None or is_emptied(row):
        raise Problem("not-found", "no such operation of this phone")
    return row


def kept_bytes(session: Session, bytes_id: UUID, *, lock: bool = False) -> QuarantinedBytes:
    """Raises `not-found`."""
    query = select(QuarantinedBytes).where(
        QuarantinedBytes.agency_id == current_agency(), QuarantinedBytes.id == bytes_id
    )
    row = session.scalars(query.with_for_update() if lock else query).one_or_none()
    if row is None or is_emptied(row):
        raise Problem("not-found", "no such bytes")
    return row


def look_at(session: Session, device_id: UUID, op_id: UUID) -> KeptOperation:
    """Raises `not-found`."""
    row = kept_operation(session, device_id, op_id)
    waiting = session.scalars(
        select(InboxOp.op_id)
        .where(
            InboxOp.agency_id == current_agency(),
            InboxOp.device_id == device_id,
            InboxOp.state == "held",
            literal(op_id) == any_(InboxOp.waits_for),
        )
        .order_by(InboxOp.seq)
    )
    table = QuarantineDecision
    decided = session.execute(
        select(table.action, table.decided_by, table.decided_at, table.mended_as)
        .where(table.agency_id == current_agency(), table.device_id == device_id, table.op_id == op_id)
        .order_by(table.decided_at, table.id)
    )
    decisions = [PastDecision(*line) for line in decided]
    return KeptOperation(row, claims_of(row.protected), list(waiting), decisions)


def claims_of(protected: bytes) -> Claims:
    """Never raises: what cannot be read is None."""
    try:
        header = loads(protected, max_bytes=MAX_HEADER_BYTES)
    except BadJson:
        return Claims()
    if not isinstance(header, dict):
        return Claims()
    deps = header.get("deps")
    named = [_uuid(dep) for dep in deps[:MAX_NAMED]] if isinstance(deps, list) else []
    key = header.get("key")
    return Claims(
        visit=_uuid(header.get("visit")),
        assignment_version=_int(header.get("av")),
        epoch=_int(header.get("epoch")),
        seq=_int(header.get("seq")),
        op=_uuid(header.get("op")),
        deps=tuple(dep for dep in named if dep is not None),
        wall=_moment(header.get("wall")),
        mono_ms=_int(header.get("mono_ms")),
        key=key if isinstance(key, str) and len(key) == 16 else None,
        size=_int(header.get("size")),
    )


def opened_operation(keys: OfficeKeys, row: InboxOp) -> OpenedContent:
    return _opened(keys, row.protected, row.ct)


def opened_bytes(keys: OfficeKeys, row: QuarantinedBytes) -> OpenedContent:
    """As far as they are an operation; the bytes themselves as well."""
    raw = Confidential(row.raw[:MAX_RAW_BYTES].decode("utf-8", "replace"))
    try:
        value = loads(row.raw, max_bytes=len(row.raw))
        protected, ct = from_b64u(value["protected"]), from_b64u(value["ct"])
    except (BadJson, Unsealable, KeyError, TypeError, AttributeError):
        return OpenedContent(None, "bad-form", raw)
    opened = _opened(keys, protected, ct)
    return OpenedContent(opened.content, opened.trouble, raw)


def _opened(keys: OfficeKeys, protected: bytes, ct: bytes) -> OpenedContent:
    try:
        value = unpack(keys.open_from_phone(claims_of(protected).key or "", CONTEXT + sha256(protected), ct))
    except Unsealable:
        return OpenedContent(None, "cannot-open")
    except DoesNotFit:
        return OpenedContent(None, "cannot-unpack")
    shown = value if isinstance(value, dict) else {"value": value}
    return OpenedContent(Confidential(canonical(shown).decode()), None)


def reference_of(row: InboxOp | QuarantinedBytes) -> str:
    """How the log names the kept bytes (`sync.office.log`)."""
    if isinstance(row, InboxOp):
        return f"inbox/{row.device_id}/{row.op_id}"
    return f"quarantine/{row.device_id}/{b64u(row.sha256)}"


def _uuid(value: Any) -> UUID | None:
    try:
        return UUID(value) if isinstance(value, str) else None
    except ValueError:
        return None


def _int(value: Any) -> int | None:
    return value if type(value) is int and abs(value) < 1 << 53 else None


def _moment(value: Any) -> datetime | None:
    try:
        return datetime.fromisoformat(value).astimezone(UTC)
    except (TypeError, ValueError, OverflowError):
        return None
