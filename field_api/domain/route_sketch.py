"""A small drawing of a route: where its stops lie towards each other. Plain geometry, no map and no network."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import cos, radians

import numpy as np
from numpy.typing import NDArray

METRES_PER_DEGREE = 111_320.0  # of latitude, mean
_MARGIN = 0.06
_SMALLEST_SPAN_M = 200.0  # a route within one building would otherwise be blown up to nonsense

_LABEL_APART = 0.058  # a number's disc and a hair, of the frame's width
_EDGE = 0.035
_ROUNDS = 150

Points = NDArray[np.float64]
Place = tuple[float, float]  # latitude, longitude in degrees


@dataclass(frozen=True)
class Sketch:
    """Points in a frame of width 1 and height `height`, y downwards; the scale bar's length in the same unit."""

    height: float
    start: tuple[float, float]
    end: tuple[float, float]
    stops: tuple[tuple[float, float], ...]
    labels: tuple[tuple[float, float], ...]  # where the numbers stand: apart from each other, near their stops
    bar: float
    bar_m: int


def sketch(start: Place, stops: Sequence[Place], end: Place, height: float) -> Sketch:
    """Fit the places into the frame, north up, both directions on one scale."""
    places = [start, *stops, end]
    middle = (max(p[0] for p in places) + min(p[0] for p in places)) / 2
    metres = [(p[1] * cos(radians(middle)) * METRES_PER_DEGREE, -p[0] * METRES_PER_DEGREE) for p in places]
    left, top = min(x for x, _ in metres), min(y for _, y in metres)
    width_m = max(max(x for x, _ in metres) - left, _SMALLEST_SPAN_M)
    height_m = max(max(y for _, y in metres) - top, _SMALLEST_SPAN_M)
    scale = min((1 - 2 * _MARGIN) / width_m, (height - 2 * _MARGIN) / height_m)
    dx, dy = (1 - width_m * scale) / 2, (height - height_m * scale) / 2
    drawn = [(round((x - left) * scale + dx, 4), round((y - top) * scale + dy, 4)) for x, y in metres]
    bar_m = _round_length(0.25 / scale)
    return Sketch(
        height, drawn[0], drawn[-1], tuple(drawn[1:-1]), spread(drawn, height), round(bar_m * scale, 4), bar_m
    )


def spread(drawn: Sequence[tuple[float, float]], height: float) -> tuple[tuple[float, float], ...]:
    """Move the numbers of close stops apart until none covers another, as far as the frame has room."""
    points = np.array(drawn)
    labels = points[1:-1].copy()
    # Stops of one building lie on each other: a sunflower's turn gives each number a direction of its own.
    turns = np.arange(len(labels)) * 2.39996
    labels += np.column_stack([np.cos(turns), np.sin(turns)]) * 0.001
    for _ in range(_ROUNDS):
        labels += _push(labels, labels, _LABEL_APART) / 2 + _push(labels, points[[0, -1]], _LABEL_APART)
        labels += (points[1:-1] - labels) * 0.02  # and a little pull home
        np.clip(labels, [_EDGE, _EDGE], [1 - _EDGE, height - _EDGE], out=labels)
    return tuple((round(float(x), 4), round(float(y), 4)) for x, y in labels)


def _push(labels: Points, others: Points, apart: float) -> Points:
    """How far each label moves away from what is nearer than `apart`."""
    away = labels[:, None, :] - others[None, :, :]
    distance = np.linalg.norm(away, axis=2)
    short = np.where((distance > 0) & (distance < apart), (apart - distance) / np.maximum(distance, 1e-9), 0.0)
    return np.asarray((away * short[:, :, None]).sum(axis=1))


def _round_length(metres: float) -> int:
    """The greatest of 1, 2, 5 × 10ⁿ metres that is not longer."""
    best = 1
    for exponent in range(7):
        for digit in (1, 2, 5):
            if digit * 10**exponent <= metres:
                best = digit * 10**exponent
    return best
