"""`doorstep audit prove`: one leaf with its way to a signed checkpoint, in a small file that needs nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from field_api.platform.bounded_json import canonical, loads
from field_api.platform.keyring import OfficeKeys
from field_api.platform.problems import Problem
from field_api.platform.sealing import b64u, from_b64u
from field_api.platform.tenancy import current_agency
from field_api.records.log import LogEntry
from sync.mailbox import Checkpoint, LogNode
from sync.merkle import TILE_WIDTH
from sync.merkle_proofs import DoesNotProve, inclusion_proof, verify_inclusion
from sync.office.audit import leaf_lines
from sync.office.audit_leaf import UnreadableLeaf, read_leaf
from sync.office.audit_trust import UNREADABLE, Trust
from sync.office.log import CHECKPOINT_CONTEXT

VERSION = 1
MAX_PROOF_BYTES = 1024 * 1024
_KEYS = {"v", "agency", "leaf", "inclusion", "checkpoint", "sig", "certificates", "roots"}


class BadProof(Exception):
    """What of a proof does not hold."""


@dataclass(frozen=True)
class Proven:
    number: int
    kind: str
    at: str
    ref: str
    size: int
    checkpoint_at: str


def prove_leaf(session: Session, keys: OfficeKeys, which: int | str) -> bytes:
    """The proof of a leaf by its number or reference (the first of that row). Raises Problem `not-found`, `conflict`.

    What the log holds wrongly is not proven: `conflict`.
    """
    entry = _entry(session, which)
    newest = select(Checkpoint).where(Checkpoint.agency_id == current_agency()).order_by(Checkpoint.size.desc())
    point = session.scalars(newest.limit(1)).one_or_none()
    if point is None or entry.number is None or entry.number >= point.size:
        raise Problem("not-found", "no checkpoint covers this leaf yet")
    try:
        path = inclusion_proof(entry.number, point.size, _tiles(session))
    except ValueError as error:
        raise Problem("conflict", "the tree is damaged: export the log and verify it") from error
    hash_ = session.get_one(LogNode, (current_agency(), 0, entry.number)).hash
    document = canonical(
        {
            "v": VERSION, "agency": str(current_agency()),
            "leaf": {**leaf_lines(session, [entry])[entry.id], "number": entry.number, "hash": b64u(hash_)},
            "inclusion": [b64u(each) for each in path], "checkpoint": b64u(point.statement), "sig": b64u(point.sig),
            "certificates": [each.wire() for role in ("office", "door") for each in keys.certificates[role]],
            "roots": keys.root_steps,
        }
    )  # fmt: skip
    try:
        verify_proof(document, keys.root_public)
    except BadProof as error:
        raise Problem("conflict", "the leaf does not hold: export the log and verify it") from error
    return document


def _entry(session: Session, which: int | str) -> LogEntry:
    named = LogEntry.number == which if isinstance(which, int) else LogEntry.ref == which
    mine = LogEntry.agency_id == current_agency(), LogEntry.number.is_not(None)
    found = session.scalars(select(LogEntry).where(*mine, named).order_by(LogEntry.number).limit(1)).one_or_none()
    if found is None:
        raise Problem("not-found", "the log has no such leaf")
    return found


def _tiles(session: Session) -> Any:
    @lru_cache(maxsize=64)
    def tile(level: int, index: int) -> Sequence[bytes]:
        begins = index * TILE_WIDTH
        mine = LogNode.agency_id == current_agency(), LogNode.level == level
        here = LogNode.position.between(begins, begins + TILE_WIDTH - 1)
        rows = session.execute(select(LogNode.position, LogNode.hash).where(*mine, here).order_by(LogNode.position))
        hashes = []
        for place, row in enumerate(rows, start=begins):
            if row.position != place:
                break
            hashes.append(row.hash)
        return hashes

    return tile


def verify_proof(data: bytes, root_public: bytes) -> Proven:
    """What the file proves, by the agency's root key alone. Raises BadProof, whatever the bytes are."""
    try:
        proof = loads(data, max_bytes=MAX_PROOF_BYTES)
        if set(proof) != _KEYS or proof["v"] != VERSION or canonical(proof) != data:
            raise BadProof("not a proof in its one form")
        trust = Trust(str(proof["agency"]), root_public, proof["roots"], proof["certificates"])
        if trust.troubles:
            raise BadProof(": ".join(trust.troubles[0]))
        statement = from_b64u(proof["checkpoint"])
        signer = trust.signed("office", CHECKPOINT_CONTEXT + statement, from_b64u(proof["sig"]))
        point = loads(statement, max_bytes=MAX_PROOF_BYTES)
        if point["agency"] != trust.agency or not signer.by_root:
            raise BadProof("the checkpoint is another agency's, or by a key that only an older root certified")
        leaf = read_leaf(proof["leaf"], trust)
        if leaf.troubles or leaf.computed is None:
            raise BadProof(f"{leaf.place}: {', '.join(leaf.troubles)}")
        path = [from_b64u(each) for each in proof["inclusion"]]
        verify_inclusion(leaf.computed, leaf.number, int(point["size"]), path, from_b64u(point["root"]))
        line = proof["leaf"]
        return Proven(leaf.number, leaf.kind, str(line["at"]), str(line["ref"]), int(point["size"]), str(point["at"]))
    except DoesNotProve as error:
        raise BadProof("the leaf does not lead to the signed root") from error
    except UnreadableLeaf as error:
        raise BadProof(str(error)) from error
    except UNREADABLE as error:
        raise BadProof(f"cannot be read, or is not signed ({type(error).__name__})") from error
