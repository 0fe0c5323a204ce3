"""Days off and time zones of places, from the packages `holidays` and `tzfpy`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from functools import cache
from math import cos, radians

import holidays
import tzfpy

from field_api.domain.days_off import mx_bank_days, mx_rest_days

BORDER_M = 2_000
"""As near to another zone's border a place may lie in either: the map's borders are simplified, coordinates are a
street's or a neighbourhood's. 12 CFR 1006.6(b)(1): where it is ambiguous, the hours of all hold."""
METRES_PER_DEGREE = 111_195.0
KINDS_OF_HOLIDAY = ("public", "government", "bank", "optional", "de_facto", "half_day", "catholic", "protestant")
"""Some laws say "holiday" and mean more than public ones; an office that stays closed is the stricter reading. Not
school holidays, nor a single faith's beside these."""

MOST_REGIONS = 60
"""More than that are no regions (Italy's 114 are provinces and cities)."""


class Almanac:
    """Keeps the promise of field_api.domain.ports.Calendars. Holidays are those of the package, observed days too.

    Of a country without a subdivision they are those of all its subdivisions: which one an address lies in is not
    known, so a holiday anywhere in it is one (the stricter reading). Not where the subdivisions are cities and their
    patron saints, which would be a hundred days of Italy's year.
    """

    def __init__(self) -> None:
        self.days_off = cache(self._days_off)

    def _days_off(self, place: str | None, year: int) -> Mapping[str, Mapping[date, str]]:
        return {
            "holidays": _public_holidays(place, year),
            "mx_rest_days": mx_rest_days(year),
            "mx_bank_days": mx_bank_days(year),
        }

    def zones_at(self, latitude: float, longitude: float) -> tuple[str, ...]:
        found = (zone for there in _around(latitude, longitude) for zone in sorted(tzfpy.get_tzs(*there)))
        return tuple(dict.fromkeys(found))


def _around(latitude: float, longitude: float) -> Iterable[tuple[float, float]]:
    """(longitude, latitude) of the point, then of four at the border's distance."""
    north = BORDER_M / METRES_PER_DEGREE
    east = north / max(cos(radians(latitude)), 0.01)
    yield longitude, latitude
    for step in (-1, 1):
        yield (longitude + step * east + 180) % 360 - 180, latitude
        yield longitude, max(-90.0, min(90.0, latitude + step * north))


def _public_holidays(place: str | None, year: int) -> dict[date, str]:
    if place is None or place == "EU":
        return {}
    country, _, subdivision = place.partition("-")
    general = holidays.country_holidays(country)
    kinds = tuple(kind for kind in KINDS_OF_HOLIDAY if kind in general.supported_categories)
    regions = general.subdivisions if len(general.subdivisions) <= MOST_REGIONS else ()
    parts = [subdivision] if subdivision else [None, *regions]
    found: dict[date, str] = {}
    for part in parts:
        # The years beside: 1 January on a Saturday is observed on 31 December.
        days = holidays.country_holidays(
            country, subdiv=part, years=(year - 1, year, year + 1), categories=kinds, language="en_US"
        )
        found |= {day: name for day, name in days.items() if day.year == year and day not in found}
    return found
