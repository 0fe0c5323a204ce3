"""The services that can be configured: how geopy asks each, and who reads the quality of its answers.

A further one that geopy has is a line in `SERVICES` and a reader in geocoder_quality.py.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any
from urllib.parse import SplitResult

from babel import Locale
from babel.core import get_global
from geopy.geocoders import (
    AzureMaps,
    GeocodeEarth,
    GoogleV3,
    HereV7,
    MapBox,
    Nominatim,
    OpenCage,
    Pelias,
    Photon,
    TomTom,
)

from field_api.adapters import geocoder_quality as quality
from field_api.adapters.geocoder_http import PlainAdapter
from field_api.domain.ports import PostalAddress

TIMEOUT_S = 10
_NUMBER_FIRST = frozenset({"US", "CA", "GB", "IE", "FR", "LU", "AU", "NZ"})

Ask = Callable[[Any, PostalAddress], Any]


@dataclass(frozen=True)
class Service:
    """`make` gets the address of the service (None: the provider's own), its key and what all have in common."""

    make: Callable[[SplitResult | None, str | None, Mapping[str, Any]], Any]
    ask: Ask
    read: quality.Reader
    delay_s: float
    """Between two questions, unless told otherwise: the public service's policy, or a fraction of the provider's."""
    needs_key: bool = True
    needs_url: bool = False
    """No public service may be asked in bulk: somebody runs one, and says where."""


def common(user_agent: str) -> dict[str, Any]:
    return {"timeout": TIMEOUT_S, "user_agent": user_agent, "adapter_factory": PlainAdapter}


def at(url: SplitResult | None) -> dict[str, str]:
    """Where a service is, in the words of geopy's constructors."""
    return {} if url is None else {"scheme": url.scheme, "domain": url.netloc + url.path.rstrip("/")}


def street_and_number(address: PostalAddress) -> str:
    """As written there. "S/N" (no number) and block and lot are no house numbers to a geocoder: the street alone
    finds its middle."""
    number = house_number(address)
    if number is None:
        return address.street
    first, second = (number, address.street) if address.country in _NUMBER_FIRST else (address.street, number)
    return f"{first} {second}"


def house_number(address: PostalAddress) -> str | None:
    return address.number if address.number and address.number[0].isdigit() else None


def one_line(address: PostalAddress) -> str:
    """The postal address as one text, for services that take it so."""
    town = " ".join(filter(None, [address.postcode, address.city]))
    country = Locale("en").territories.get(address.country)
    parts = [street_and_number(address), address.neighbourhood, town, address.state, country]
    return ", ".join(part for part in parts if part)


@cache
def alpha_3(country: str) -> str:
    """ISO 3166-1's three letters for its two, by CLDR's aliases."""
    codes = [code for code, now in get_global("territory_aliases").items() if now == [country]]
    three = sorted(code for code in codes if len(code) == 3 and code.isalpha())
    return next((code for code in three if code.startswith(country)), three[0] if three else country)


def _ask_nominatim(service: Nominatim, address: PostalAddress) -> Any:
    number = house_number(address)
    parts = {
        "street": f"{number} {address.street}" if number else address.street,
        "city": address.city,
        "state": address.state,
        "postalcode": address.postcode,
    }
    query = {name: value for name, value in parts.items() if value}
    return service.geocode(query, exactly_one=True, addressdetails=True, country_codes=address.country.lower())


def _ask_here(service: HereV7, address: PostalAddress) -> Any:
    parts = {
        "country": alpha_3(address.country),
        "state": address.state,
        "city": address.city,
        "district": address.neighbourhood,
        "street": address.street,
        "houseNumber": house_number(address),
        "postalCode": address.postcode,
    }
    # A semicolon parts its query's values: geopy refuses it in one.
    told = {name: value.replace(";", ",") for name, value in parts.items() if value}
    return service.geocode(components=told, exactly_one=True)


def _make_here(url: SplitResult | None, key: str | None, options: Mapping[str, Any]) -> HereV7:
    service = HereV7(key, **options)
    if url is not None:  # geopy puts a name of its own before the domain
        service.api = f"{url.scheme}://{url.netloc}{url.path.rstrip('/')}{service.geocode_path}"
    return service


SERVICES: Mapping[str, Service] = {
    "nominatim": Service(
        lambda url, _, options: Nominatim(**at(url), **options),
        _ask_nominatim, quality.nominatim, 1.0, needs_key=False, needs_url=True,
    ),
    "photon": Service(
        lambda url, _, options: Photon(**at(url), **options),
        lambda service, address: service.geocode(one_line(address), exactly_one=True),
        quality.photon, 1.0, needs_key=False, needs_url=True,
    ),
    "pelias": Service(
        lambda url, key, options: Pelias(**at(url), api_key=key, **options),
        lambda service, address: service.geocode(one_line(address), exactly_one=True, countries=[address.country]),
        quality.pelias, 0.2, needs_key=False, needs_url=True,
    ),
    "geocodeearth": Service(
        lambda url, key, options: GeocodeEarth(key, **at(url), **options),
        lambda service, address: service.geocode(one_line(address), exactly_one=True, countries=[address.country]),
        quality.pelias, 0.2,
    ),
    "google": Service(
        lambda url, key, options: GoogleV3(key, **at(url), **options),
        lambda service, address: service.geocode(
            one_line(address), exactly_one=True, components={"country": address.country}
        ),
        quality.google, 0.1,
    ),
    "here": Service(_make_here, _ask_here, quality.here, 0.25),
    "opencage": Service(
        lambda url, key, options: OpenCage(key, **at(url), **options),
        lambda service, address: service.geocode(
            one_line(address), exactly_one=True, country=address.country.lower(), annotations=False
        ),
        quality.opencage, 1.0,
    ),
    "mapbox": Service(
        lambda url, key, options: MapBox(key, **at(url), **options),
        lambda service, address: service.geocode(one_line(address), exactly_one=True, country=address.country),
        quality.mapbox, 0.1,
    ),
    "tomtom": Service(
        lambda url, key, options: TomTom(key, **at(url), **options),
        lambda service, address: service.geocode(one_line(address), exactly_one=True),
        quality.tomtom, 0.2,
    ),
    "azure": Service(
        lambda url, key, options: AzureMaps(key, **at(url), **options),
        lambda service, address: service.geocode(one_line(address), exactly_one=True),
        quality.tomtom, 0.1,
    ),
}  # fmt: skip
"""By the name that DOORSTEP_GEOCODERS uses."""
