"""What a phone recorded, once sync has opened, verified and ordered it; and what the office made of it.

Sync calls `field_api.usecases.record_operation` in device order. Everything in here is the phone's claim except
`received_at`, `device_id`, `agent_id` and the anchor, which the server vouches for.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from field_api.domain.vocabulary import OpKind, Verdict


@dataclass(frozen=True)
class ClockEvidence:
    """What is known about when an operation was recorded (docs/outcomes.md, "When it happened").

    `anchor_at` is the server's own time in the newest anchor that the phone had, so the operation cannot be older.
    `anchor_monotonic_ms` is the phone's monotonic clock when it got that anchor, where it was in the same boot: with
    it the moment follows from two readings of a clock that nobody can set.
    """

    wall: datetime
    monotonic_ms: int
    boot_id: str
    anchor_at: datetime | None
    anchor_monotonic_ms: int | None = None


@dataclass(frozen=True)
class RecordedOperation:
    """One operation. `body` is parsed JSON of an enrolled phone and otherwise untrusted."""

    op_id: UUID
    device_id: UUID | None  # None: typed from paper
    agent_id: UUID
    visit_id: UUID | None
    assignment_version: int | None
    seq: int
    kind: OpKind
    body: dict[str, Any]
    wall_clock: datetime  # the phone's claim; 1970 happens
    received_at: datetime
    evidence: ClockEvidence
    from_paper: bool = False
    noted: tuple[str, ...] = ()  # flags of whoever lets it take effect: what came before that, and who decided


@dataclass(frozen=True)
class Effect:
    """`verdict` is APPLIED or LATE; `flags` say what a manager should look at (docs/outcomes.md, "Flags")."""

    verdict: Verdict
    flags: tuple[str, ...] = ()


class UnreadableOperation(Exception):
    """The body does not fit its kind, or names what the office does not know: sync quarantines it with the reason.

    `reason` is a stable code (invalid-body, unknown-visit, visit-required, ...),
    `place` the field in dotted form ("results.0.amount.minor"). Neither repeats a value of the body.
    """

    def __init__(self, reason: str, place: str = "") -> None:
        super().__init__(f"{reason} at {place}" if place else reason)
        self.reason = reason
        self.place = place
