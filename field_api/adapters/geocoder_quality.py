"""What each service's answer stands for: its own words for quality, read as ours.

Every reader takes one result as it came. It gives the country and the house number that the service found, where it
says them, and what its point is: one that does not know the house answers with the street or the town without a word.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from field_api.domain.placing import PlaceQuality

HOUSE, INTERPOLATED = PlaceQuality.HOUSE, PlaceQuality.INTERPOLATED
STREET, NEIGHBOURHOOD, CITY = PlaceQuality.STREET, PlaceQuality.NEIGHBOURHOOD, PlaceQuality.CITY


@dataclass(frozen=True)
class Said:
    """`country`: ISO 3166-1, two or three letters as the service writes it."""

    quality: PlaceQuality
    number: str | None
    country: str | None


Result = Mapping[str, Any]
Reader = Callable[[Result], Said]


def nominatim(result: Result) -> Said:
    """By `place_rank` (https://nominatim.org/release-docs/latest/customize/Ranking/): 30 houses and places of interest,
    26 to 28 streets, 20 to 25 suburbs to blocks. A house on a *way* of class place is Nominatim's own interpolation."""
    address = _inner(result, "address")
    rank = _number(result.get("place_rank"))
    if rank is None:
        rank = {"highway": 26.0, "building": 30.0, "amenity": 30.0, "shop": 30.0}.get(str(result.get("class")), 16.0)
        rank = 30.0 if result.get("type") == "house" else rank
    if rank >= 29:
        along = (result.get("class"), result.get("type"), result.get("osm_type")) == ("place", "house", "way")
        quality = INTERPOLATED if along else HOUSE
    else:
        quality = STREET if rank >= 26 else NEIGHBOURHOOD if rank >= 20 else CITY
    return Said(quality, _text(address.get("house_number")), _text(address.get("country_code")))


def photon(result: Result) -> Said:
    """By `type` (https://github.com/komoot/photon: house, street, locality, district, city …)."""
    told = _inner(result, "properties")
    kinds = {"house": HOUSE, "street": STREET, "locality": NEIGHBOURHOOD, "district": NEIGHBOURHOOD}
    quality = kinds.get(str(told.get("type")), CITY)
    return Said(quality, _text(told.get("housenumber")), _text(told.get("countrycode")))


def pelias(result: Result) -> Said:
    """By `layer`, `match_type` and `accuracy` (https://github.com/pelias/documentation/blob/master/result_quality.md)."""
    told = _inner(result, "properties")
    if told.get("layer") in ("address", "venue"):
        interpolated = told.get("match_type") == "interpolated" or told.get("accuracy") == "interpolated"
        fallback = told.get("match_type") == "fallback"
        quality = INTERPOLATED if interpolated else STREET if fallback else HOUSE
    else:
        kinds = dict.fromkeys(("neighbourhood", "borough", "macrohood", "postalcode"), NEIGHBOURHOOD)
        quality = (kinds | {"street": STREET, "intersection": STREET}).get(str(told.get("layer")), CITY)
    country = _text(told.get("country_code")) or _text(told.get("country_a"))
    return Said(quality, _text(told.get("housenumber")), country)


def google(result: Result) -> Said:
    """By `geometry.location_type` and `types` (Geocoding API, "Results"). A partial match is another address's house,
    on another street of a like name or in another quarter: whoever is sent there has to look."""
    types = set(result.get("types") or ())
    exact = str(_inner(result, "geometry").get("location_type"))
    if types & {"street_address", "premise", "subpremise"}:
        exactly = {} if result.get("partial_match") else {"ROOFTOP": HOUSE, "RANGE_INTERPOLATED": INTERPOLATED}
        quality = exactly.get(exact, STREET)
    elif types & {"route", "intersection"}:
        quality = STREET
    else:
        near = {"neighborhood", "sublocality", "sublocality_level_1", "sublocality_level_2", "postal_code", "plus_code"}
        quality = NEIGHBOURHOOD if types & near else CITY
    number = _component(result, "street_number", "long_name")
    return Said(quality, number, _component(result, "country", "short_name"))


def here(result: Result) -> Said:
    """By `resultType`, `houseNumberType` (PA a point address, interpolated), `localityType` (Geocoding v7)."""
    address = _inner(result, "address")
    kind, locality = str(result.get("resultType")), str(result.get("localityType"))
    if kind == "houseNumber":
        quality = INTERPOLATED if result.get("houseNumberType") == "interpolated" else HOUSE
    elif kind in ("street", "intersection"):
        quality = STREET
    else:
        near = kind == "postalCodePoint" or locality in ("district", "subdistrict", "block", "subblock", "postalCode")
        quality = NEIGHBOURHOOD if near else CITY
    return Said(quality, _text(address.get("houseNumber")), _text(address.get("countryCode")))


def opencage(result: Result) -> Said:
    """By `components._type` (https://opencagedata.com/api#response)."""
    told = _inner(result, "components")
    kinds = {"building": HOUSE, "house": HOUSE, "road": STREET, "street": STREET}
    near = dict.fromkeys(("neighbourhood", "suburb", "city_district", "quarter", "postcode"), NEIGHBOURHOOD)
    quality = (kinds | near).get(str(told.get("_type")), CITY)
    return Said(quality, _text(told.get("house_number")), _text(told.get("country_code")))


def mapbox(result: Result) -> Said:
    """By `place_type` and `properties.accuracy` (Geocoding v5, "Point accuracy for address features")."""
    kind = str((result.get("place_type") or [None])[0])
    exact = _inner(result, "properties").get("accuracy")
    if kind == "address":
        quality = {"interpolated": INTERPOLATED, "street": STREET, "intersection": STREET, "approximate": STREET}.get(
            str(exact), HOUSE
        )
    else:
        quality = NEIGHBOURHOOD if kind in ("neighborhood", "locality", "postcode") else CITY
    codes = [
        part.get("short_code") for part in result.get("context") or () if str(part.get("id")).startswith("country")
    ]
    return Said(quality, _text(result.get("address")), _text(codes[0] if codes else None))


def tomtom(result: Result) -> Said:
    """By `type` and `entityType` (TomTom Search API, "Geocode response"; Azure Maps answers alike)."""
    address = _inner(result, "address")
    kinds = {"Point Address": HOUSE, "Address Range": INTERPOLATED, "Street": STREET, "Cross Street": STREET}
    near = result.get("entityType") in ("MunicipalitySubdivision", "Neighbourhood", "PostalCodeArea")
    quality = kinds.get(str(result.get("type")), NEIGHBOURHOOD if near else CITY)
    return Said(quality, _text(address.get("streetNumber")), _text(address.get("countryCode")))


def _inner(result: Result, name: str) -> Result:
    part = result.get(name)
    return part if isinstance(part, Mapping) else {}


def _component(result: Result, kind: str, form: str) -> str | None:
    for part in result.get("address_components") or ():
        if isinstance(part, Mapping) and kind in (part.get("types") or ()):
            return _text(part.get(form))
    return None


def _text(value: Any) -> str | None:
    return str(value) if isinstance(value, (str, int)) and str(value) else None


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else None
