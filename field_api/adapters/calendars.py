"""Days off and time zones of places, from the packages `holidays` and `tzfpy`."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from functools import cache

import holidays
import tzfpy

from field_api.domain.days_off import mx_bank_days, mx_rest_days


class Almanac:
    """Keeps the promise of field_api.domain.ports.Calendars. Holidays are those of the package, observed days too."""

    def __init__(self) -> None:
        self.days_off = cache(self._days_off)

    def _days_off(self, place: str | None, year: int) -> Mapping[str, Mapping[date, str]]:
        return {
            "holidays": _public_holidays(place, year),
            "mx_rest_days": mx_rest_days(year),
            "mx_bank_days": mx_bank_days(year),
        }

    def zones_at(self, latitude: float, longitude: float) -> tuple[str, ...]:
        return tuple(sorted(tzfpy.get_tzs(longitude, latitude)))


def _public_holidays(place: str | None, year: int) -> dict[date, str]:
    if place is None or place == "EU":
        return {}
    country, _, subdivision = place.partition("-")
    return dict(holidays.country_holidays(country, subdiv=subdivision or None, years=year, language="en_US"))
