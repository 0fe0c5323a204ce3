"""A configured geocoder through geopy: any service that speaks Nominatim's protocol, best one of the agency's own."""

from __future__ import annotations

import os
from collections.abc import Mapping
from urllib.parse import urlsplit

from geopy.exc import GeopyError
from geopy.extra.rate_limiter import RateLimiter
from geopy.geocoders import Nominatim

from field_api.domain.ports import GeocoderFailed, PostalAddress
from field_api.domain.routing import Point
from field_api.platform.settings import UnsafeSettings

TIMEOUT_S = 10
PUBLIC_DELAY_S = 1.0
"""The public service's usage policy: at most one request a second."""


class NominatimGeocoder:
    """Keeps the promise of field_api.domain.ports.Geocoder. One try and one repeat per address."""

    def __init__(self, url: str, user_agent: str, delay_s: float = PUBLIC_DELAY_S) -> None:
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise UnsafeSettings("DOORSTEP_GEOCODER_URL must be an http(s) address of a Nominatim service")
        self.name = f"nominatim at {parts.hostname}"
        service = Nominatim(
            user_agent=user_agent, timeout=TIMEOUT_S, domain=parts.netloc + parts.path.rstrip("/"), scheme=parts.scheme
        )
        self._geocode = RateLimiter(
            service.geocode,
            min_delay_seconds=delay_s,
            max_retries=1,
            error_wait_seconds=delay_s,
            swallow_exceptions=False,
        )

    def locate(self, address: PostalAddress) -> Point | None:
        try:
            found = self._geocode(_query(address), exactly_one=True, country_codes=address.country.lower())
        except GeopyError as error:
            raise GeocoderFailed(f"the geocoder failed: {type(error).__name__}") from None
        return Point(found.latitude, found.longitude) if found else None


def _query(address: PostalAddress) -> dict[str, str]:
    # "S/N" (no number) and block and lot are no house numbers to a geocoder: the street alone finds the place's middle.
    number = address.number if address.number and address.number[0].isdigit() else None
    parts = {
        "street": f"{number} {address.street}" if number else address.street,
        "city": address.city,
        "state": address.state,
        "postalcode": address.postcode,
    }
    return {name: value for name, value in parts.items() if value}


def geocoder_from(environment: Mapping[str, str] | None = None) -> NominatimGeocoder | None:
    """The geocoder of DOORSTEP_GEOCODER_URL; None where there is none: addresses then wait for a dispatcher.

    DOORSTEP_GEOCODER_AGENT names the agency to the service; DOORSTEP_GEOCODER_DELAY_S (default 1) may be 0 for one's
    own service.
    """
    env = os.environ if environment is None else environment
    url = env.get("DOORSTEP_GEOCODER_URL")
    if not url:
        return None
    delay_s = float(env.get("DOORSTEP_GEOCODER_DELAY_S", PUBLIC_DELAY_S))
    return NominatimGeocoder(url, env.get("DOORSTEP_GEOCODER_AGENT", "doorstep"), delay_s)
