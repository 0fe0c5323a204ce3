"""How well a place is known, and what a service outside said of it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from field_api.domain.routing import Point


class PlaceQuality(StrEnum):
    """What coordinates stand for, best first. `CITY` and wider is not good enough to send anybody."""

    HOUSE = "house"
    INTERPOLATED = "interpolated"  # between known numbers of the street
    STREET = "street"  # somewhere on it: its middle
    NEIGHBOURHOOD = "neighbourhood"  # its middle
    CITY = "city"

    def better_than(self, other: PlaceQuality) -> bool:
        return _RANK[self] < _RANK[other]

    @property
    def is_enough(self) -> bool:
        """Good enough to send somebody, who may have to look for the number."""
        return self is not PlaceQuality.CITY

    @property
    def is_approximate(self) -> bool:
        """The agent is told to look for the number: the point is none of a house."""
        return self in (PlaceQuality.STREET, PlaceQuality.NEIGHBOURHOOD)


_RANK = {quality: rank for rank, quality in enumerate(PlaceQuality)}


@dataclass(frozen=True)
class Located:
    """A place as somebody knows it. `source` names who: a service and its host, never a person."""

    point: Point
    quality: PlaceQuality
    source: str


def best(found: list[Located]) -> Located | None:
    """The best known, the earliest of equals; None where none is good enough to go there."""
    enough = [one for one in found if one.quality.is_enough]
    return min(enough, key=lambda one: _RANK[one.quality], default=None)
