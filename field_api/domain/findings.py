"""A house that somebody found: whether its position becomes the address's own, or a person looks at it first."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from field_api.domain.house_numbers import metres
from field_api.domain.placing import PlaceQuality
from field_api.domain.routing import Point

MOST_ACCURACY_M = 30.0
"""A fix that may be off by more is not better than the address of the house next door."""
STALE_S = 180.0
"""A position read longer before it was recorded is of another place: three minutes' walk."""


class Source(StrEnum):
    """Who knows a place, where no geocoder does; those are named by service and host."""

    DISPATCHER = "dispatcher"
    AGENT = "agent at the door"
    KNOWN_HOUSES = "known houses of the street"


class Doubt(StrEnum):
    """Why a position from a door waits for a person."""

    NO_ACCURACY = "no-accuracy"
    INACCURATE = "inaccurate"
    STALE = "stale"
    TOO_FAR = "too-far"


_PLAUSIBLE_M = {
    None: 300.0,  # as the creditor gave it: meant to be the house
    PlaceQuality.HOUSE: 150.0,
    PlaceQuality.INTERPOLATED: 500.0,
    PlaceQuality.STREET: 2_000.0,
    PlaceQuality.NEIGHBOURHOOD: 3_000.0,
    PlaceQuality.CITY: 3_000.0,
}
"""How far from where it was thought to be a house is believed to be found, by how well that was known."""


@dataclass(frozen=True)
class Finding:
    """A position said to be that of the house. `read_s_before`: how long before it was recorded the phone read it."""

    point: Point
    accuracy_m: float | None
    read_s_before: float = 0.0


def doubt_about(found: Finding, known: Point | None, quality: PlaceQuality | None) -> Doubt | None:
    """Why the finding waits for a person; None: it becomes the address's place.

    Its own accuracy is not taken off the distance: a bad fix is no reason to believe it more.
    """
    if found.accuracy_m is None:
        return Doubt.NO_ACCURACY
    if found.accuracy_m > MOST_ACCURACY_M:
        return Doubt.INACCURATE
    if found.read_s_before > STALE_S:
        return Doubt.STALE
    if known is not None and metres(known, found.point) > _PLAUSIBLE_M[quality]:
        return Doubt.TOO_FAR
    return None
