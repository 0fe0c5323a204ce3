"""Where travel times come from is read strictly: a mistake refuses to start, and names the setting without its value."""

from __future__ import annotations

import tomllib
from datetime import time
from importlib.resources import files
from pathlib import Path

import pytest

from doorstep.planning import refuse_unsafe_travel
from field_api.adapters.travel_great_circle import GreatCircleTravel
from field_api.adapters.travel_roads import RoadTravel
from field_api.adapters.travel_settings import travel_from
from field_api.platform.settings import UnsafeSettings

URL = {"DOORSTEP_TRAVEL_URL": "http://127.0.0.1:8002/"}
RUSH = """
[[hours]]
name = "a town"
latitude = 19.43
longitude = -99.13
within_km = 25
weekdays = [0, 1, 2, 3, 4]
from = "07:00"
to = "10:00"
timezone = "America/Mexico_City"
factor = 1.4
"""


def test_without_an_engine_times_are_estimates() -> None:
    found = travel_from({})
    assert isinstance(found.travel, GreatCircleTravel)
    assert found.travel.estimates
    assert found.instead_of_roads is None
    assert found.rush_hours == ()


@pytest.mark.parametrize(("kind", "name"), [("valhalla", "Valhalla"), ("osrm", "OSRM")])
def test_an_engine_by_kind_with_its_blocks_and_what_stands_in_for_it(kind: str, name: str) -> None:
    found = travel_from({**URL, "DOORSTEP_TRAVEL_ENGINE": kind})
    assert isinstance(found.travel, RoadTravel)
    assert (found.travel.name, found.travel.engine.block) == (name, 50)
    assert not found.travel.estimates
    assert found.instead_of_roads is None
    more = {"DOORSTEP_TRAVEL_BLOCK": "200", "DOORSTEP_TRAVEL_FALLBACK": "great-circle"}
    found = travel_from({**URL, "DOORSTEP_TRAVEL_ENGINE": kind, **more})
    assert isinstance(found.travel, RoadTravel)
    assert found.travel.engine.block == 200
    assert found.instead_of_roads is not None
    assert found.instead_of_roads.estimates


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("DOORSTEP_TRAVEL_ENGINE", "graphhopper"),
        ("DOORSTEP_TRAVEL_BLOCK", "0"),
        ("DOORSTEP_TRAVEL_BLOCK", "many"),
        ("DOORSTEP_TRAVEL_FALLBACK", "perhaps"),
        ("DOORSTEP_TRAVEL_URL", "http://user:hidden@engine"),
        ("DOORSTEP_TRAVEL_RUSH_HOURS", "/nowhere/at-all.toml"),
    ],
)
def test_what_cannot_be_meant_is_refused_by_name(setting: str, value: str) -> None:
    with pytest.raises(UnsafeSettings) as caught:
        travel_from({**URL, "DOORSTEP_TRAVEL_ENGINE": "osrm", setting: value})
    assert setting in str(caught.value)
    assert len(value) < 2 or value not in str(caught.value)


def test_a_process_refuses_to_start_on_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOORSTEP_TRAVEL_URL", "http://127.0.0.1:8002")
    monkeypatch.delenv("DOORSTEP_TRAVEL_ENGINE", raising=False)
    with pytest.raises(UnsafeSettings, match="DOORSTEP_TRAVEL_ENGINE"):
        refuse_unsafe_travel()
    monkeypatch.setenv("DOORSTEP_TRAVEL_ENGINE", "osrm")
    refuse_unsafe_travel()


def test_rush_hours_are_read_whole_or_not_at_all(tmp_path: Path) -> None:
    file = tmp_path / "rush.toml"
    file.write_text(RUSH)
    (hours,) = travel_from({"DOORSTEP_TRAVEL_RUSH_HOURS": str(file)}).rush_hours
    assert (hours.begins, hours.ends, hours.factor, hours.within_m) == (time(7), time(10), 1.4, 25_000)
    for right, wrong in (
        ("factor = 1.4", "factor = 0.5"),
        ("factor = 1.4", 'factor = "much"'),
        ("factor = 1.4", "factor = 1.4\nfacter = 2"),
        ("[0, 1, 2, 3, 4]", "[7]"),
        ("[0, 1, 2, 3, 4]", "5"),
        ('"10:00"', '"06:00"'),
        ("America/Mexico_City", "America/Nowhere"),
        ("latitude = 19.43", "latitude = 119"),
        ('name = "a town"\n', ""),
        ("[[hours]]", "[hours]"),
        ("[[hours]]", "[[hour]]"),
    ):
        file.write_text(RUSH.replace(right, wrong))
        with pytest.raises(UnsafeSettings, match="DOORSTEP_TRAVEL_RUSH_HOURS"):
            travel_from({"DOORSTEP_TRAVEL_RUSH_HOURS": str(file)})


def test_a_sheet_calls_its_times_estimates_in_every_language() -> None:
    words = [
        tomllib.loads(file.read_text(encoding="utf-8"))
        for file in files("field_api.rules").joinpath("sheets").iterdir()
        if file.name.startswith("words_")
    ]
    assert len(words) >= 4
    for entry in words:
        found = entry.get("way") or next(
            part["way"] for part in entry.values() if isinstance(part, dict) and "way" in part
        )
        assert any(root in found for root in ("estim", "stimat", "geschätzt", "geschat"))
