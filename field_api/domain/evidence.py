"""What clocks, positions and assignment versions say about an operation. Rules: docs/outcomes.md."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from field_api.domain.operations import ClockEvidence, RecordedOperation

TOLERANCE = timedelta(minutes=5)
FAR_AWAY_M = 300.0
BEFORE_DOORSTEP = datetime(
    2026, 1, 1, tzinfo=UTC
)  # no phone recorded anything earlier: the only bound without an anchor


@dataclass(frozen=True)
class Moment:
    """When something happened, as far as the evidence says, and what is odd about the clocks."""

    at: datetime
    flags: tuple[str, ...] = ()


def when_it_happened(evidence: ClockEvidence, received_at: datetime) -> Moment:
    """The server's bounds are anchor and receipt; inside them the monotonic clock, then the wall clock counts."""
    earliest = evidence.anchor_at
    if earliest is None:
        if _off(evidence.wall, BEFORE_DOORSTEP, received_at) > TOLERANCE:
            return Moment(received_at, ("clock-wrong", "no-anchor"))
        return Moment(min(evidence.wall, received_at), ("no-anchor",))
    measured = _measured(evidence, received_at)
    if measured is not None:
        return Moment(measured, ("clock-wrong",) if _off(evidence.wall, measured, measured) > TOLERANCE else ())
    if _off(evidence.wall, earliest, received_at) > TOLERANCE:
        return Moment(min(earliest, received_at), ("clock-wrong",))
    return Moment(min(max(evidence.wall, earliest), received_at))


def _measured(evidence: ClockEvidence, received_at: datetime) -> datetime | None:
    if evidence.anchor_at is None or evidence.anchor_monotonic_ms is None:
        return None
    passed_ms = evidence.monotonic_ms - evidence.anchor_monotonic_ms
    room_ms = (received_at - evidence.anchor_at + TOLERANCE) / timedelta(milliseconds=1)
    if not 0 <= passed_ms <= room_ms:
        return None  # another boot than claimed: no evidence
    return min(evidence.anchor_at + timedelta(milliseconds=passed_ms), received_at)


def _off(wall: datetime, earliest: datetime, latest: datetime) -> timedelta:
    """How far the clock lies outside the bounds; zero inside."""
    return max(earliest - wall, wall - latest, timedelta(0))


def is_late(operation: RecordedOperation, *, agent_id: UUID, assignment_version: int, state: str) -> bool:
    """Whether the visit was withdrawn or became somebody else's after the phone last learnt of it."""
    outdated = operation.assignment_version is not None and operation.assignment_version < assignment_version
    return state == "withdrawn" or operation.agent_id != agent_id or outdated


def is_within(at: datetime, opens_at: datetime | None, closes_at: datetime) -> bool:
    """Whether a moment lies in contact hours, whose end is exclusive. None: it is not known when they begin."""
    return (opens_at is None or opens_at <= at) and at < closes_at


def distance_m(here: tuple[float, float], there: tuple[float, float]) -> float:
    """Metres on the WGS 84 ellipsoid between two (latitude, longitude) pairs (Karney's geodesic, by geopy)."""
    from geopy.distance import geodesic  # brings every geocoder along: a quarter second that few processes need

    return round(float(geodesic(here, there).meters), 1)


def is_far_away(distance: float, accuracy_m: float | None) -> bool:
    """Farther than 300 m even if the position is off by all of its own accuracy."""
    return distance - (accuracy_m or 0.0) > FAR_AWAY_M
