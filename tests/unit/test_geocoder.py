"""The geocoder's promise, on the adapter against a local server and on the fake."""

from __future__ import annotations

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.parse import parse_qs, urlsplit

import pytest

from field_api.adapters.geocoder_geopy import NominatimGeocoder, geocoder_from
from field_api.domain.ports import Geocoder, GeocoderFailed, PostalAddress
from field_api.domain.routing import Point
from field_api.platform.settings import UnsafeSettings
from tests.fakes import ListedGeocoder

KNOWN = PostalAddress("Avenida Imaginaria", "12", "Centro", "Ciudad Ficticia", "06500", None, "MX")
UNKNOWN = PostalAddress("Calle de Nadie", "S/N", None, "Ciudad Ficticia", None, None, "MX")
THERE = Point(19.4, -99.1)


class _Nominatim(BaseHTTPRequestHandler):
    queries: list[dict[str, list[str]]] = []
    status = 200

    def do_GET(self) -> None:
        query = parse_qs(urlsplit(self.path).query)
        self.queries.append(query)
        known = query["street"] == ["12 Avenida Imaginaria"]
        found = [{"lat": "19.4", "lon": "-99.1", "display_name": "aquí"}] if known else []
        body = json.dumps(found).encode()
        self.send_response(self.status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Quiet."""


@pytest.fixture
def service() -> Iterator[tuple[str, type[_Nominatim]]]:
    """The address of a small Nominatim on this machine, and its handler."""
    handler = type("Handler", (_Nominatim,), {"queries": []})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", handler
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture(params=["adapter", "fake"])
def geocoder(request: pytest.FixtureRequest, service: tuple[str, type[_Nominatim]]) -> Geocoder:
    return (
        NominatimGeocoder(service[0], "doorstep-tests", 0)
        if request.param == "adapter"
        else ListedGeocoder({KNOWN: THERE})
    )


def test_a_known_place_has_coordinates_and_an_unknown_one_none(geocoder: Geocoder) -> None:
    assert geocoder.locate(KNOWN) == THERE
    assert geocoder.locate(UNKNOWN) is None


def test_only_the_postal_address_leaves_the_house(service: tuple[str, type[_Nominatim]]) -> None:
    NominatimGeocoder(service[0], "doorstep-tests", 0).locate(UNKNOWN)
    (query,) = service[1].queries
    assert query["street"] == ["Calle de Nadie"]  # "S/N" is no number
    assert set(query) <= {"street", "city", "format", "limit", "countrycodes", "addressdetails"}


def test_a_failing_service_says_what_kind_and_no_address(service: tuple[str, type[_Nominatim]]) -> None:
    service[1].status = 503
    with pytest.raises(GeocoderFailed) as failure:
        NominatimGeocoder(service[0], "doorstep-tests", 0).locate(KNOWN)
    assert "Imaginaria" not in str(failure.value) and failure.value.__suppress_context__


def test_the_geocoder_is_there_when_configured_and_refuses_nonsense() -> None:
    assert geocoder_from({}) is None
    configured = geocoder_from({"DOORSTEP_GEOCODER_URL": "https://geo.example/nominatim"})
    assert configured is not None and configured.name == "nominatim at geo.example"
    with pytest.raises(UnsafeSettings):
        geocoder_from({"DOORSTEP_GEOCODER_URL": "file:///etc/passwd"})
