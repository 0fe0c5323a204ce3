"""The doorstep lock: the brief under a random key, that key wrapped under answers and code (docs/protocol.md §7)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import Any
from uuid import UUID

from field_api.platform.sealing import aead_seal, b64u, derive
from field_api.records.people import VerificationAnswer
from sync.office.brief import BRIEF_BYTES
from sync.packing import pack

MAX_PAIRS = 6


@dataclass(frozen=True)
class LockPlace:
    """What a lock is bound to."""

    visit_id: UUID
    person_id: UUID

    def bound(self, context: bytes, *more: UUID) -> bytes:
        parts = (context, *(str(value).encode() for value in (self.visit_id, self.person_id, *more)))
        return b"\x00".join(parts)

    @property
    def associated(self) -> bytes:
        return self.bound(b"doorstep-lock-v1")


def seal_brief(place: LockPlace, key: bytes, brief: Mapping[str, Any]) -> str:
    return b64u(aead_seal(key, pack(brief, BRIEF_BYTES), place.associated))


def independent_pairs(answers: list[VerificationAnswer]) -> Iterator[tuple[VerificationAnswer, VerificationAnswer]]:
    """At most six pairs of answers from different groups, each pair sorted by kind."""
    by_kind = sorted(answers, key=lambda answer: answer.kind)
    pairs = [pair for pair in combinations(by_kind, 2) if pair[0].independent_group != pair[1].independent_group]
    yield from pairs[:MAX_PAIRS]


def wrap_by_answers(place: LockPlace, key: bytes, first: bytes, second: bytes) -> str:
    """`first` and `second` are stretched answers in the order of their kinds."""
    wrapping = derive(first + second, place.bound(b"doorstep-lock-answers-v1"))
    return b64u(aead_seal(wrapping, key, place.associated))


def wrap_by_code(place: LockPlace, device_id: UUID, key: bytes, code: str) -> str:
    wrapping = derive(code.encode("ascii"), place.bound(b"doorstep-lock-code-v1", device_id))
    return b64u(aead_seal(wrapping, key, place.associated))
