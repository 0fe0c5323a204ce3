"""Where addresses lie: asked for once, reckoned between known houses, corrected at the door, moved by no file after."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import event, select

from field_api.adapters.calendars import Almanac
from field_api.domain.placing import PlaceQuality
from field_api.domain.ports import GeocoderFailed, PostalAddress
from field_api.domain.routing import Point
from field_api.domain.vocabulary import OpKind
from field_api.platform.database import transaction
from field_api.platform.problems import Problem
from field_api.records.people import Address
from field_api.records.places import GeocoderAnswer, HouseFinding
from field_api.usecases.decide_finding import decide_finding
from field_api.usecases.geocode_addresses import Geocoded, ask_again, geocode_addresses
from field_api.usecases.place_by_known_houses import place_by_known_houses
from field_api.usecases.remember_answer import UNKNOWN_FOR
from tests.fakes import ListedGeocoder
from tests.outcome_world import HERE, Phone, published_visit
from tests.planning_world import VADUZ, World

NOW = datetime(2026, 11, 18, 12, tzinfo=UTC)
THERE = Point(19.4, -99.1)
AT = {"street": "Avenida Conocida", "number": "5", "city": "Ciudad Ficticia"}
KNOWN = PostalAddress("Avenida Conocida", "5", None, "Ciudad Ficticia", None, None, "MX")


def test_no_place_is_asked_for_twice_and_an_unknown_one_again_after_a_while(agency: UUID) -> None:
    geocoder = ListedGeocoder({KNOWN: THERE})
    with transaction(agency) as session:
        world = World(session)
        same = [world.household(None, **AT)[1], world.household(None, **(AT | {"city": " ciudad  ficticia"}))[1]]
        lost = [world.household(None, street="Calle de Nadie", number="S/N")[1] for _ in range(2)]
        assert geocode_addresses(session, geocoder, Almanac(), now=NOW) == Geocoded(2, 2)
        assert len(geocoder.asked) == 2
        assert {(a.latitude, a.place_quality, a.place_source) for a in same} == {(19.4, "house", "list")}
        assert {a.geocode_state for a in lost} == {"failed"}
        session.flush()
        assert ask_again(session, geocoder, now=NOW + UNKNOWN_FOR - timedelta(seconds=1)) == 0
        assert ask_again(session, ListedGeocoder({}, name="another"), now=NOW) == 2, "somebody new may know"
        geocode_addresses(session, geocoder, Almanac(), now=NOW)
        assert len(geocoder.asked) == 2, "what was asked of the same services is not asked again"
        assert ask_again(session, geocoder, now=NOW + UNKNOWN_FOR) == 2
        geocode_addresses(session, geocoder, Almanac(), now=NOW + UNKNOWN_FOR)
        assert len(geocoder.asked) == 3
        kept = session.scalars(select(GeocoderAnswer)).all()
        columns = {c.name for c in GeocoderAnswer.__table__.columns} - {"agency_id", "id"}
        text = repr([[getattr(row, name) for name in columns] for row in kept])
        assert len(kept) == 2 and not any(word in text for word in ("Conocida", "Nadie", "Persona"))


class _Failing(ListedGeocoder):
    def locate(self, address: PostalAddress) -> Any:
        if address != KNOWN:
            raise GeocoderFailed("list: GeocoderTimedOut")
        return super().locate(address)


def test_what_was_found_before_a_service_failed_is_kept_and_the_rest_stays_wanted(agency: UUID) -> None:
    with transaction(agency) as session:
        world = World(session)
        world.household(None, **AT)
        other = world.household(None)[1]
        done = geocode_addresses(session, _Failing({KNOWN: THERE}), Almanac(), now=NOW)
        assert done.trouble == "list: GeocoderTimedOut" and done.unknown == 0
        assert other.geocode_state == "wanted"


class _Choking(ListedGeocoder):
    def locate(self, address: PostalAddress) -> Any:
        if address.number == "66":
            raise GeocoderFailed("list: GeocoderQueryError")
        return super().locate(address)


def test_an_address_that_a_service_chokes_on_holds_up_no_other(agency: UUID) -> None:
    geocoder = _Choking({KNOWN: THERE})
    with transaction(agency) as session:
        world = World(session)
        choked = [world.household(None, **(AT | {"number": "66"}))[1] for _ in range(2)]
        behind = world.household(None, **AT)[1]
        done = geocode_addresses(session, geocoder, Almanac(), now=NOW, at_most=2)
        assert (done.tried, done.trouble) == (0, "list: GeocoderQueryError")
        done = geocode_addresses(session, geocoder, Almanac(), now=NOW, after=choked[0].id)
        assert (done.found, behind.geocode_state, choked[1].geocode_state) == (1, "geocoded", "wanted")
        assert geocode_addresses(session, geocoder, Almanac(), now=NOW, after=done.last) == Geocoded(0, 0)


def _street(world: World, **more: object) -> dict[str, Address]:
    houses = {n: (19.4, -99.1 + int(n) * 1e-4) for n in ("2", "10")}
    made = {n: world.household(at, street="Calle Inventada", number=n, **more)[1] for n, at in houses.items()}
    for number in ("4", "8", "40", "S/N"):
        made[number] = world.household(None, street="CALLE  INVENTADA.", number=number, **more)[1]
    return made


def test_a_house_between_known_numbers_is_reckoned_and_others_get_the_streets_middle(agency: UUID) -> None:
    with transaction(agency) as session:
        world = World(session)
        street = _street(world)
        elsewhere = world.household(None, street="Calle Inventada", number="4", neighbourhood="Otra")[1]
        assert place_by_known_houses(session, Almanac()) == 0, "geocoders are asked first"
        assert place_by_known_houses(session, Almanac(), also_wanted=True) == 4
        assert street["4"].longitude == pytest.approx(-99.1 + 4e-4)
        assert street["4"].timezone == "America/Mexico_City"
        told = {n: (a.place_quality, a.place_source) for n, a in street.items()}
        known = "known houses of the street"
        assert told["4"] == told["8"] == ("interpolated", known)
        assert told["40"] == told["S/N"] == ("street", known), "nothing is guessed beyond the last number"
        assert (elsewhere.latitude, elsewhere.geocode_state) == (None, "wanted")
        assert place_by_known_houses(session, Almanac(), also_wanted=True) == 0, "and nothing twice"
        geocoder = ListedGeocoder({KNOWN: THERE}, quality=PlaceQuality.STREET)
        vague = world.household(None, **AT)[1]
        geocode_addresses(session, geocoder, Almanac(), now=NOW)
        for number, east in (("3", -1e-4), ("7", 1e-4)):
            world.household((19.4002, -99.1 + east), **(AT | {"number": number}))
        assert vague.place_quality == "street"
        assert place_by_known_houses(session, Almanac()) == 1
        assert (vague.place_quality, vague.latitude) == ("interpolated", pytest.approx(19.4002))


def test_of_many_that_nobody_can_place_none_is_loaded(agency: UUID) -> None:
    loaded: list[str | None] = []

    def note(address: Address, _context: object) -> None:
        loaded.append(address.number)

    with transaction(agency) as session:
        world = World(session)
        _street(world)
        world.household(None, street="Calle de Nadie", number="66")
        session.flush()
        session.expunge_all()
        event.listen(Address, "load", note)
        try:
            assert place_by_known_houses(session, Almanac(), also_wanted=True) == 4
        finally:
            event.remove(Address, "load", note)
    assert sorted(map(str, loaded)) == ["4", "40", "8", "S/N"]


def _address(phone: Phone) -> Address:
    with transaction(phone.agency) as session:
        (address,) = session.scalars(select(Address).where(Address.street == "Calle Imaginaria"))
        session.expunge_all()
        return address


def _findings(phone: Phone) -> list[HouseFinding]:
    with transaction(phone.agency) as session:
        found = list(session.scalars(select(HouseFinding).order_by(HouseFinding.id)))
        session.expunge_all()
        return found


def test_a_house_found_at_its_door_becomes_its_address_and_what_is_doubtful_waits(agency: UUID) -> None:
    phone = published_visit(agency)
    before = _address(phone)
    near = {"lat": HERE["lat"] + 0.001, "lon": HERE["lon"], "accuracy_m": 9.0}
    phone.records(OpKind.ARRIVED, {"position": near})
    assert _findings(phone) == [] and _address(phone).latitude == before.latitude, "being there is not having found it"
    phone.outcome("nobody_there", position=near, house_found=True)
    now = _address(phone)
    assert (now.latitude, now.place_quality, now.place_source) == (near["lat"], "house", "agent at the door")
    (applied,) = _findings(phone)
    assert (applied.state, applied.before_latitude, applied.accuracy_m) == ("applied", before.latitude, 9.0)
    assert applied.moved_m == pytest.approx(111, abs=1)
    far = {**near, "lat": near["lat"] + 0.01}
    for position in (far, {**near, "accuracy_m": 80.0}, {"lat": near["lat"], "lon": near["lon"]}):
        phone.outcome("nobody_there", position=position, house_found=True)
    phone.outcome("nobody_there", position=None, house_found=True)
    assert [one.doubt for one in _findings(phone)] == [None, "too-far", "inaccurate", "no-accuracy"]
    assert _address(phone).latitude == near["lat"]
    with transaction(agency) as session:
        decide_finding(session, _findings(phone)[1].id, Almanac(), accept=True, now=NOW)
        decide_finding(session, _findings(phone)[2].id, Almanac(), accept=False, now=NOW)
        with pytest.raises(Problem, match="already-done"):
            decide_finding(session, _findings(phone)[2].id, Almanac(), accept=True, now=NOW)
    assert _address(phone).latitude == far["lat"]
    assert [one.state for one in _findings(phone)] == ["applied", "applied", "rejected", "candidate"]


def test_steps_that_are_each_believed_take_no_address_across_a_town(agency: UUID) -> None:
    """Ninety metres a time, as somebody would who wants a debtor to be found elsewhere, in one sync or in several."""
    phone = published_visit(agency)
    started = _address(phone)
    for step in range(1, 6):
        position = {"lat": HERE["lat"] + step * 0.0008, "lon": HERE["lon"], "accuracy_m": 9.0}
        phone.outcome("nobody_there", position=position, house_found=True)
    assert [one.doubt for one in _findings(phone)] == [None, None, None, "too-far", "too-far"]
    assert _address(phone).latitude == pytest.approx(started.latitude + 3 * 0.0008)
    with transaction(agency) as session:
        decide_finding(session, _findings(phone)[3].id, Almanac(), accept=True, now=NOW)
    phone.outcome("nobody_there", position=position, house_found=True)
    assert _findings(phone)[-1].doubt is None, "a person's word is a new place to begin from"


def test_a_house_that_a_person_says_is_far_away_has_the_zone_of_its_place(agency: UUID) -> None:
    phone = published_visit(agency)
    position = {"lat": VADUZ[0], "lon": VADUZ[1], "accuracy_m": 9.0}
    phone.outcome("nobody_there", position=position, house_found=True)
    with transaction(agency) as session:
        decide_finding(session, _findings(phone)[0].id, Almanac(), accept=True, now=NOW)
    assert _address(phone).timezone == "Europe/Vaduz"
