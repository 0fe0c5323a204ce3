"""One leaf of an exported log: does it commit to its row, and does the row say what was signed?"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from field_api.platform.bounded_json import loads
from field_api.platform.sealing import Unsealable, b64u, from_b64u, sha256
from sync.merkle import leaf_hash
from sync.office.audit_trust import MAX_DOCUMENT_BYTES, UNREADABLE, Trust
from sync.office.log import commitment_of

FIELDS = frozenset(
    ("number", "hash", "kind", "at", "ref", "leaf", "salt", "payload_sha256", "payload", "row", "sig")
)  # fmt: skip
RECEIPT_CONTEXT = b"doorstep-receipt-v1"
MAX_ERASED = 100


class UnreadableLeaf(ValueError):
    """A line that is no leaf. Says what is wrong."""


@dataclass(frozen=True)
class Erasure:
    what: str
    leaves: tuple[int, ...]
    decision: int | None


@dataclass
class Leaf:
    """`computed` is the hash of its data, `kept` the tree's; `gone` says what is missing behind its commitment."""

    number: int
    place: str
    kind: str = ""
    computed: bytes | None = None
    kept: bytes | None = None
    gone: str = ""
    erases: Erasure | None = None
    troubles: list[str] = field(default_factory=list)


def read_leaf(line: dict[str, Any], trust: Trust) -> Leaf:
    """Raises UnreadableLeaf where a line is none; what else is wrong stands in `troubles`."""
    if set(line) != FIELDS or type(line["number"]) is not int or line["number"] < 0:
        raise UnreadableLeaf("unreadable")
    leaf = Leaf(line["number"], f"leaf {line['number']}" + (f" ({line['ref']})" if line["ref"] else ""))
    try:
        _read(leaf, line, trust)
    except UNREADABLE:
        leaf.troubles.append("changed: unreadable")
    return leaf


def _read(leaf: Leaf, line: dict[str, Any], trust: Trust) -> None:
    leaf.kept = _bytes(line["hash"])
    if line["leaf"] is None:
        leaf.troubles.append("its entry is missing")
        return
    data = from_b64u(line["leaf"])
    leaf.computed = leaf_hash(data)
    if leaf.kept is None:
        leaf.troubles.append("its node is missing")
    elif leaf.kept != leaf.computed:
        leaf.troubles.append("changed: its data or its node")
    claims = loads(data, max_bytes=MAX_DOCUMENT_BYTES)
    for name in ("kind", "at", "ref"):
        if claims.get(name, line[name]) != line[name]:
            leaf.troubles.append(f"changed: {name}")
    leaf.kind = str(line["kind"])
    _commitment(leaf, line, str(claims["commitment"]), trust)


def _commitment(leaf: Leaf, line: dict[str, Any], commitment: str, trust: Trust) -> None:
    salt, payload = _bytes(line["salt"]), _bytes(line["payload"])
    if payload is None or salt is None:
        leaf.gone = "its row is missing" if payload is None else "its salt is missing"
        return
    hashed = sha256(payload)
    if commitment != b64u(commitment_of(salt, hashed)):
        leaf.troubles.append("changed: its row or its salt")
        return
    if line["payload_sha256"] != b64u(hashed):
        leaf.troubles.append("changed: payload_sha256")
    if leaf.kind == "receipt":
        _receipt(leaf, line, payload, trust)
    elif leaf.kind == "erasure":
        leaf.erases = _erasure(payload)
    elif leaf.kind == "photo" and line["row"] != {"destroyed": False}:
        leaf.gone = "its photograph was destroyed, and no decision says so"


def _receipt(leaf: Leaf, line: dict[str, Any], payload: bytes, trust: Trust) -> None:
    """The row's columns say what the receipt says, which the door signed, and the reference names them."""
    try:
        trust.signed("door", RECEIPT_CONTEXT + payload, from_b64u(line["sig"]))
    except Unsealable:
        leaf.troubles.append("changed: the receipt's signature")
    receipt = loads(payload, max_bytes=MAX_DOCUMENT_BYTES)
    row = line["row"]
    if any(receipt[name] != row[name] for name in row) or receipt["agency"] != trust.agency:
        leaf.troubles.append("changed: its row says something else than its receipt")


def _erasure(payload: bytes) -> Erasure:
    claims = loads(payload, max_bytes=MAX_DOCUMENT_BYTES)
    leaves = claims["leaves"]
    if not all(type(number) is int for number in leaves) or len(leaves) > MAX_ERASED:
        raise ValueError("not an erasure")
    decision = claims["decision"]
    return Erasure(str(claims["what"]), tuple(leaves), decision if type(decision) is int else None)


def _bytes(value: Any) -> bytes | None:
    return None if value is None else from_b64u(value)
