"""Agents' time is checked where it is entered; addresses get their coordinates from a geocoder or a dispatcher."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from uuid import UUID

import pytest
from sqlalchemy import select

from field_api.adapters.calendars import Almanac
from field_api.domain.ports import PostalAddress
from field_api.domain.routing import Point
from field_api.platform.database import transaction
from field_api.platform.problems import Problem
from field_api.queries.agents import agent_with_times
from field_api.queries.unplaced_addresses import unplaced_addresses
from field_api.records.people import Address
from field_api.records.planning import Shift
from field_api.usecases.add_agent import add_agent, set_agent_languages
from field_api.usecases.geocode_addresses import geocode_addresses
from field_api.usecases.set_coordinates import set_coordinates
from field_api.usecases.set_shift import end_shift, record_absence, set_shift
from tests.fakes import ListedGeocoder
from tests.planning_world import World

HERE = Point(19.4, -99.1)
NOW = datetime(2026, 11, 18, 12, tzinfo=UTC)


def test_an_agent_with_shifts_and_absences(agency: UUID) -> None:
    with transaction(agency) as session:
        agent = add_agent(
            session, code=" MX-1 ", name="Ana Inventada", languages=["es", "en", "es"], timezone="America/Mexico_City"
        )
        assert (agent.code, agent.languages) == ("MX-1", ["es", "en"])
        set_shift(session, agent.id, 0, starts_at=time(8), ends_at=time(14), start=HERE)
        set_shift(session, agent.id, 0, starts_at=time(9), ends_at=time(15), start=HERE, end=Point(19.5, -99.1))
        record_absence(session, agent.id, date(2026, 11, 1), date(2026, 11, 2))
        record_absence(session, agent.id, date(2026, 12, 1), date(2026, 12, 2))
        set_agent_languages(session, agent.id, ["es"])
        found = agent_with_times(session, agent.id, since=date(2026, 11, 18))
        assert [(s.starts_at, s.end_latitude) for s in found.shifts] == [(time(9), 19.5)]
        assert [a.first_day for a in found.absences] == [date(2026, 12, 1)]
        end_shift(session, agent.id, 0)
        assert session.scalars(select(Shift)).all() == []


@pytest.mark.parametrize("wrong", [
    {"code": " "}, {"code": "a/../../b"}, {"code": 'a"b'}, {"code": "a\nb"}, {"code": "李"}, {"code": "x" * 21},
    {"name": ""}, {"languages": []}, {"languages": ["español"]}, {"timezone": "Mexico City"},
    {"timezone": "../../etc/passwd"},
])  # fmt: skip
def test_a_wrong_agent_is_refused(agency: UUID, wrong: dict) -> None:
    good = {"code": "MX-1", "name": "Ana Inventada", "languages": ["es"], "timezone": "America/Mexico_City"}
    with transaction(agency) as session, pytest.raises(Problem, match="invalid-fields"):
        add_agent(session, **{**good, **wrong})


def test_a_code_is_used_once(agency: UUID) -> None:
    with transaction(agency) as session:
        World(session).agent("MX-1")
        with pytest.raises(Problem, match="conflict"):
            add_agent(session, code="MX-1", name="Otra", languages=["es"], timezone="UTC")


@pytest.mark.parametrize("wrong", [
    {"weekday": 7}, {"starts_at": time(15)}, {"start": Point(91, 0)}, {"start": Point(0, 0)}, {"end": Point(0, 181)},
])  # fmt: skip
def test_a_wrong_shift_is_refused(agency: UUID, wrong: dict) -> None:
    with transaction(agency) as session:
        agent = World(session).agent()
        good = {"weekday": 0, "starts_at": time(9), "ends_at": time(15), "start": HERE}
        with pytest.raises(Problem, match="invalid-fields"):
            set_shift(session, agent.id, **{**good, **wrong})


def test_an_absence_ends_after_it_begins(agency: UUID) -> None:
    with transaction(agency) as session:
        agent = World(session).agent()
        with pytest.raises(Problem, match="invalid-fields"):
            record_absence(session, agent.id, date(2026, 11, 2), date(2026, 11, 1))


def test_a_geocoder_finds_some_and_the_rest_waits_for_a_dispatcher(agency: UUID) -> None:
    with transaction(agency) as session:
        world = World(session)
        known = world.household(None, street="Avenida Conocida", number="5", city="Ciudad Ficticia")[1]
        unknown = world.household(None)[1]
        world.household()
        places = {PostalAddress("Avenida Conocida", "5", None, "Ciudad Ficticia", None, None, "MX"): HERE}
        geocoder = ListedGeocoder(places)
        assert geocode_addresses(session, geocoder, Almanac(), now=NOW, at_most=1).tried == 1
        assert geocode_addresses(session, geocoder, Almanac(), now=NOW).tried == 1
        assert geocode_addresses(session, geocoder, Almanac(), now=NOW).tried == 0
        assert (known.geocode_state, known.latitude, known.timezone) == ("geocoded", 19.4, "America/Mexico_City")
        assert [(a.id, a.geocode_state) for a, _ in session.execute(unplaced_addresses())] == [(unknown.id, "failed")]
        set_coordinates(session, unknown.id, HERE, Almanac(), now=NOW)
        session.flush()
        assert session.execute(unplaced_addresses()).all() == []
        assert {a.geocode_state for a in session.scalars(select(Address))} == {"given", "geocoded"}
        with pytest.raises(Problem, match="invalid-fields"):
            set_coordinates(session, unknown.id, Point(0, 0), Almanac(), now=NOW)
