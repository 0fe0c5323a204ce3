"""The doorstep lock: each party's brief under a random key, that key wrapped in every way that may release it.

docs/protocol.md §7. Every visit has the same number of locks, and a lock of one number the same fields of the same
lengths at every visit; what is not used is random bytes, which nobody without a key can tell from the rest.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any
from uuid import UUID

from field_api.platform.egress import passed
from field_api.platform.sealing import aead_seal, b64u, derive, from_b64u
from field_api.records.people import VerificationAnswer
from sync.office.brief import BRIEF_BYTES
from sync.office.item_outlets import BRIEF
from sync.packing import pack

MAX_PAIRS = 6
KEY_BYTES = 32
OVERHEAD_BYTES = 12 + 16  # nonce and tag of AES-256-GCM
AFTER_ANSWERS = ("code", "attestation", "before_arrival", "ct")
ALL_BYTES = sum((MAX_PAIRS + 3) * (KEY_BYTES + OVERHEAD_BYTES) + brief + OVERHEAD_BYTES for brief in BRIEF_BYTES)
BY_ANSWERS = b"doorstep-lock-answers-v1"
BY_CODE = b"doorstep-lock-code-v1"
BY_ATTESTATION = b"doorstep-lock-attestation-v1"
BEFORE_ARRIVAL = b"doorstep-lock-before-arrival-v1"


@dataclass(frozen=True)
class LockPlace:
    """What a lock is bound to: its visit, and its number there."""

    visit_id: UUID
    number: int

    def bound(self, context: bytes, *more: UUID) -> bytes:
        parts = (context, *(str(value).encode() for value in (self.visit_id, self.number, *more)))
        return b"\x00".join(parts)

    @property
    def associated(self) -> bytes:
        return self.bound(b"doorstep-lock-v1")

    def wrap(self, secret: bytes, info: bytes, key: bytes) -> str:
        return b64u(aead_seal(derive(secret, info), key, self.associated))


def empty_lock(number: int) -> dict[str, Any]:
    """The lock of this number that nothing opens: nobody is behind it, or nobody yet."""
    return {
        "answers": [_noise(KEY_BYTES) for _ in range(MAX_PAIRS)],
        "code": _noise(KEY_BYTES),
        "attestation": _noise(KEY_BYTES),
        "before_arrival": _noise(KEY_BYTES),
        "ct": _noise(BRIEF_BYTES[number]),
    }


def _noise(length: int) -> str:
    return b64u(os.urandom(length + OVERHEAD_BYTES))


def sealed_lock(place: LockPlace, key: bytes, brief: Mapping[str, Any], pairs: Sequence[bytes]) -> dict[str, Any]:
    """A party's lock. `pairs` are stretched answers, two and two joined; code and the agency's policy come later."""
    wraps = [wrap_by_answers(place, key, pair) for pair in pairs[:MAX_PAIRS]]
    empty = empty_lock(place.number)
    return {**empty, "answers": wraps + empty["answers"][len(wraps) :], "ct": seal_brief(place, key, brief)}


def seal_brief(place: LockPlace, key: bytes, brief: Mapping[str, Any]) -> str:
    return b64u(aead_seal(key, pack(passed(BRIEF, brief), BRIEF_BYTES[place.number]), place.associated))


def as_bytes(locks: Iterable[Mapping[str, Any]]) -> bytes:
    """A visit's locks as they stand at the end of its item: of each its wraps, then its locked part."""
    return b"".join(
        b"".join(map(from_b64u, [*lock["answers"], *(lock[name] for name in AFTER_ANSWERS)])) for lock in locks
    )


def independent_pairs(answers: Sequence[VerificationAnswer]) -> Iterator[tuple[VerificationAnswer, VerificationAnswer]]:
    """At most six pairs of answers from different groups, each pair sorted by kind."""
    by_kind = sorted(answers, key=lambda answer: answer.kind)
    pairs = [pair for pair in combinations(by_kind, 2) if pair[0].independent_group != pair[1].independent_group]
    yield from pairs[:MAX_PAIRS]


def wrap_by_answers(place: LockPlace, key: bytes, pair: bytes) -> str:
    """`pair` is two stretched answers in the order of their kinds."""
    return place.wrap(pair, place.bound(BY_ANSWERS), key)


def wrap_by_code(place: LockPlace, device_id: UUID, key: bytes, code: str) -> str:
    return place.wrap(code.encode("ascii"), place.bound(BY_CODE, device_id), key)


def wrap_under_sheet(place: LockPlace, context: bytes, opener: bytes, key: bytes) -> str:
    """`opener` travels inside the item, so whoever has the sheet key has the lock's key too: by policy alone."""
    return place.wrap(opener, place.bound(context), key)
