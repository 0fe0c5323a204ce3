"""A house between known numbers: never outside them, growing numbers one way, nothing guessed beyond; who is believed."""

from __future__ import annotations

import statistics

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.geocoding import search, streets_of
from field_api.domain.findings import Doubt, Finding, doubt_about
from field_api.domain.house_numbers import (
    WIDEST_GAP_M,
    HouseNumber,
    KnownHouse,
    interpolate,
    metres,
    read_number,
    street_middle,
    trusted,
)
from field_api.domain.placing import Located, PlaceQuality, best
from field_api.domain.routing import Point

near = st.builds(
    Point, st.floats(19.4, 19.403).map(lambda x: round(x, 6)), st.floats(-99.103, -99.1).map(lambda x: round(x, 6))
)
numbers = st.builds(HouseNumber, st.integers(1, 60), st.sampled_from(["", "", "", "a", "b"]))
streets = st.lists(st.builds(KnownHouse, numbers, near), max_size=20)


@pytest.mark.parametrize(("written", "read"), [
    ("12", (12, "")), ("17-A", (17, "a")), ("17 b", (17, "b")), ("No. 8", (8, "")), ("#25", (25, "")),
    ("12-14", (12, "")), ("100bis", None), ("S/N", None), ("Mz 4 Lt 12", None), ("", None), (None, None), ("0", None),
    ("123456", None),
])  # fmt: skip
def test_numbers_are_read_as_written(written: str | None, read: tuple[int, str] | None) -> None:
    assert read_number(written) == (HouseNumber(*read) if read else None)


@given(streets, numbers)
def test_a_point_lies_between_its_two_known_houses(street: list[KnownHouse], number: HouseNumber) -> None:
    known = trusted(street)
    found = interpolate(number, known)
    if found is None:
        counted = [house.number.number for house in known]
        assert number.number not in counted
        return
    one, other = found.below.point, found.above.point
    assert found.below in known and found.above in known
    assert found.below.number.number <= number.number <= found.above.number.number
    span = metres(one, other)
    assert span <= WIDEST_GAP_M
    assert metres(one, found.point) + metres(found.point, other) == pytest.approx(span, abs=0.01)


@given(streets, st.integers(1, 60), st.integers(1, 60))
def test_growing_numbers_go_one_way(street: list[KnownHouse], one: int, other: int) -> None:
    """Of one side, between the same two known houses."""
    known = trusted(street)
    low, high = sorted((one, other))
    first, second = interpolate(HouseNumber(low), known), interpolate(HouseNumber(high), known)
    if first is None or second is None or (first.below, first.above) != (second.below, second.above):
        return
    begin = first.below.point
    assert metres(begin, first.point) <= metres(begin, second.point) + 0.001


@given(streets)
def test_a_known_number_is_where_it_is_known_to_be(street: list[KnownHouse]) -> None:
    known = trusted(street)
    for house in known:
        found = interpolate(house.number, known)
        assert found is not None and found.point == house.point


def test_sides_are_kept_apart_where_both_neighbours_are_known() -> None:
    even = [KnownHouse(HouseNumber(n), Point(19.4, -99.1 + n * 1e-4)) for n in (2, 6, 10)]
    odd = [KnownHouse(HouseNumber(n), Point(19.4002, -99.1 + n * 1e-4)) for n in (1, 5, 9)]
    found = interpolate(HouseNumber(4), trusted(even + odd))
    assert found is not None and found.point.latitude == pytest.approx(19.4)
    assert found.point.longitude == pytest.approx(-99.1 + 4e-4)
    only_odd = interpolate(HouseNumber(4), trusted(odd))
    assert only_odd is not None and only_odd.point.latitude == pytest.approx(19.4002)


def test_what_cannot_be_right_is_no_known_house() -> None:
    middle = Point(19.4, -99.1)
    assert trusted([KnownHouse(HouseNumber(n), middle) for n in (3, 40)]) == [], "a street's middle under two numbers"
    twice = [KnownHouse(HouseNumber(3), Point(19.4, -99.1)), KnownHouse(HouseNumber(3), Point(19.5, -99.1))]
    assert trusted(twice) == [], "two streets of one name"
    flats = [KnownHouse(HouseNumber(3, letter), middle) for letter in "ab"]
    assert [house.point for house in trusted(flats)] == [middle, middle]
    far = [KnownHouse(HouseNumber(1), Point(19.4, -99.1)), KnownHouse(HouseNumber(9), Point(19.5, -99.1))]
    assert interpolate(HouseNumber(5), trusted(far)) is None
    assert interpolate(HouseNumber(11), trusted(far)) is None, "nothing beyond the last"


@given(st.lists(near, min_size=1, max_size=15))
def test_a_streets_middle_is_one_of_its_houses(points: list[Point]) -> None:
    assert street_middle(points) in points
    assert street_middle([]) is None


def test_the_best_known_place_is_taken_and_a_towns_middle_never() -> None:
    here = Point(19.4, -99.1)
    known = [Located(here, PlaceQuality(name), name) for name in ("city", "neighbourhood", "street", "interpolated")]
    assert best(known).source == "interpolated"  # type: ignore[union-attr]  # there is one
    assert best(known[:1]) is None and best([]) is None


@pytest.mark.parametrize(("accuracy_m", "read_s", "north", "quality", "doubt"), [
    (8.0, 0, 0.0003, PlaceQuality.HOUSE, None), (8.0, 0, 0.002, PlaceQuality.HOUSE, Doubt.TOO_FAR),
    (8.0, 0, 0.002, None, None), (8.0, 0, 0.003, None, Doubt.TOO_FAR),
    (30.0, 180, 0.015, PlaceQuality.STREET, None), (30.1, 0, 0.0, PlaceQuality.STREET, Doubt.INACCURATE),
    (None, 0, 0.0, PlaceQuality.STREET, Doubt.NO_ACCURACY), (5.0, 181, 0.0, None, Doubt.STALE),
    (5.0, 0, 0.02, PlaceQuality.STREET, Doubt.TOO_FAR), (5.0, 0, 0.02, PlaceQuality.NEIGHBOURHOOD, None),
])  # fmt: skip
def test_who_found_a_house_is_believed_within_reason(
    accuracy_m: float | None, read_s: float, north: float, quality: PlaceQuality | None, doubt: Doubt | None
) -> None:
    known = Point(19.4, -99.1)
    found = Finding(Point(19.4 + north, -99.1), accuracy_m, read_s)
    assert doubt_about(found, known, quality) == doubt
    assert doubt_about(found, None, quality) == (None if doubt is Doubt.TOO_FAR else doubt)


@pytest.mark.parametrize(("place", "median_m", "tenth_m"), [("baltimore", 6, 60), ("liechtenstein", 25, 70)])
def test_hidden_numbers_of_real_streets_are_found_nearer_than_by_the_streets_middle(
    place: str, median_m: float, tenth_m: float
) -> None:
    found = search(streets_of(place), seeds=[0])
    between = statistics.quantiles(found.between, n=10)
    assert statistics.median(found.between) <= median_m and between[8] <= tenth_m
    assert statistics.median(found.middle_too) > 2 * statistics.median(found.between)
    assert len(found.between) > 0.6 * found.hidden
