"""Where travel times come from, by configuration: an engine of the agency's own, or nobody but great circles."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import time
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from field_api.adapters.travel_great_circle import GreatCircleTravel
from field_api.adapters.travel_http import EngineHttp
from field_api.adapters.travel_osrm import Osrm
from field_api.adapters.travel_roads import Engine, RoadTravel
from field_api.adapters.travel_valhalla import Valhalla
from field_api.domain.ports import Travel
from field_api.domain.routing import Point
from field_api.domain.travel_areas import RushHours
from field_api.platform.settings import UnsafeSettings

MOST_FACTOR = 5.0
KEYS = {"name", "latitude", "longitude", "within_km", "weekdays", "from", "to", "timezone", "factor"}


@dataclass(frozen=True)
class TravelParts:
    travel: Travel
    instead_of_roads: Travel | None
    rush_hours: tuple[RushHours, ...]


def travel_from(environment: Mapping[str, str] | None = None) -> TravelParts:
    """What .env.example tells of DOORSTEP_TRAVEL_…. Raises UnsafeSettings."""
    env = os.environ if environment is None else environment
    rush = _rush_hours(env.get("DOORSTEP_TRAVEL_RUSH_HOURS"))
    url = env.get("DOORSTEP_TRAVEL_URL")
    if not url:
        return TravelParts(GreatCircleTravel(), None, rush)
    roads = RoadTravel(_engine(env.get("DOORSTEP_TRAVEL_ENGINE", ""), url, env.get("DOORSTEP_TRAVEL_BLOCK")))
    fallback = env.get("DOORSTEP_TRAVEL_FALLBACK") or "none"
    if fallback not in {"none", "great-circle"}:
        raise UnsafeSettings("DOORSTEP_TRAVEL_FALLBACK must be none or great-circle")
    return TravelParts(roads, GreatCircleTravel() if fallback == "great-circle" else None, rush)


def _engine(kind: str, url: str, block: str | None) -> Engine:
    if block is not None and not (block.isascii() and block.isdecimal() and 1 <= int(block) <= 500):
        raise UnsafeSettings("DOORSTEP_TRAVEL_BLOCK must be a number of points from 1 to 500")
    if kind == "valhalla":
        valhalla = Valhalla(EngineHttp("Valhalla", url))
        return valhalla if block is None else replace(valhalla, block=int(block))
    if kind == "osrm":
        osrm = Osrm(EngineHttp("OSRM", url))
        return osrm if block is None else replace(osrm, block=int(block))
    raise UnsafeSettings("DOORSTEP_TRAVEL_ENGINE must be valhalla or osrm")


def _rush_hours(path: str | None) -> tuple[RushHours, ...]:
    """The file's entries. A mistake in it refuses to start, by entry: nobody plans a day with half of them."""
    if not path:
        return ()
    try:
        found = tomllib.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError):
        raise UnsafeSettings("DOORSTEP_TRAVEL_RUSH_HOURS must name a TOML file that can be read") from None
    entries = found.get("hours", [])
    if set(found) - {"hours"} or not isinstance(entries, list):
        raise UnsafeSettings("the file of DOORSTEP_TRAVEL_RUSH_HOURS must hold [[hours]] and nothing else")
    return tuple(_hours(number, entry) for number, entry in enumerate(entries, start=1))


def _hours(number: int, entry: Any) -> RushHours:
    wrong = UnsafeSettings(f"entry {number} in the file of DOORSTEP_TRAVEL_RUSH_HOURS is wrong (docs/operations.md)")
    if not isinstance(entry, dict) or set(entry) != KEYS:
        raise wrong
    try:
        centre = Point(float(entry["latitude"]), float(entry["longitude"]))
        begins, ends = time.fromisoformat(entry["from"]), time.fromisoformat(entry["to"])
        weekdays, factor = frozenset(entry["weekdays"]), float(entry["factor"])
        within_m, zone = float(entry["within_km"]) * 1_000, ZoneInfo(entry["timezone"])
    except (KeyError, OSError, TypeError, ValueError):
        raise wrong from None
    if not (
        abs(centre.latitude) <= 90
        and abs(centre.longitude) <= 180
        and 0 < within_m <= 1_000_000
        and weekdays <= set(range(7))
        and begins < ends
        and 1 <= factor <= MOST_FACTOR
    ):
        raise wrong
    return RushHours(centre, within_m, weekdays, begins, ends, zone.key, factor)
