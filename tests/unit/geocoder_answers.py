"""One answer per service and quality, in the shape that the service documents; places and numbers are invented."""

from __future__ import annotations

from typing import Any

from tests.geocoder_server import Answer

LAT, LON = 19.4, -99.1


def nominatim(rank: int, number: str | None = None, **more: Any) -> Answer:
    address = {"road": "Avenida Imaginaria", "country_code": "mx"} | ({"house_number": number} if number else {})
    place = {
        "place_id": 1, "licence": "Data © OpenStreetMap contributors", "osm_type": "node", "osm_id": 2,
        "lat": str(LAT), "lon": str(LON), "class": "place", "type": "house", "place_rank": rank, "importance": 0.00009,
        "addresstype": "place", "name": "", "display_name": "aquí", "address": address,
        "boundingbox": ["19.3", "19.5", "-99.2", "-99.0"],
    }  # fmt: skip
    return Answer([place | more])


def photon(kind: str, number: str | None = None, country: str = "MX") -> Answer:
    properties = {"osm_key": "place", "osm_value": "house", "type": kind, "countrycode": country, "city": "Ficticia"}
    properties |= {"street": "Avenida Imaginaria", "housenumber": number} if number else {"name": "Avenida Imaginaria"}
    geometry = {"type": "Point", "coordinates": [LON, LAT]}
    feature = {"type": "Feature", "geometry": geometry, "properties": properties}
    return Answer({"type": "FeatureCollection", "features": [feature]})


def pelias(layer: str, number: str | None = None, match: str = "exact", accuracy: str = "point") -> Answer:
    properties = {
        "id": "node/1", "gid": "openstreetmap:address:node/1", "layer": layer, "source": "openstreetmap",
        "name": "Avenida Imaginaria", "confidence": 1, "match_type": match, "accuracy": accuracy, "country_a": "MEX",
        "country_code": "MX", "label": "aquí",
    } | ({"housenumber": number} if number else {})  # fmt: skip
    geometry = {"type": "Point", "coordinates": [LON, LAT]}
    return Answer({"geocoding": {}, "type": "FeatureCollection", "features": [
        {"type": "Feature", "geometry": geometry, "properties": properties}]})  # fmt: skip


def google(types: list[str], exact: str, number: str | None = None, country: str = "MX", **more: Any) -> Answer:
    parts = [{"long_name": "México", "short_name": country, "types": ["country", "political"]}]
    if number:
        parts.insert(0, {"long_name": number, "short_name": number, "types": ["street_number"]})
    geometry = {"location": {"lat": LAT, "lng": LON}, "location_type": exact}
    result = {"address_components": parts, "formatted_address": "aquí", "geometry": geometry, "place_id": "x"}
    return Answer({"results": [result | {"types": types} | more], "status": "OK"})


def here(kind: str, number: str | None = None, **more: Any) -> Answer:
    address = {"label": "aquí", "countryCode": "MEX", "street": "Avenida Imaginaria"}
    address |= {"houseNumber": number} if number else {}
    item = {
        "title": "aquí", "id": "here:af:1", "resultType": kind, "address": address,
        "position": {"lat": LAT, "lng": LON}, "scoring": {"queryScore": 1.0, "fieldScore": {"streets": [1.0]}},
    }  # fmt: skip
    return Answer({"items": [item | more]})


def opencage(kind: str, number: str | None = None) -> Answer:
    told = {"_type": kind, "country_code": "mx", "road": "Avenida Imaginaria"}
    told |= {"house_number": number} if number else {}
    result = {"components": told, "confidence": 10, "formatted": "aquí", "geometry": {"lat": LAT, "lng": LON}}
    return Answer({"results": [result], "status": {"code": 200, "message": "OK"}, "total_results": 1})


def mapbox(kind: str, number: str | None = None, accuracy: str | None = None) -> Answer:
    feature = {
        "id": "address.1", "type": "Feature", "place_type": [kind], "relevance": 1, "text": "Avenida Imaginaria",
        "properties": {"accuracy": accuracy} if accuracy else {}, "place_name": "aquí", "center": [LON, LAT],
        "geometry": {"type": "Point", "coordinates": [LON, LAT]},
        "context": [{"id": "country.9", "short_code": "mx", "text": "México"}],
    } | ({"address": number} if number else {})  # fmt: skip
    return Answer({"type": "FeatureCollection", "query": [], "features": [feature]})


def tomtom(kind: str, number: str | None = None, **more: Any) -> Answer:
    address = {"countryCode": "MX", "freeformAddress": "aquí"} | ({"streetNumber": number} if number else {})
    result = {"type": kind, "id": "1", "score": 9.5, "address": address, "position": {"lat": LAT, "lon": LON}}
    return Answer({"summary": {"numResults": 1}, "results": [result | more]})


HOUSES = {
    "nominatim": nominatim(30, "12"),
    "photon": photon("house", "12"),
    "pelias": pelias("address", "12"),
    "geocodeearth": pelias("address", "12"),
    "google": google(["street_address"], "ROOFTOP", "12"),
    "here": here("houseNumber", "12", houseNumberType="PA"),
    "opencage": opencage("building", "12"),
    "mapbox": mapbox("address", "12", "rooftop"),
    "tomtom": tomtom("Point Address", "12"),
    "azure": tomtom("Point Address", "12"),
}
"""The house that was asked for."""

NONE = {
    "nominatim": Answer([]),
    "photon": Answer({"type": "FeatureCollection", "features": []}),
    "pelias": Answer({"features": []}),
    "geocodeearth": Answer({"features": []}),
    "google": Answer({"results": [], "status": "ZERO_RESULTS"}),
    "here": Answer({"items": []}),
    "opencage": Answer({"results": [], "status": {"code": 200, "message": "OK"}}),
    "mapbox": Answer({"type": "FeatureCollection", "features": []}),
    "tomtom": Answer({"summary": {}, "results": []}),
    "azure": Answer({"summary": {}, "results": []}),
}
"""A place that the service does not know."""

LESS = [
    ("nominatim", nominatim(30, "12", osm_type="way"), "interpolated"),
    ("nominatim", nominatim(30, "12", osm_type="way", **{"class": "building"}), "house"),
    ("nominatim", nominatim(30, "14"), "street"),
    ("nominatim", nominatim(30, "12-B"), "interpolated"),
    ("nominatim", nominatim(26, **{"class": "highway"}), "street"),
    ("nominatim", nominatim(20), "neighbourhood"),
    ("nominatim", nominatim(16), None),
    ("photon", photon("street"), "street"),
    ("photon", photon("district"), "neighbourhood"),
    ("photon", photon("city"), None),
    ("photon", photon("house", "12", "ES"), None),
    ("pelias", pelias("address", "12", "interpolated"), "interpolated"),
    ("pelias", pelias("address", "12", "fallback"), "street"),
    ("pelias", pelias("street", match="fallback", accuracy="centroid"), "street"),
    ("pelias", pelias("neighbourhood", match="fallback"), "neighbourhood"),
    ("pelias", pelias("locality", match="fallback"), None),
    ("google", google(["street_address"], "RANGE_INTERPOLATED", "12"), "interpolated"),
    ("google", google(["street_address"], "ROOFTOP", "12", partial_match=True), "street"),
    ("google", google(["route"], "GEOMETRIC_CENTER"), "street"),
    ("google", google(["neighborhood", "political"], "APPROXIMATE"), "neighbourhood"),
    ("google", google(["locality", "political"], "APPROXIMATE"), None),
    ("google", google(["street_address"], "ROOFTOP", "12", "AR"), None),
    ("here", here("houseNumber", "12", houseNumberType="interpolated"), "interpolated"),
    ("here", here("street"), "street"),
    ("here", here("locality", localityType="district"), "neighbourhood"),
    ("here", here("locality", localityType="city"), None),
    ("opencage", opencage("road"), "street"),
    ("opencage", opencage("suburb"), "neighbourhood"),
    ("opencage", opencage("city"), None),
    ("mapbox", mapbox("address", "12", "interpolated"), "interpolated"),
    ("mapbox", mapbox("address", None, "street"), "street"),
    ("mapbox", mapbox("neighborhood"), "neighbourhood"),
    ("mapbox", mapbox("place"), None),
    ("tomtom", tomtom("Address Range", "12"), "interpolated"),
    ("tomtom", tomtom("Street"), "street"),
    ("tomtom", tomtom("Geography", entityType="Neighbourhood"), "neighbourhood"),
    ("tomtom", tomtom("Geography", entityType="Municipality"), None),
]
"""Service, its answer to the question for number 12, and what that is worth."""
