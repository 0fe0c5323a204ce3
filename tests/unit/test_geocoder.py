"""The geocoder's promise, on the adapter against a local server and on the fake; what services answer, well and badly."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote_plus

import pytest

from field_api.adapters import geocoder_geopy, geocoder_services
from field_api.adapters.geocoder_geopy import GeocoderChain, Pace
from field_api.adapters.geocoder_services import SERVICES
from field_api.adapters.geocoder_settings import geocoder_from
from field_api.domain.placing import Located, PlaceQuality
from field_api.domain.ports import Geocoder, GeocoderFailed, PostalAddress
from field_api.domain.routing import Point
from field_api.platform.crash import StartRefused
from field_api.platform.settings import UnsafeSettings
from tests.fakes import ListedGeocoder
from tests.geocoder_server import Answer, Service, geocoding_service
from tests.unit.geocoder_answers import HOUSES, LESS, NONE

KNOWN = PostalAddress("Avenida Imaginaria", "12", "Centro", "Ciudad Ficticia", "06500", None, "MX")
UNKNOWN = PostalAddress("Calle de Nadie", "S/N", None, "Ciudad Ficticia", None, None, "MX")
THERE = Point(19.4, -99.1)
KEY = "secret-key-of-a-paid-service"


@pytest.fixture(scope="module")
def servers() -> Iterator[tuple[Service, Service]]:
    with geocoding_service() as one, geocoding_service() as other:
        yield one, other


@pytest.fixture
def service(servers: tuple[Service, Service]) -> Service:
    for one in servers:
        one.paths.clear()
        one.agents.clear()
        one.answer = lambda path: Answer([])
    return servers[0]


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("keys") / "geocoders.keys"
    path.write_text("# paid services\n" + "".join(f"{kind} = {KEY}\n" for kind in SERVICES if SERVICES[kind].needs_key))
    path.chmod(0o600)
    return path


def chain(keys: Path, *services: tuple[str, Service]) -> GeocoderChain:
    built = geocoder_from({
        "DOORSTEP_GEOCODERS": ", ".join(f"{kind}@{service.url}" for kind, service in services),
        "DOORSTEP_GEOCODER_KEYS_FILE": str(keys),
        "DOORSTEP_GEOCODER_DELAY_S": "0",
        "DOORSTEP_GEOCODER_AGENT": "doorstep-tests",
    })  # fmt: skip
    assert built is not None
    return built


@pytest.mark.parametrize("kind", ["adapter", "fake"])
def test_a_known_place_has_coordinates_and_an_unknown_one_none(kind: str, service: Service, keys: Path) -> None:
    service.answer = lambda path: HOUSES["nominatim"] if "12+Avenida+Imaginaria" in path else Answer([])
    geocoder: Geocoder = chain(keys, ("nominatim", service)) if kind == "adapter" else ListedGeocoder({KNOWN: THERE})
    found = geocoder.locate(KNOWN)
    assert found is not None and (found.point, found.quality) == (THERE, PlaceQuality.HOUSE)
    assert found.source in geocoder.services
    assert geocoder.locate(UNKNOWN) is None


@pytest.mark.parametrize("kind", sorted(SERVICES))
def test_every_service_is_asked_for_the_address_alone_and_its_house_is_one(
    kind: str, service: Service, keys: Path
) -> None:
    service.answer = lambda path: HOUSES[kind]
    geocoder = chain(keys, (kind, service))
    assert geocoder.locate(KNOWN) == Located(THERE, PlaceQuality.HOUSE, f"{kind} at 127.0.0.1")
    (asked,) = map(unquote_plus, service.paths)
    assert all(part in asked for part in ("Avenida Imaginaria", "12", "Ciudad Ficticia", "06500"))
    assert (KEY in asked) == SERVICES[kind].needs_key
    assert service.agents == ["doorstep-tests"]
    service.answer = lambda path: NONE[kind]
    assert geocoder.locate(KNOWN) is None
    geocoder.locate(UNKNOWN)
    assert "S/N" not in unquote_plus(service.paths[-1])


@pytest.mark.parametrize(("kind", "answer", "worth"), LESS)
def test_what_an_answer_is_worth(kind: str, answer: Answer, worth: str | None, service: Service, keys: Path) -> None:
    service.answer = lambda path: answer
    found = chain(keys, (kind, service)).locate(KNOWN)
    assert (found.quality.value if found else None) == worth


BAD = {
    "too many": Answer({}, 429, {"Retry-After": "3600"}),
    "broken": Answer("<html>oops</html>", 500),
    "html": Answer("<html>please sign in to this network</html>"),
    "other shape": Answer({"results": 7, "features": 7, "items": 7, "status": 7}),
    "deep": Answer("[" * 100_000),
    "giant": Answer(" " * 100_000, repeated=40),
    "no key": Answer({}, 403),
    "elsewhere": Answer({}, 302, {"Location": "http://127.0.0.1:1/elsewhere"}),
}


@pytest.mark.parametrize("kind", sorted(SERVICES))
def test_no_failure_and_no_log_line_tells_the_address_or_the_key(
    kind: str, service: Service, keys: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    for name, answer in BAD.items():
        service.answer = lambda path, answer=answer: answer
        with pytest.raises(GeocoderFailed) as failure:
            chain(keys, (kind, service)).locate(KNOWN)
        error: BaseException | None = failure.value
        while error is not None:  # whatever a crash report could walk through
            assert not any(word in f"{error!r}{error}" for word in (KEY, "Imaginaria", "06500")), name
            error = error.__cause__ or error.__context__
        assert str(failure.value).startswith(f"{kind} at 127.0.0.1: ")
    told = caplog.text
    assert KEY not in told and "Imaginaria" not in told


def test_a_redirect_is_not_followed_and_no_proxy_is_asked(
    servers: tuple[Service, Service], service: Service, keys: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = servers[1]
    for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, other.url)
    service.answer = lambda path: Answer({}, 301, {"Location": f"{other.url}/search"})
    with pytest.raises(GeocoderFailed):
        chain(keys, ("nominatim", service)).locate(KNOWN)
    assert len(service.paths) == 2 and other.paths == []


def test_a_silent_service_costs_its_time_and_no_more(
    service: Service, keys: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(geocoder_services, "TIMEOUT_S", 0.1)
    service.answer = lambda path: Answer(silent=True)
    with pytest.raises(GeocoderFailed, match="GeocoderTimedOut"):
        chain(keys, ("nominatim", service)).locate(KNOWN)


def test_the_next_service_is_asked_where_one_does_not_know_or_fails(
    servers: tuple[Service, Service], service: Service, keys: Path
) -> None:
    other = servers[1]
    geocoder = chain(keys, ("nominatim", service), ("here", other))
    other.answer = lambda path: HOUSES["here"]
    for first in (NONE["nominatim"], Answer({}, 500), LESS[4][1], LESS[6][1]):
        service.answer = lambda path, first=first: first
        found = geocoder.locate(KNOWN)
        assert found is not None and found.source == "here at 127.0.0.1"
    asked = len(other.paths)
    service.answer = lambda path: HOUSES["nominatim"]
    assert geocoder.locate(KNOWN).source == "nominatim at 127.0.0.1"  # type: ignore[union-attr]  # found: the house
    service.answer = lambda path: LESS[4][1]
    street = geocoder.locate(UNKNOWN)  # without a number its street is all there is to know
    assert street is not None and street.quality is PlaceQuality.STREET
    assert len(other.paths) == asked, "who is not needed learns no address"
    other.answer = lambda path: NONE["here"]
    worse = geocoder.locate(KNOWN)
    assert worse is not None and worse.quality is PlaceQuality.STREET, "the best that anybody knew"


def test_a_place_that_nobody_knew_while_one_was_away_is_not_told_as_unknown(
    servers: tuple[Service, Service], service: Service, keys: Path
) -> None:
    geocoder = chain(keys, ("nominatim", service), ("photon", servers[1]))
    servers[1].answer = lambda path: Answer({}, 503)
    with pytest.raises(GeocoderFailed, match=r"photon at 127\.0\.0\.1: GeocoderTimedOut"):
        geocoder.locate(KNOWN)


def test_a_service_that_goes_on_failing_is_left_alone(service: Service, keys: Path) -> None:
    geocoder = chain(keys, ("nominatim", service))
    service.answer = lambda path: Answer({}, 500)
    for _ in range(10):
        with pytest.raises(GeocoderFailed):
            geocoder.locate(KNOWN)
    assert len(service.paths) == 2 * geocoder_geopy.FAILURES
    refused = chain(keys, ("nominatim", service))
    service.answer = lambda path: Answer({}, 403)
    for _ in range(3):
        with pytest.raises(GeocoderFailed):
            refused.locate(KNOWN)
    assert len(service.paths) == 2 * geocoder_geopy.FAILURES + 1, "a key that is refused is not tried again"


def test_a_service_that_chokes_on_addresses_is_asked_for_others(service: Service, keys: Path) -> None:
    geocoder = chain(keys, ("nominatim", service))
    service.answer = lambda path: Answer({}, 400)
    for _ in range(2 * geocoder_geopy.FAILURES):
        with pytest.raises(GeocoderFailed, match="GeocoderQueryError"):
            geocoder.locate(UNKNOWN)
    service.answer = lambda path: HOUSES["nominatim"]
    assert geocoder.locate(KNOWN) is not None


def test_who_says_later_is_asked_later(service: Service, keys: Path) -> None:
    geocoder = chain(keys, ("nominatim", service))
    answers = iter([Answer({}, 429, {"Retry-After": "7"}), HOUSES["nominatim"]])
    service.answer = lambda path: next(answers)
    waited: list[float] = []
    geocoder._services[0].pace.wait = waited.append
    assert geocoder.locate(KNOWN) is not None
    assert waited == [7.0]


def test_questions_keep_their_pace() -> None:
    at = [100.0]

    def wait(seconds: float) -> None:
        at[0] += seconds

    pace = Pace(1.5, now=lambda: at[0], wait=wait)
    starts = []
    for busy_s in (0.0, 0.4, 9.0, 0.0):
        pace.keep()
        starts.append(at[0])
        at[0] += busy_s
    assert starts == [100.0, 101.5, 103.0, 112.0]


def test_geocoders_are_there_when_configured(keys: Path) -> None:
    assert geocoder_from({}) is None
    old = geocoder_from({"DOORSTEP_GEOCODER_URL": "https://geo.example/nominatim", "DOORSTEP_GEOCODER_DELAY_S": "0.5"})
    assert old is not None and old.services == ("nominatim at geo.example",)
    several = geocoder_from({
        "DOORSTEP_GEOCODERS": "nominatim@https://geo.example/n, here,Google",
        "DOORSTEP_GEOCODER_KEYS_FILE": str(keys),
        "DOORSTEP_GEOCODER_DELAY_S": "2, nominatim=0",
    })  # fmt: skip
    assert several is not None
    assert several.name == "nominatim at geo.example, here at geocode.search.hereapi.com, google at maps.googleapis.com"
    assert [service.pace.delay_s for service in several._services] == [0, 2, 2]
    default = geocoder_from({"DOORSTEP_GEOCODERS": "nominatim@http://127.0.0.1:1"})
    assert default is not None and default._services[0].pace.delay_s == 1.0


@pytest.mark.parametrize(("setting", "value"), [
    ("DOORSTEP_GEOCODER_URL", "file:///etc/passwd"), ("DOORSTEP_GEOCODER_URL", "https://"),
    ("DOORSTEP_GEOCODER_URL", "https://[::1"), ("DOORSTEP_GEOCODER_URL", "https://u:geheim@geo.example"),
    ("DOORSTEP_GEOCODERS", "nominatim"), ("DOORSTEP_GEOCODERS", "here"), ("DOORSTEP_GEOCODERS", "bing"),
    ("DOORSTEP_GEOCODERS", "nominatim@ftp://x"), ("DOORSTEP_GEOCODERS", "photon@https://x?key=geheim"),
    ("DOORSTEP_GEOCODERS", "nominatim@https://x,,here"),
    ("DOORSTEP_GEOCODER_DELAY_S", "soon"), ("DOORSTEP_GEOCODER_DELAY_S", "nan"), ("DOORSTEP_GEOCODER_DELAY_S", "-1"),
    ("DOORSTEP_GEOCODER_DELAY_S", "nominatim=inf"), ("DOORSTEP_GEOCODER_AGENT", "a\r\nX-Evil: 1"),
    ("DOORSTEP_GEOCODER_KEYS_FILE", "/nowhere/keys"),
])  # fmt: skip
def test_nonsense_is_refused_by_the_settings_name(setting: str, value: str) -> None:
    usable = {} if setting in ("DOORSTEP_GEOCODER_URL", "DOORSTEP_GEOCODERS") else {
        "DOORSTEP_GEOCODERS": "nominatim@https://geo.example"}  # fmt: skip
    with pytest.raises(UnsafeSettings, match=setting) as refused:
        geocoder_from(usable | {setting: value})
    assert isinstance(refused.value, StartRefused) and "geheim" not in str(refused.value)


def test_a_key_is_kept_from_others_and_from_open_lines(tmp_path: Path) -> None:
    path = tmp_path / "keys"
    path.write_text(f"here = {KEY}\n")
    path.chmod(0o640)
    named = {"DOORSTEP_GEOCODERS": "here", "DOORSTEP_GEOCODER_KEYS_FILE": str(path)}
    with pytest.raises(UnsafeSettings, match="0600"):
        geocoder_from(named)
    path.chmod(0o600)
    with pytest.raises(UnsafeSettings, match="https"):
        geocoder_from({**named, "DOORSTEP_GEOCODERS": "here@http://geo.example"})
    path.write_text(KEY)
    with pytest.raises(UnsafeSettings, match="line 1") as refused:
        geocoder_from(named)
    assert KEY not in str(refused.value)
    with pytest.raises(UnsafeSettings, match="not both"):
        geocoder_from({**named, "DOORSTEP_GEOCODER_URL": "https://geo.example"})
