"""Valhalla's `/sources_to_targets` (3.x), the matrix of times and distances: seconds and kilometres, null where no road
leads. Answers come concise (two matrices) or wordy (an object per pair, from servers that know no `verbose`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from field_api.adapters.travel_http import EngineHttp
from field_api.adapters.travel_roads import Floats, Table
from field_api.domain.routing import Point

BLOCK = 50
"""Its default `service_limits.auto.max_matrix_location_pairs` is 2,500."""
OFF_ROAD_M = 1_000
"""A place further from any road than this is on none."""
NOT_ON_A_ROAD = frozenset({170, 171})
"""Its error codes where a point has no edge near it: the whole question is refused, without saying which point."""


@dataclass(frozen=True)
class Valhalla:
    """Keeps the promise of field_api.adapters.travel_roads.Engine."""

    http: EngineHttp
    block: int = BLOCK
    costing: str = "auto"

    def table(self, origins: Sequence[Point], destinations: Sequence[Point]) -> Table:
        answer = self._asked(origins, destinations)
        if isinstance(answer, Table):
            return answer
        if answer not in NOT_ON_A_ROAD:
            raise self.http.failed(f"refused-{answer}")
        rows, columns = self._on_roads(origins), self._on_roads(destinations)
        empty = np.full((len(origins), len(destinations)), np.nan)
        table = Table(empty, empty.copy())
        if rows and columns:
            found = self._asked([origins[i] for i in rows], [destinations[i] for i in columns])
            if isinstance(found, Table):
                table.seconds[np.ix_(rows, columns)] = found.seconds
                table.metres[np.ix_(rows, columns)] = found.metres
            elif found not in NOT_ON_A_ROAD:  # else each is on a road, and no two of these roads meet
                raise self.http.failed(f"refused-{found}")
        return table

    def _asked(self, origins: Sequence[Point], destinations: Sequence[Point]) -> Table | int:
        """The table, or the number of the error by which it was refused."""
        answer = self.http.post(
            "/sources_to_targets",
            {
                "sources": _places(origins),
                "targets": _places(destinations),
                "costing": self.costing,
                "units": "kilometers",
                "verbose": False,
            },
        )
        body = answer.body if isinstance(answer.body, dict) else {}
        if answer.status != 200:
            code = body.get("error_code")
            return code if isinstance(code, int) else answer.status
        return self._read(body.get("sources_to_targets"), (len(origins), len(destinations)))

    def _on_roads(self, points: Sequence[Point]) -> list[int]:
        """Which of the points have a road near them."""
        answer = self.http.post("/locate", {"locations": _places(points), "costing": self.costing, "verbose": False})
        if answer.status != 200 or not isinstance(answer.body, list) or len(answer.body) != len(points):
            raise self.http.failed("bad-answer")
        return [at for at, found in enumerate(answer.body) if isinstance(found, dict) and found.get("edges")]

    def _read(self, found: Any, shape: tuple[int, int]) -> Table:
        try:
            if isinstance(found, dict):
                return Table(matrix_of(found["durations"], shape), matrix_of(found["distances"], shape) * 1000)
            seconds = [[pair["time"] for pair in row] for row in found]
            kilometres = [[pair["distance"] for pair in row] for row in found]
            return Table(matrix_of(seconds, shape), matrix_of(kilometres, shape) * 1000)
        except (KeyError, TypeError, ValueError):
            raise self.http.failed("bad-answer") from None


def matrix_of(rows: Any, shape: tuple[int, int]) -> Floats:
    """Numbers, and not a number for each null. Raises ValueError, TypeError for whatever is no matrix of that shape."""
    matrix: Floats = np.array(rows, dtype=object)
    if matrix.shape != shape or not all(value is None or type(value) in (int, float) for value in matrix.flat):
        raise ValueError("no matrix of that shape")
    return matrix.astype(np.float64)


def _places(points: Sequence[Point]) -> list[dict[str, float]]:
    return [{"lat": p.latitude, "lon": p.longitude, "search_cutoff": OFF_ROAD_M} for p in points]
