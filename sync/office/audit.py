"""`doorstep audit`: write the log to a file, and verify such a file offline, with nothing but the agency's root key.

A file is JSON lines: one head (certificate of the office key, signed checkpoint), then one line per leaf with its data,
salt, hash and payload. Verification recomputes every commitment and the root, and names each leaf that does not hold.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import select, tuple_
from sqlalchemy.orm import Session

from field_api.platform.bounded_json import BadJson, canonical, loads
from field_api.platform.keyring import CERTIFICATE_CONTEXT, Certificate, OfficeKeys
from field_api.platform.problems import Problem
from field_api.platform.sealing import Unsealable, b64u, from_b64u, sha256, verify
from field_api.platform.tenancy import current_agency
from sync.mailbox import Checkpoint, InboxOp, LogNode, QuarantinedBytes
from sync.merkle import leaf_hash, root_of
from sync.office.decisions import decision_payloads
from sync.office.log import CHECKPOINT_CONTEXT, commitment_of, op_payload
from sync.records import LogEntry

PAGE = 500
MAX_LINE_BYTES = 1024 * 1024


@dataclass(frozen=True)
class Finding:
    """What does not hold. `place` names it: a leaf by number and reference, or the file's head."""

    place: str
    what: str

    def __str__(self) -> str:
        return f"{self.place}: {self.what}"


def export_log(session: Session, keys: OfficeKeys) -> Iterator[bytes]:
    """The lines of the agency's log up to its newest checkpoint. Raises `not-found` where the log is empty."""
    point = session.scalars(select(Checkpoint).order_by(Checkpoint.size.desc()).limit(1)).one_or_none()
    if point is None:
        raise Problem("not-found", "the log is empty")
    head = {
        "v": 1, "agency": str(current_agency()), "office": _signer(keys, point).wire(),
        "checkpoint": b64u(point.statement), "sig": b64u(point.sig),
    }  # fmt: skip
    yield canonical(head) + b"\n"
    for first in range(0, point.size, PAGE):
        numbers = LogEntry.number.between(first, min(first + PAGE, point.size) - 1)
        rows = session.execute(
            select(LogEntry, LogNode.hash)
            .join(LogNode, (LogNode.level == 0) & (LogNode.position == LogEntry.number))
            .where(numbers)
            .order_by(LogEntry.number)
        ).all()
        payloads = _payloads(session, [entry for entry, _ in rows])
        for entry, node in rows:
            payload = payloads.get(entry.id)
            line = {
                "number": entry.number, "kind": entry.kind, "ref": entry.ref, "leaf": b64u(entry.leaf or b""),
                "salt": _b64u(entry.salt), "hash": b64u(node), "payload": _b64u(payload),
            }  # fmt: skip
            yield canonical(line) + b"\n"


def _signer(keys: OfficeKeys, point: Checkpoint) -> Certificate:
    """The key that signed this checkpoint: since then it may have been retired."""
    for certificate in reversed(keys.certificates["office"]):
        with suppress(Unsealable):
            verify(certificate.public, CHECKPOINT_CONTEXT + point.statement, point.sig)
            return certificate
    return keys.signing_certificate


def _payloads(session: Session, entries: Sequence[LogEntry]) -> dict[int, bytes]:
    """What each leaf commits to, recomputed from the rows as they stand now; absent where the row is gone."""
    received = [entry for entry in entries if entry.kind in ("op", "receipt")]
    ops, odd = _inbox(session, received), _odd(session, received)
    found = decision_payloads(session, [entry for entry in entries if entry.kind == "decision"])
    for entry in received:
        table, device, key = entry.ref.split("/")
        pair = ops.get((UUID(device), UUID(key))) if table == "inbox" else odd.get((UUID(device), from_b64u(key)))
        if pair is not None:
            found[entry.id] = pair[entry.kind == "receipt"]
    return found


def _inbox(session: Session, entries: Iterable[LogEntry]) -> dict[tuple[UUID, UUID], tuple[bytes, bytes]]:
    refs = {(UUID(parts[1]), UUID(parts[2])) for e in entries if (parts := e.ref.split("/"))[0] == "inbox"}
    rows = session.scalars(select(InboxOp).where(tuple_(InboxOp.device_id, InboxOp.op_id).in_(refs))) if refs else ()
    return {(row.device_id, row.op_id): (op_payload(row.protected, row.ct, row.sig), row.receipt) for row in rows}


def _odd(session: Session, entries: Iterable[LogEntry]) -> dict[tuple[UUID, bytes], tuple[bytes, bytes]]:
    refs = {(UUID(parts[1]), from_b64u(parts[2])) for e in entries if (parts := e.ref.split("/"))[0] == "quarantine"}
    table = QuarantinedBytes
    rows = session.scalars(select(table).where(tuple_(table.device_id, table.sha256).in_(refs))) if refs else ()
    return {(row.device_id, row.sha256): (row.raw, row.receipt) for row in rows}


def _b64u(value: bytes | None) -> str | None:
    return None if value is None else b64u(value)


def verify_export(lines: Iterable[bytes], root_public: bytes) -> list[Finding]:
    """Everything that does not hold in an exported log; an empty list means that all of it does. Never raises."""
    reader = iter(lines)
    try:
        size, signed_root = _head(next(reader), root_public)
    except (StopIteration, BadJson, Unsealable, KeyError, TypeError, ValueError) as error:
        return [Finding("head", f"not a checkpoint certified by this agency ({type(error).__name__})")]
    findings: list[Finding] = []
    hashes: dict[int, bytes] = {}
    for at, line in enumerate(reader):
        try:
            number, node, trouble = _leaf(loads(line, max_bytes=MAX_LINE_BYTES))
        except (BadJson, Unsealable, KeyError, TypeError, ValueError, AttributeError):
            findings.append(Finding(f"line {at + 2}", "unreadable"))
            continue
        if number in hashes or number != at:
            findings.append(Finding(f"leaf {number}", "out of order"))
        hashes[number] = node
        findings.extend([trouble] if trouble else [])
    findings.extend(Finding(f"leaf {number}", "missing") for number in range(size) if number not in hashes)
    findings.extend(Finding(f"leaf {number}", "not in the log") for number in hashes if not 0 <= number < size)
    in_order = [hashes[number] for number in range(size) if number in hashes]
    if len(in_order) != size or root_of(in_order) != signed_root:
        findings.append(Finding("root", "the leaves do not give the signed root"))
    return findings


def _head(line: bytes, root_public: bytes) -> tuple[int, bytes]:
    """Size and root that the office signed; its key must be certified by the agency's root."""
    head = loads(line, max_bytes=MAX_LINE_BYTES)
    certificate = from_b64u(head["office"]["cert"])
    verify(root_public, CERTIFICATE_CONTEXT + certificate, from_b64u(head["office"]["sig"]))
    claims = loads(certificate, max_bytes=MAX_LINE_BYTES)
    statement = from_b64u(head["checkpoint"])
    verify(from_b64u(claims["key"]), CHECKPOINT_CONTEXT + statement, from_b64u(head["sig"]))
    checkpoint = loads(statement, max_bytes=MAX_LINE_BYTES)
    if claims["role"] != "office" or not claims["agency"] == checkpoint["agency"] == head["agency"]:
        raise ValueError("another agency or role")
    return int(checkpoint["size"]), from_b64u(checkpoint["root"])


def _leaf(line: dict[str, Any]) -> tuple[int, bytes, Finding | None]:
    """Number, hash as recomputed, and what is wrong with this leaf."""
    number, leaf, stored = int(line["number"]), from_b64u(line["leaf"]), from_b64u(line["hash"])
    place = f"leaf {number} ({line['ref']})"
    computed = leaf_hash(leaf)
    if computed != stored:
        return number, stored, Finding(place, "changed")
    if line["payload"] is None or line["salt"] is None:
        return number, computed, Finding(place, "its row is missing")
    expected = b64u(commitment_of(from_b64u(line["salt"]), sha256(from_b64u(line["payload"]))))
    claims = loads(leaf, max_bytes=MAX_LINE_BYTES)
    if claims["commitment"] != expected or claims["kind"] != line["kind"]:
        return number, computed, Finding(place, "changed")
    return number, computed, None
