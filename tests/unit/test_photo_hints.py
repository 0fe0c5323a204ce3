"""Each hint holds where it should, and only there; nothing that a file says can break the looking."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media.office.hints import (
    AROUND_VISIT,
    SAME_MOMENT,
    FileSays,
    Hint,
    Place,
    Taken,
    VisitSeen,
    file_says,
    hints,
    place_of,
)

NOON = datetime(2026, 11, 18, 18, 0, tzinfo=UTC)
DOOR = Place(19.4326, -99.1332, 8.0)
NEAR = Place(19.4330, -99.1332, 8.0)  # 44 m
FAR = Place(19.4626, -99.1332, 8.0)  # 3.3 km
TAKEN = Taken(NOON, DOOR)
FILE = FileSays(format="JPEG", camera=True, software="14.2", at=NOON, zoned=True, place=DOOR)
VISIT = VisitSeen(
    DOOR, ZoneInfo("America/Mexico_City"), (NEAR,), NOON - timedelta(minutes=5), NOON + timedelta(minutes=5)
)


def found(
    taken: Taken = TAKEN, file: FileSays = FILE, visit: VisitSeen = VISIT, alike: list[tuple[int, bool]] | None = None
) -> set[Hint]:
    return set(hints(taken, file, visit, alike or []).found)


def test_an_ordinary_photograph_has_no_hints_and_its_distances() -> None:
    told = hints(TAKEN, FILE, VISIT, [])
    assert told.found == ()
    assert told.from_address_m == 0.0
    assert told.from_visit_m == pytest.approx(44.3, abs=0.5)


def test_where_it_was_taken() -> None:
    away = Taken(NOON, FAR)
    assert found(away) == {Hint.FAR_FROM_ADDRESS, Hint.FAR_FROM_VISIT, Hint.FILE_ELSEWHERE}
    assert found(away, visit=replace(VISIT, places=(NEAR, FAR))) == {Hint.FAR_FROM_ADDRESS, Hint.FILE_ELSEWHERE}
    assert found(away, file=replace(FILE, place=None), visit=VisitSeen()) == set()
    vague = Taken(NOON, replace(FAR, accuracy_m=3_100.0))
    assert found(vague) == set(), "it may have been there"


def test_without_a_position_the_files_own_counts_and_without_both_it_says_so() -> None:
    nowhere = Taken(NOON, None)
    assert found(nowhere) == set()
    assert found(nowhere, replace(FILE, place=FAR)) == {Hint.FAR_FROM_ADDRESS, Hint.FAR_FROM_VISIT}
    assert found(nowhere, replace(FILE, place=None)) == {Hint.NO_POSITION}


@pytest.mark.parametrize(
    ("minutes", "expected"),
    [(-36, {Hint.OUTSIDE_VISIT}), (-35, set()), (0, set()), (35, set()), (36, {Hint.OUTSIDE_VISIT})],
)
def test_when_it_was_taken(minutes: int, expected: set[Hint]) -> None:
    at = NOON + timedelta(minutes=minutes)
    assert timedelta(minutes=30) == AROUND_VISIT
    assert found(Taken(at, DOOR), replace(FILE, at=at)) == expected


def test_a_visit_that_goes_on_has_no_end() -> None:
    later = Taken(NOON + timedelta(hours=5), DOOR)
    assert found(later, replace(FILE, at=None), replace(VISIT, ended_at=None)) == set()
    assert found(later, replace(FILE, at=None), VisitSeen()) == set()


def test_what_the_file_says_of_the_time() -> None:
    assert found(file=replace(FILE, at=NOON + SAME_MOMENT)) == set()
    assert found(file=replace(FILE, at=NOON + SAME_MOMENT + timedelta(seconds=1))) == {Hint.FILE_OTHER_TIME}
    local = NOON.astimezone(ZoneInfo("America/Mexico_City")).replace(tzinfo=None)
    assert found(file=replace(FILE, at=local, zoned=False)) == set()
    off = replace(FILE, at=local - timedelta(days=1), zoned=False)
    assert found(file=off) == {Hint.FILE_OTHER_TIME}
    assert found(file=off, visit=replace(VISIT, zone=None)) == set(), "a wall clock of nowhere says nothing"
    yesterday = replace(FILE, at=NOON - timedelta(days=1))
    assert found(Taken(None, DOOR), yesterday) == {Hint.OUTSIDE_VISIT}


def test_pictures_that_are_alike() -> None:
    assert found(alike=[(0, False)]) == {Hint.SAME_PICTURE}
    assert found(alike=[(3, False)]) == {Hint.NEAR_PICTURE}
    assert found(alike=[(0, False), (5, True)]) == {Hint.SAME_PICTURE, Hint.NEAR_PICTURE, Hint.OTHER_AGENTS_PICTURE}


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"camera": False}, {Hint.NO_CAMERA_DATA}),
        ({"camera": False, "unreadable": True}, {Hint.METADATA_UNREADABLE}),
        ({"software": "Adobe Photoshop 25.1 (Macintosh)"}, {Hint.EDITING_SOFTWARE}),
        ({"software": "Screenshot"}, {Hint.LIKE_A_SCREENSHOT}),
        ({"format": "PNG", "camera": False}, {Hint.NO_CAMERA_DATA, Hint.LIKE_A_SCREENSHOT}),
        ({"format": "PNG"}, set()),
        ({"format": "HEIF", "software": "26.1"}, set()),
    ],
)
def test_what_the_file_says_of_its_making(changes: dict[str, Any], expected: set[Hint]) -> None:
    assert found(file=replace(FILE, **changes)) == expected


def test_the_sandboxs_facts_are_read() -> None:
    evidence = {
        "format": "JPEG",
        "captured_at": "2026-11-18T12:00:00-06:00",
        "camera": ["Testmaker", None, "14.2"],
        "position": {"latitude": 19.4326, "longitude": -99.1332},
    }
    assert file_says(evidence) == replace(FILE, place=Place(19.4326, -99.1332), at=NOON)
    assert file_says({"format": "JPEG", "exif": "unreadable"}) == FileSays("JPEG", unreadable=True)
    assert file_says({}) == FileSays()


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=30),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=9), inner, max_size=4),
    max_leaves=6,
)
NAMES = ("format", "captured_at", "camera", "position", "exif")
POSITIONS = st.fixed_dictionaries({"latitude": JSON, "longitude": JSON})
MOMENTS = st.sampled_from(["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "0000-00-00T00:00:00", "2026"])


@given(st.dictionaries(st.sampled_from(NAMES), JSON | POSITIONS | MOMENTS))
def test_whatever_a_decoder_that_was_taken_over_says_is_looked_at_without_failing(evidence: dict[str, Any]) -> None:
    hints(TAKEN, file_says(evidence), VISIT, [])
    hints(Taken(None, None), file_says(evidence), VISIT, [])


def test_only_a_place_on_earth_is_one() -> None:
    assert place_of({"lat": 90, "lon": 180}, "lat", "lon") == Place(90.0, 180.0)
    for wrong in (
        {"lat": 91, "lon": 0},
        {"lat": 0, "lon": -181},
        {"lat": float("nan"), "lon": 0},
        {"lat": True, "lon": 0},
    ):
        assert place_of(wrong, "lat", "lon") is None
