"""Ids of one process grow, however fast they are made and whatever the clock does."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from field_api.platform import ids
from field_api.platform.ids import new_id


def test_ids_grow_and_are_version_7_of_now() -> None:
    made = [new_id() for _ in range(20_000)]
    assert made == sorted(made) and len(set(made)) == len(made)
    assert {found.version for found in made} == {7}
    assert abs((made[-1].int >> 80) - time.time_ns() // 1_000_000) < 2_000


def test_ids_of_many_threads_are_different() -> None:
    with ThreadPoolExecutor(8) as pool:
        made = [found for part in pool.map(lambda _: [new_id() for _ in range(2_000)], range(8)) for found in part]
    assert len({found.int >> 64 for found in made}) == len(made)


@pytest.mark.parametrize(("back_ms", "grows"), [(0, True), (900, True), (3_600_000, False)])
def test_a_clock_that_stands_or_goes_back_a_little_changes_nothing(
    monkeypatch: pytest.MonkeyPatch, back_ms: int, grows: bool
) -> None:
    now = time.time_ns()
    monkeypatch.setattr(ids.time, "time_ns", lambda: now + 10**10)
    first = new_id()
    monkeypatch.setattr(ids.time, "time_ns", lambda: now + 10**10 - back_ms * 1_000_000)
    second = new_id()
    assert (first < second) is grows
    monkeypatch.undo()
    monkeypatch.setattr(ids, "_last", 0)  # the next test's clock is today's
