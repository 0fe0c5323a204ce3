"""When something happened, by the evidence: a phone's wall clock is a claim."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from field_api.domain.evidence import distance_m, is_far_away, is_late, when_it_happened
from field_api.domain.operations import ClockEvidence, RecordedOperation
from field_api.domain.vocabulary import OpKind

ANCHOR = datetime(2026, 11, 18, 14, 0, tzinfo=UTC)
RECEIVED = ANCHOR + timedelta(hours=9)
HONEST = ClockEvidence(wall=ANCHOR + timedelta(hours=3), monotonic_ms=0, boot_id="b", anchor_at=ANCHOR)
NINETEEN_SEVENTY = datetime(1970, 1, 1, 0, 7, tzinfo=UTC)
moments = st.datetimes(datetime(1970, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001  made aware by `timezones`


def test_an_honest_wall_clock_counts() -> None:
    assert when_it_happened(HONEST, RECEIVED).at == HONEST.wall
    assert when_it_happened(HONEST, RECEIVED).flags == ()


def test_a_clock_of_1970_is_flagged_and_the_monotonic_clock_counts() -> None:
    evidence = replace(HONEST, wall=NINETEEN_SEVENTY, monotonic_ms=7_200_500, anchor_monotonic_ms=500)
    moment = when_it_happened(evidence, RECEIVED)
    assert (moment.at, moment.flags) == (ANCHOR + timedelta(hours=2), ("clock-wrong",))


def test_a_clock_of_1970_without_monotonic_evidence_gives_the_anchors_time() -> None:
    moment = when_it_happened(replace(HONEST, wall=NINETEEN_SEVENTY), RECEIVED)
    assert (moment.at, moment.flags) == (ANCHOR, ("clock-wrong",))


def test_monotonic_time_of_another_boot_is_no_evidence() -> None:
    backwards = replace(HONEST, monotonic_ms=10, anchor_monotonic_ms=5_000)
    beyond = replace(HONEST, monotonic_ms=10**12, anchor_monotonic_ms=0)
    assert when_it_happened(backwards, RECEIVED).at == when_it_happened(beyond, RECEIVED).at == HONEST.wall


@pytest.mark.parametrize("minutes", [-4, 4])
def test_up_to_five_minutes_are_a_clock_like_any_other(minutes: int) -> None:
    edge = ANCHOR if minutes < 0 else RECEIVED
    moment = when_it_happened(replace(HONEST, wall=edge + timedelta(minutes=minutes)), RECEIVED)
    assert (moment.at, moment.flags) == (edge, ())


def test_without_an_anchor_only_the_impossible_is_known_to_be_wrong() -> None:
    bare = replace(HONEST, anchor_at=None)
    assert when_it_happened(bare, RECEIVED).flags == ("no-anchor",)
    assert when_it_happened(replace(bare, wall=NINETEEN_SEVENTY), RECEIVED).flags == ("clock-wrong", "no-anchor")
    assert when_it_happened(replace(bare, wall=RECEIVED + timedelta(days=1)), RECEIVED).at == RECEIVED


@given(moments, st.none() | st.just(ANCHOR), st.none() | st.integers(0, 10**13), st.integers(0, 10**13))
def test_the_moment_never_leaves_what_the_server_knows(wall, anchor, anchor_ms, now_ms) -> None:
    evidence = ClockEvidence(wall, now_ms, "b", anchor, anchor_ms)
    moment = when_it_happened(evidence, RECEIVED)
    assert (anchor or datetime(2025, 12, 31, 23, 55, tzinfo=UTC)) <= moment.at <= RECEIVED


def test_an_anchor_later_than_the_receipt_still_gives_a_moment() -> None:
    assert when_it_happened(replace(HONEST, anchor_at=RECEIVED + timedelta(seconds=1)), RECEIVED).at <= RECEIVED


def test_distance_is_metres_on_the_ellipsoid() -> None:
    assert distance_m((20.0, -103.0), (20.0, -103.0)) == 0
    # One degree of latitude from the equator: 110,574.4 m (WGS 84).
    assert distance_m((0.0, 0.0), (1.0, 0.0)) == pytest.approx(110_574.4, abs=0.1)


def test_far_away_forgives_the_positions_own_accuracy() -> None:
    assert is_far_away(301, None)
    assert not is_far_away(390, 100)
    assert not is_far_away(300, 0)


def test_late_means_withdrawn_reassigned_or_outdated() -> None:
    agent = uuid4()
    operation = RecordedOperation(
        uuid4(), uuid4(), agent, uuid4(), 2, 1, OpKind.NOTE, {}, RECEIVED, RECEIVED, HONEST, False
    )
    assert not is_late(operation, agent_id=agent, assignment_version=2, state="published")
    assert not is_late(operation, agent_id=agent, assignment_version=2, state="done")
    assert is_late(operation, agent_id=agent, assignment_version=3, state="published")
    assert is_late(operation, agent_id=uuid4(), assignment_version=2, state="published")
    assert is_late(operation, agent_id=agent, assignment_version=2, state="withdrawn")
