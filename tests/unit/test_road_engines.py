"""The promise of Travel on every adapter and on the fake, and what becomes of an engine that does not keep its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np
import pytest
from structlog.testing import capture_logs

from field_api.adapters.travel_great_circle import GreatCircleTravel
from field_api.adapters.travel_http import EngineAway, EngineHttp
from field_api.adapters.travel_osrm import Osrm
from field_api.adapters.travel_roads import FAR_S, RoadTravel
from field_api.adapters.travel_valhalla import Valhalla
from field_api.domain.ports import Travel
from field_api.domain.routing import NO_WAY_M, NO_WAY_S, Point
from field_api.platform.settings import UnsafeSettings
from tests.fakes import ListedTravel
from tests.road_servers import Engine, serving

HOME, NORTH, EAST = Point(19.40, -99.15), Point(19.43, -99.15), Point(19.40, -99.10)
ISLAND, MARSH, OTHER_CITY = Point(19.46, -99.15), Point(19.41, -99.01), Point(25.67, -100.31)
PLACES = [HOME, NORTH, EAST]

Made = Callable[[str], tuple[RoadTravel, type[Engine]]]


@pytest.fixture
def made() -> Iterator[Made]:
    """Travel by an engine of that kind, without slack, and the engine's handler."""
    with serving() as (url, handler):

        def make(kind: str) -> tuple[RoadTravel, type[Engine]]:
            handler.concise = kind != "valhalla-wordy"
            http = EngineHttp("OSRM" if kind == "osrm" else "Valhalla", url, at_most_s=0.5)
            return RoadTravel(Osrm(http) if kind == "osrm" else Valhalla(http), slack=0.0, parking_s=0), handler

        yield make


ROADS = ["valhalla", "valhalla-wordy", "osrm"]


@pytest.mark.parametrize("kind", [*ROADS, "great-circle", "fake"])
def test_matrices_of_metres_and_seconds_nought_for_the_same_point(kind: str, made: Made) -> None:
    own: dict[str, Travel] = {"great-circle": GreatCircleTravel(), "fake": ListedTravel({})}
    travel = own[kind] if kind in own else made(kind)[0]
    legs = travel.between([*PLACES, HOME], PLACES)
    for matrix in (legs.distance_m, legs.travel_s):
        assert matrix.shape == (4, 3)
        assert matrix.dtype == np.int64
        assert (matrix >= 0).all()
        assert matrix[[0, 1, 2, 3], [0, 1, 2, 0]].tolist() == [0, 0, 0, 0]
        assert matrix[3].tolist() == matrix[0].tolist()
        assert 0 < matrix[0, 1] < NO_WAY_S
    assert travel.between([], PLACES).travel_s.shape == (0, 3)
    assert travel.between(PLACES, []).distance_m.shape == (3, 0)
    assert travel.name
    assert travel.estimates is (kind == "great-circle")
    assert (travel.source is None) is (kind not in ROADS)


@pytest.mark.parametrize("kind", ROADS)
def test_a_way_back_takes_its_own_time_and_slack_is_added_to_every_leg(kind: str, made: Made) -> None:
    travel, _ = made(kind)
    plain = travel.between(PLACES, PLACES)
    assert plain.distance_m[0, 1] == plain.distance_m[1, 0] == 3_336
    assert 416 <= plain.travel_s[0, 1] <= 418  # eight metres a second north, and ten back
    assert 333 <= plain.travel_s[1, 0] <= 335
    slack = replace(travel, slack=0.5, parking_s=90).between(PLACES, PLACES)
    assert abs(slack.travel_s[0, 1] - (417 * 1.5 + 90)) <= 2
    assert slack.travel_s[0, 0] == 0
    assert replace(travel, slack=0.5).source != travel.source


@pytest.mark.parametrize("kind", ROADS)
def test_where_no_road_leads_is_a_fact_and_what_is_too_far_is_not_asked(kind: str, made: Made) -> None:
    travel, handler = made(kind)
    points = [HOME, ISLAND, MARSH, NORTH]
    legs = travel.between(points, points)
    cut_off = np.array([[a != b and not {a, b} <= {0, 3} for b in range(4)] for a in range(4)])
    assert ((legs.travel_s == NO_WAY_S) == cut_off).all()
    assert ((legs.distance_m == NO_WAY_M) == cut_off).all()
    asked = len(handler.paths)
    far = travel.between([HOME], [OTHER_CITY])
    assert far.travel_s.item() == FAR_S
    assert len(handler.paths) == asked


@pytest.mark.parametrize("kind", ["valhalla", "osrm"])
def test_a_large_matrix_is_asked_in_blocks_that_the_engine_takes(kind: str, made: Made) -> None:
    travel, handler = made(kind)
    points = [Point(19.40 + n / 5_000, -99.15 + n % 7 / 1_000) for n in range(120)]
    legs = travel.between(points, points)
    assert len(handler.paths) == 9
    assert ((legs.travel_s == 0) == np.eye(120, dtype=bool)).all()
    again = travel.between(points[40:45], points[110:])
    assert (again.travel_s == legs.travel_s[40:45, 110:]).all()


NONSENSE = ["body:[]", "body:{", "body:null", 'body:{"code":"Ok","durations":[[NaN]]}', "body:" + "[" * 50 + "]" * 50]
WRONG = [
    '{"sources_to_targets":{"durations":[[1]],"distances":[[1]]},"code":"Ok","durations":[[1]],"distances":[[1]]}',
    '{"sources_to_targets":[[{"time":"1","distance":1},{"time":1}]],"code":"Ok","durations":[["1",2]]}',
    '{"sources_to_targets":{"durations":[[-999,1]],"distances":[[1,1]]},"code":"Ok","durations":[[-999,1]],'
    '"distances":[[1,1]],"sources":[{"distance":1}],"destinations":[{"distance":1},{"distance":1}]}',
    '{"sources_to_targets":{"durations":[[1,1e30]],"distances":[[1,1]]},"code":"Ok","durations":[[1e30,1]],'
    '"distances":[[1,1]],"sources":[{"distance":1}],"destinations":[{"distance":1},{"distance":1}]}',
]


@pytest.mark.parametrize("kind", ["valhalla", "osrm"])
def test_an_engine_in_trouble_is_one_error_that_names_the_engine_and_no_place(kind: str, made: Made) -> None:
    travel, handler = made(kind)
    small = replace(travel, engine=replace(travel.engine, http=replace(travel.engine.http, max_bytes=2_000)))
    cases = [
        *((travel, [body], None) for body in NONSENSE),
        *((travel, [f"body:{body}"], "bad-answer") for body in WRONG),
        (travel, ["500"], "status-500"),
        (travel, ["503", "503"], "status-503"),
        (travel, ["404"], None),
        (travel, ["302"], None),
        (travel, ["drop", "drop"], "connection"),
        (travel, ["drip"], "timeout"),
        (small, ["body:" + " " * 3_000], "too-large"),
    ]
    for asked, trouble, code in cases:
        handler.trouble[:] = trouble
        with capture_logs() as lines, pytest.raises(EngineAway) as caught:
            asked.between([HOME], [NORTH, EAST])
        assert caught.value.code == "unavailable"
        assert code in (None, caught.value.kind)
        assert [line["engine"] for line in lines] == [travel.name]
        told = f"{lines} {caught.value!r} {caught.value.detail} {caught.value.headers} {_chain(caught.value)}"
        assert not any(digits in told for digits in ("19.4", "99.1", "127.0.0.1"))
        assert not handler.trouble


def _chain(error: BaseException | None) -> list[str]:
    """Whatever a crash report could walk through."""
    told = []
    while error is not None:
        told.append(f"{error!r} {error}")
        error = error.__cause__ or error.__context__
    return told


@pytest.mark.parametrize("trouble", ["503", "drop"])
def test_an_engine_that_starts_anew_is_asked_once_more(trouble: str, made: Made) -> None:
    travel, handler = made("valhalla")
    handler.trouble[:] = [trouble]
    assert travel.between([HOME], [NORTH]).travel_s.item() > 0
    assert len(handler.paths) == 2


def test_an_engine_that_is_not_there_or_refuses_a_question_is_away(made: Made) -> None:
    nobody = RoadTravel(Osrm(EngineHttp("OSRM", "http://127.0.0.1:9")))
    with pytest.raises(EngineAway) as caught:
        nobody.between([HOME], [NORTH])
    assert caught.value.kind == "connection"
    assert not any(digits in f"{_chain(caught.value)}" for digits in ("19.4", "99.1", "127.0.0.1"))
    points = [Point(19.40 + n / 5_000, -99.15) for n in range(120)]
    for kind, refused in (("valhalla", "refused-150"), ("osrm", "refused-TooBig")):
        travel, _ = made(kind)
        with pytest.raises(EngineAway) as caught:
            replace(travel, engine=replace(travel.engine, block=120)).between(points, points)
        assert caught.value.kind == refused


@pytest.mark.parametrize(
    "url", ["ftp://engine", "engine:8002", "http://", "http://user:secret@engine", "http://engine/?api_key=secret"]
)
def test_an_address_with_a_secret_or_of_no_engine_is_refused(url: str) -> None:
    with pytest.raises(UnsafeSettings) as caught:
        EngineHttp("OSRM", url)
    assert "secret" not in str(caught.value)
