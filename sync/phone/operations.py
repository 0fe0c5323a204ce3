"""Operations: pack, seal, sign, store durably, and only then show success (docs/protocol.md §8).

The sequence number, the link of the chain and the sealed bytes go to the disk in one transaction, so a kill at any
moment leaves either the whole operation or none, and never a gap.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from sync.phone import crypto, wire
from sync.phone.errors import NotAllowed
from sync.phone.free_text import warnings
from sync.phone.handset import Handset

CONTEXT = b"doorstep-op-v1"
CHAIN = b"doorstep-chain-v1"
BUCKETS = (512, 1_024, 2_048, 4_096, 8_192, 16_384, 32_768)
MAX_PROTECTED_BYTES = 4 * 1024
MAX_BODY_BYTES = 64 * 1024
MAX_NAMED = 16  # dependencies, and photographs
FIRST_LINK = bytes(32)


@dataclass(frozen=True)
class About:
    """What an operation concerns: the visit with the assignment version the agent worked under, or nothing."""

    visit: str | None = None
    assignment_version: int | None = None
    deps: tuple[str, ...] = ()
    photos: tuple[str, ...] = ()


@dataclass(frozen=True)
class Recorded:
    """A durably stored operation. `warnings`: terms that its free text should not hold, kept all the same. `hours`:
    what speaks against being at this door now, recorded all the same (`sync.phone.contact_hours`)."""

    op: str
    seq: int
    kind: str
    warnings: tuple[str, ...] = field(default=(), kw_only=True)
    hours: tuple[str, ...] = field(default=(), kw_only=True)


def oldest_seq(handset: Handset) -> int:
    """The number of the oldest operation that is still on this phone; of the next one, where none is."""
    chain = handset.store.get("state", "chain") or {"seq": 0}
    return int(min(handset.store.keys("op"), default=int(chain["seq"]) + 1))


def record(
    handset: Handset,
    kind: str,
    body: dict[str, Any],
    about: About,
    *,
    op: str | None = None,
    within: Callable[[Recorded], None] | None = None,
) -> Recorded:
    """Record one operation. `within` writes whatever must become true together with it, in the same transaction.

    Raises NotAllowed `too-large` or `too-many-named`; then nothing was recorded.
    """
    op = op or wire.uuid7(handset.clock.now())
    found = warnings(kind, body)
    packed, size = _pack({"kind": kind, "body": body})
    handset.step("op.packed")
    with handset.store.transaction():
        chain = handset.store.get("state", "chain") or {"seq": 0, "link": crypto.b64u(FIRST_LINK)}
        recorded = Recorded(op, int(chain["seq"]) + 1, kind, warnings=found)
        document, link = _seal(handset, recorded, chain["link"], about, packed, size)
        handset.store.put("op", recorded.seq, {"op": op, "link": link, "document": document})
        handset.store.put("state", "chain", {"seq": recorded.seq, "link": link})
        handset.count(f"recorded.{kind}")
        if within:
            within(recorded)
        handset.step("op.written")
    handset.step("op.stored")
    return recorded


def _pack(value: Any) -> tuple[bytes, int]:
    if len(wire.write_json(value["body"])) > MAX_BODY_BYTES:
        raise NotAllowed("too-large", f"a body has at most {MAX_BODY_BYTES} bytes")
    data = wire.compress(value)
    for size in BUCKETS:
        if 4 + len(data) <= size:
            return wire.pad(data, size), size
    raise NotAllowed("too-large", f"a packed body has at most {BUCKETS[-1]} bytes")


def _seal(
    handset: Handset, recorded: Recorded, previous: str, about: About, packed: bytes, size: int
) -> tuple[dict[str, str], str]:
    """The operation as it will be sent, and its link."""
    if len(about.deps) > MAX_NAMED or len(about.photos) > MAX_NAMED:
        raise NotAllowed("too-many-named", f"at most {MAX_NAMED} dependencies and photographs")
    certificate = handset.trust.newest("sealing", handset.moment())
    protected = wire.write_json(_protected(handset, recorded, previous, about, size, certificate.kid))
    if len(protected) > MAX_PROTECTED_BYTES:
        raise NotAllowed("too-large", "the protected part")
    sealed = crypto.seal_to(certificate.key, CONTEXT + crypto.sha256(protected), packed)
    handset.step("op.sealed")
    signature = crypto.sign(handset.keys.signing, CONTEXT + protected + crypto.sha256(sealed))
    handset.step("op.signed")
    document = {"protected": crypto.b64u(protected), "ct": crypto.b64u(sealed), "sig": crypto.b64u(signature)}
    return document, crypto.b64u(link_of(protected, sealed))


def _protected(
    handset: Handset, recorded: Recorded, previous: str, about: About, size: int, kid: str
) -> dict[str, Any]:
    anchor, clock = handset.anchor, handset.clock
    boot = clock.boot()
    return {
        "v": 1,
        "agency": handset.agency,
        "device": handset.device,
        "op": recorded.op,
        "epoch": handset.epoch,
        "seq": recorded.seq,
        "visit": about.visit,
        "av": about.assignment_version,
        "prev": previous,
        "deps": list(about.deps),
        "photos": list(about.photos),
        "anchor": anchor.text if anchor else None,
        "anchor_mono_ms": anchor.mono_ms if anchor and anchor.boot == boot else None,
        "wall": wire.time_text(clock.now()),
        "mono_ms": clock.mono_ms(),
        "boot": boot,
        "key": kid,
        "size": size,
    }


def link_of(protected: bytes, sealed: bytes) -> bytes:
    return crypto.sha256(CHAIN, crypto.sha256(protected), crypto.sha256(sealed))


def unique(ids: Sequence[str | None]) -> tuple[str, ...]:
    """Ids without None and repetitions, in order."""
    return tuple(dict.fromkeys(i for i in ids if i))
