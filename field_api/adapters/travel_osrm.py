"""OSRM's `/table/v1` (5.x and later): seconds and metres, null where no road leads; GET alone, points in the address.

It takes any point to the nearest road, however far that is, and says how far: beyond OFF_ROAD_M the place is on none.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from field_api.adapters.travel_http import EngineHttp
from field_api.adapters.travel_roads import Table
from field_api.adapters.travel_valhalla import OFF_ROAD_M, matrix_of
from field_api.domain.routing import Point

BLOCK = 50
"""Its default `--max-table-size` is 100 points, origins and destinations together."""
NO_WAY = frozenset({"NoTable", "NoRoute", "NoSegment"})
"""Codes by which it says that nothing of what was asked is on a road."""


@dataclass(frozen=True)
class Osrm:
    """Keeps the promise of field_api.adapters.travel_roads.Engine."""

    http: EngineHttp
    block: int = BLOCK
    profile: str = "driving"

    def table(self, origins: Sequence[Point], destinations: Sequence[Point]) -> Table:
        shape = len(origins), len(destinations)
        places = ";".join(f"{point.longitude:.5f},{point.latitude:.5f}" for point in (*origins, *destinations))
        answer = self.http.get(
            f"/table/v1/{self.profile}/{places}",
            {
                "sources": ";".join(map(str, range(shape[0]))),
                "destinations": ";".join(map(str, range(shape[0], sum(shape)))),
                "annotations": "duration,distance",
                "generate_hints": "false",
            },
        )
        body = answer.body if isinstance(answer.body, dict) else {}
        code = body.get("code")
        if code in NO_WAY:
            return Table(np.full(shape, np.nan), np.full(shape, np.nan))
        if answer.status != 200 or code != "Ok":
            raise self.http.failed(f"refused-{_word(code)}")
        return self._read(body, shape)

    def _read(self, body: dict[str, Any], shape: tuple[int, int]) -> Table:
        try:
            table = Table(matrix_of(body["durations"], shape), matrix_of(body["distances"], shape))
            far_rows, far_columns = _off_road(body["sources"]), _off_road(body["destinations"])
            for part in (table.seconds, table.metres):
                part[far_rows, :] = np.nan
                part[:, far_columns] = np.nan
        except (IndexError, KeyError, TypeError, ValueError):
            raise self.http.failed("bad-answer") from None
        return table


def _off_road(waypoints: Any) -> list[int]:
    return [at for at, waypoint in enumerate(waypoints) if waypoint["distance"] > OFF_ROAD_M]


def _word(code: Any) -> str:
    """Its own code where it is one: a log line repeats nothing else of an answer."""
    return code if isinstance(code, str) and code.isalpha() and len(code) <= 30 else "unknown"
