"""Travel times without roads: great circle times a detour factor. Estimates, and called so.

Distances: haversine on a sphere of the Earth's mean radius (IUGG, 6,371,008.8 m; error below 0.6 %), vectorised, since
an exact geodesic takes minutes for a matrix. The detour factor is the usual ratio of road to straight distance in towns
(1.2 to 1.4). Slack and parking are those with which at most 2 % of visits are late on real roads (`bench/roads.py`):
with 0.25 and 90 s it was up to 3.4 % of a day.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from field_api.domain.routing import Legs, Matrix, Point

EARTH_RADIUS_M = 6_371_008.8


@dataclass(frozen=True)
class GreatCircleTravel:
    """Keeps the promise of field_api.domain.ports.Travel."""

    detour: float = 1.35
    speed_m_per_s: float = 7.0
    """25 km/h from door to door in a town, traffic lights included."""
    slack: float = 0.35
    """Share added to every leg."""
    parking_s: int = 120
    """Added to every leg that goes somewhere else."""

    name: str = "great circle"
    estimates: bool = True
    source: str | None = None  # a matrix is computed faster than it is read

    def between(self, origins: Sequence[Point], destinations: Sequence[Point]) -> Legs:
        straight = great_circle_m(origins, destinations)
        distance: Matrix = np.ceil(straight * self.detour).astype(np.int64)
        seconds = distance / self.speed_m_per_s * (1 + self.slack) + self.parking_s
        return Legs(distance, np.where(distance == 0, 0, np.ceil(seconds)).astype(np.int64))


def great_circle_m(origins: Sequence[Point], destinations: Sequence[Point]) -> np.ndarray:
    """Metres, a float matrix origins x destinations."""
    here, there = _radians(origins)[:, None, :], _radians(destinations)[None, :, :]
    half = np.sin((there - here) / 2) ** 2
    chord = half[..., 0] + np.cos(here[..., 0]) * np.cos(there[..., 0]) * half[..., 1]
    return 2 * EARTH_RADIUS_M * np.arcsin(np.sqrt(np.minimum(chord, 1.0)))


def _radians(points: Sequence[Point]) -> np.ndarray:
    return np.radians(np.array([(p.latitude, p.longitude) for p in points], dtype=float).reshape(-1, 2))
