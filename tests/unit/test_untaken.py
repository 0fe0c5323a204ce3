"""Bytes that nobody declares end, and never while their operation may still come."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from media.office.untaken import (
    CLOCKS_APART,
    DECLARED_OTHERWISE,
    NOT_DECLARED,
    REVOKED_FOR,
    UNDECLARED_FOR,
    Untaken,
    end_of_wait,
)

WHOLE = datetime(2026, 11, 18, 16, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)
SILENT = Untaken(
    stray=False, whole_at=WHOLE, operation_waits=False, newest_told=None, newest_told_at=None, held_through=0,
    revoked_at=None,
)  # fmt: skip
PASSED_BY = replace(SILENT, newest_told=7, newest_told_at=WHOLE + CLOCKS_APART + SECOND, held_through=7)
LONG_AFTER = WHOLE + timedelta(days=10_000)


def test_a_phone_that_has_passed_the_upload_by_ends_it_after_thirty_days() -> None:
    assert end_of_wait(PASSED_BY, WHOLE + UNDECLARED_FOR - SECOND) is None
    assert end_of_wait(PASSED_BY, WHOLE + UNDECLARED_FOR) == NOT_DECLARED


def test_no_time_is_long_enough_without_a_proof() -> None:
    for unproven in (
        SILENT,
        replace(PASSED_BY, held_through=6),
        replace(PASSED_BY, newest_told=None),
        replace(PASSED_BY, newest_told_at=WHOLE - SECOND),
        replace(PASSED_BY, newest_told_at=WHOLE + CLOCKS_APART),
    ):
        assert end_of_wait(unproven, LONG_AFTER) is None, unproven


def test_a_revoked_phones_last_queue_has_half_a_year() -> None:
    revoked = replace(SILENT, revoked_at=WHOLE + timedelta(days=3))
    assert end_of_wait(revoked, WHOLE + timedelta(days=3) + REVOKED_FOR - SECOND) is None
    assert end_of_wait(revoked, WHOLE + timedelta(days=3) + REVOKED_FOR) == NOT_DECLARED
    before = replace(SILENT, revoked_at=WHOLE - timedelta(days=300))
    assert end_of_wait(before, WHOLE + UNDECLARED_FOR - SECOND) is None, "it came long after: a person has thirty days"


def test_a_stray_ends_when_it_is_asked_about() -> None:
    assert end_of_wait(replace(SILENT, stray=True), WHOLE) == DECLARED_OTHERWISE


@given(
    st.builds(
        Untaken,
        stray=st.booleans(),
        whole_at=st.just(WHOLE),
        operation_waits=st.just(True),
        newest_told=st.none() | st.integers(0, 9),
        newest_told_at=st.none() | st.just(WHOLE + timedelta(days=1)),
        held_through=st.integers(0, 9),
        revoked_at=st.none() | st.just(WHOLE),
    )
)
def test_nothing_ends_while_its_operation_is_here_and_waits(upload: Untaken) -> None:
    assert end_of_wait(upload, LONG_AFTER) is None
