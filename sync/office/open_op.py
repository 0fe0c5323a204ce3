"""Open and check an operation from the inbox: what the door said of it is not taken on trust (docs/protocol.md §8)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from field_api.domain.operations import ClockEvidence, RecordedOperation
from field_api.domain.vocabulary import OpKind
from field_api.platform.anchors import StaleAnchor, anchor_time
from field_api.platform.bounded_json import BadJson, loads
from field_api.platform.devices import Device
from field_api.platform.keyring import OfficeKeys
from field_api.platform.sealing import HPKE_OVERHEAD_BYTES, Unsealable, from_b64u, sha256, verify
from sync.mailbox import InboxOp
from sync.packing import DoesNotFit, unpack

CONTEXT = b"doorstep-op-v1"
MAX_HEADER_BYTES = 4 * 1024
BUCKETS = frozenset({512, 1_024, 2_048, 4_096, 8_192, 16_384, 32_768})
MAX_DEPENDENCIES = 16
UNREADABLE_CLOCK = "clock-unreadable"
_1970 = datetime.fromtimestamp(0, UTC)


class Quarantined(Exception):
    """This operation is kept for a person to look at. `reason` is a stable code."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True)
class OpenedOp:
    """What was sealed, with the header's claims that were checked."""

    operation: RecordedOperation
    dependencies: tuple[UUID, ...]
    prev: bytes
    flags: tuple[str, ...]


def open_op(keys: OfficeKeys, device: Device, row: InboxOp) -> OpenedOp:
    """Verify, open, parse. Raises Quarantined with the first thing that is wrong."""
    try:
        verify(device.signing_public, CONTEXT + row.protected + sha256(row.ct), row.sig)
    except Unsealable as error:
        raise Quarantined("bad-signature") from error
    header = _header(row)
    kind, body = _open(keys, header, row)
    evidence, flags = _evidence(keys, device, header)
    operation = RecordedOperation(
        op_id=row.op_id,
        device_id=device.id,
        agent_id=device.agent_id,
        visit_id=header["visit"],
        assignment_version=header["av"],
        seq=row.seq,
        kind=kind,
        body=body,
        wall_clock=evidence.wall,
        received_at=row.received_at,
        evidence=evidence,
    )
    return OpenedOp(operation, header["deps"], header["prev"], flags)


def claimed_visit(row: InboxOp) -> UUID | None:
    """The visit that the header names, if it can be read at all."""
    try:
        visit: UUID | None = _header(row)["visit"]
    except Quarantined:
        return None
    return visit


def _header(row: InboxOp) -> dict[str, Any]:
    """The header with ids as UUIDs. Raises Quarantined `invalid-header` or `header-mismatch`."""
    try:
        header: dict[str, Any] = loads(row.protected, max_bytes=MAX_HEADER_BYTES)
        named = (UUID(header["agency"]), UUID(header["device"]), UUID(header["op"]), header["seq"], header["v"])
        visit, deps = header["visit"], header["deps"]
        if not isinstance(deps, list) or len(deps) > MAX_DEPENDENCIES or header["size"] not in BUCKETS:
            raise ValueError("deps or size")
        if type(header["av"]) not in (int, type(None)) or len(str(header["key"])) != 16:
            raise ValueError("av or key")
        header |= {
            "visit": UUID(visit) if visit is not None else None,
            "deps": tuple(UUID(dep) for dep in deps),
            "prev": from_b64u(header["prev"]),
        }
    except (BadJson, Unsealable, KeyError, TypeError, ValueError, AttributeError) as error:
        raise Quarantined("invalid-header") from error
    if named != (row.agency_id, row.device_id, row.op_id, row.seq, 1):
        raise Quarantined("header-mismatch")
    return header


def _open(keys: OfficeKeys, header: dict[str, Any], row: InboxOp) -> tuple[OpKind, dict[str, Any]]:
    if len(row.ct) != header["size"] + HPKE_OVERHEAD_BYTES:
        raise Quarantined("wrong-size")
    try:
        value = unpack(keys.open_from_phone(header["key"], CONTEXT + sha256(row.protected), row.ct))
    except Unsealable as error:
        raise Quarantined("cannot-open") from error
    except DoesNotFit as error:
        raise Quarantined("cannot-unpack") from error
    if not isinstance(value, dict) or not isinstance(value.get("body"), dict):
        raise Quarantined("invalid-body")
    try:
        return OpKind(str(value.get("kind"))), value["body"]
    except ValueError as error:
        raise Quarantined("unknown-kind") from error


def _evidence(keys: OfficeKeys, device: Device, header: dict[str, Any]) -> tuple[ClockEvidence, tuple[str, ...]]:
    """The phone's clocks: whatever they say, they never keep an operation out."""
    flags: tuple[str, ...] = ()
    try:
        wall = datetime.fromisoformat(header["wall"]).astimezone(UTC)
    except (KeyError, TypeError, ValueError, OverflowError):
        wall, flags = _1970, (UNREADABLE_CLOCK,)
    anchor = header.get("anchor")
    try:
        anchor_at = anchor_time(keys.door_publics, device.agency_id, device.id, str(anchor or ""))
    except (KeyError, TypeError, ValueError, StaleAnchor):
        anchor_at = None
    monotonic, at_anchor = header.get("mono_ms"), header.get("anchor_mono_ms")
    evidence = ClockEvidence(
        wall=wall,
        monotonic_ms=monotonic if type(monotonic) is int else 0,
        boot_id=str(header.get("boot", ""))[:80],
        anchor_at=anchor_at,
        anchor_monotonic_ms=at_anchor if anchor_at is not None and type(at_anchor) is int else None,
    )
    return evidence, flags
