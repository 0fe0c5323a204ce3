"""Travel times of a day: an engine is asked once, visits teach areas, rush hours count, and an engine may be away."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from uuid import UUID, uuid4

import numpy as np
import pytest
from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from field_api.adapters.travel_great_circle import GreatCircleTravel
from field_api.domain.ports import Travel
from field_api.domain.routing import NO_WAY_S, Legs, Point
from field_api.domain.travel_areas import RushHours
from field_api.domain.vocabulary import VisitEventKind
from field_api.platform.database import transaction, transaction_beside
from field_api.platform.problems import Problem
from field_api.records.planning import NotPlanned
from field_api.records.travel import KnownLegs, TravelArea
from field_api.records.visits import Visit, VisitAccount
from field_api.usecases import travel_of_day
from field_api.usecases.learn_travel import learn_travel
from field_api.usecases.note_visit_event import note_visit_event
from field_api.usecases.plan_day import plan_day
from tests.fakes import ListedTravel
from tests.planning_world import MEXICO_CITY, NOW, PARTS, VADUZ, WEDNESDAY, World

POINTS = [Point(19.40 + n / 200, -99.15 - n / 300) for n in range(6)]


class _Away(ListedTravel):
    def between(self, origins: list[Point], destinations: list[Point]) -> Legs:
        self.pairs += 1
        raise Problem("unavailable", "the road engine gives no travel times now; its log line says why")


def _day(session: Session, travel: Travel, **more: object) -> travel_of_day.DayTravel:
    return travel_of_day.day_travel(session, replace(PARTS, travel=travel, **more), WEDNESDAY, NOW)


def test_an_engine_is_asked_once_for_a_leg_and_again_when_its_answer_is_old(app, agency) -> None:
    asked = ListedTravel({(POINTS[0], POINTS[1]): 777, (POINTS[2], POINTS[0]): NO_WAY_S}, source="engine 1")
    with transaction(agency) as session:
        first = _day(session, asked).between(POINTS[:4], POINTS[:4])
    assert asked.pairs == 16
    with transaction(agency) as session:
        again = _day(session, asked)
        assert (again.between(POINTS[3::-1], POINTS[:4]).travel_s == first.travel_s[::-1]).all()
        assert asked.pairs == 16
        wider = again.between(POINTS, POINTS)
        assert asked.pairs == 16 + 36  # those with something new, with all that they lack
        assert again.between(POINTS, POINTS).distance_m.tolist() == wider.distance_m.tolist()
        assert asked.pairs == 16 + 36
        assert wider.travel_s[0, 1] == 777
        assert wider.travel_s[2, 0] == NO_WAY_S
        assert wider.travel_s[1, 0] != 777
        other = ListedTravel({}, source="engine 2")
        assert _day(session, other).between(POINTS[:1], POINTS[1:2]).travel_s.item() != 777
    with transaction(agency) as session:
        later = travel_of_day.day_travel(
            session, replace(PARTS, travel=asked), WEDNESDAY, NOW + travel_of_day.KEPT + timedelta(days=1)
        )
        later.between(POINTS[:1], POINTS[1:2])
        assert asked.pairs == 16 + 36 + 1
        assert session.scalar(select(func.count()).select_from(KnownLegs)) == 1  # the old ones are gone


def test_a_point_that_gets_new_legs_every_day_keeps_none_for_ever(app, agency) -> None:
    asked = ListedTravel({}, source="engine 1")
    for days, to in ((0, 1), (20, 2), (40, 1)):
        with transaction(agency) as session:
            now = NOW + timedelta(days=days)
            travel = travel_of_day.day_travel(session, replace(PARTS, travel=asked), WEDNESDAY, now)
            travel.between(POINTS[:1], POINTS[to : to + 1])
    assert asked.pairs == 3


def test_what_is_kept_of_one_point_is_bounded(app, agency, monkeypatch) -> None:
    monkeypatch.setattr(travel_of_day, "MOST_DESTINATIONS", 3)
    asked = ListedTravel({}, source="engine 1")
    with transaction(agency) as session:
        travel = _day(session, asked)
        whole = travel.between(POINTS[:1], POINTS)
        assert (travel.between(POINTS[:1], POINTS).travel_s == whole.travel_s).all()
        rows = session.scalars(select(KnownLegs.legs)).all()
        assert [len(row) for row in rows] == [3 * 16]


def test_an_engine_that_is_away_is_an_error_or_estimates_that_say_so(app, agency) -> None:
    away = _Away({}, source="engine 1")
    with transaction(agency) as session:
        with pytest.raises(Problem) as caught:
            _day(session, away).between(POINTS, POINTS)
        assert caught.value.code == "unavailable"
        travel = _day(session, away, instead_of_roads=GreatCircleTravel())
        assert not travel.estimates
        found = travel.between(POINTS, POINTS)
        assert (found.travel_s == GreatCircleTravel().between(POINTS, POINTS).travel_s).all()
        travel.between(POINTS, POINTS)
        assert away.pairs == 2  # once for each plan
        assert travel.estimates
        assert travel.name == "listed (away), great circle"


def test_rush_hours_slow_what_lies_in_their_place_while_somebody_works(app, agency) -> None:
    rush = RushHours(POINTS[0], 500.0, frozenset([2]), time(7), time(9), "America/Mexico_City", 1.5)
    assert rush.meets(WEDNESDAY, None, None)
    assert not rush.meets(WEDNESDAY + timedelta(days=1), None, None)
    noon = datetime(WEDNESDAY.year, WEDNESDAY.month, WEDNESDAY.day, 18, tzinfo=UTC)
    assert not rush.meets(WEDNESDAY, noon, None)
    assert not rush.meets(WEDNESDAY, None, noon - timedelta(hours=5))
    plain = ListedTravel({(POINTS[4], POINTS[0]): NO_WAY_S})
    with transaction(agency) as session:
        travel = _day(session, plain, rush_hours=(rush,))
        found, usual = travel.between(POINTS, POINTS).travel_s, plain.between(POINTS, POINTS).travel_s
    slow = usual[0] * 1.5
    assert found[0].tolist() == np.ceil(slow).tolist()
    assert found[1:4, 0].tolist() == np.ceil(usual[1:4, 0] * 1.5).tolist()
    assert (found[1:, 1:] == usual[1:, 1:]).all()
    assert found[4, 0] == NO_WAY_S
    assert travel.facts()["rush_factor"] == 1.5


def test_a_plan_leaves_out_what_no_road_leads_to_and_asks_nothing_twice(app, agency) -> None:
    island = (19.47, -99.12)
    home, there = Point(*MEXICO_CITY), Point(*island)
    asked = ListedTravel({(home, there): NO_WAY_S, (there, home): NO_WAY_S}, source="engine 1")
    parts = replace(PARTS, travel=asked)
    with transaction(agency) as session:
        world = World(session)
        world.creditor()
        world.agent()
        *_, near = world.household((19.44, -99.14))
        *_, beyond = world.household(island)
        plan = plan_day(session, WEDNESDAY, parts=parts, now=NOW)
        assert dict(session.execute(select(NotPlanned.account_id, NotPlanned.reason)).all()) == {beyond.id: "no_road"}
        assert session.scalars(select(VisitAccount.account_id)).all() == [near.id]
        assert plan.solver["estimates"] is False
        assert plan.solver["travel"] == "listed"
        assert plan.solver["rush_factor"] == 1.0
    once = asked.pairs
    with transaction(agency) as session:
        assert plan_day(session, WEDNESDAY, parts=parts, now=NOW).solver["travel_s"] == plan.solver["travel_s"]
    assert asked.pairs == once


def _visit_done(session: Session, world: World, agent_id: UUID, at: tuple[float, float], arrived: datetime) -> None:
    """There for ten minutes."""
    person, address, _ = world.household(at)
    visit = Visit(agent_id=agent_id, person_id=person.id, address_id=address.id, state="done")
    session.add(visit)
    session.flush()
    for kind, minutes in ((VisitEventKind.ARRIVED, 0), (VisitEventKind.OUTCOME, 10)):
        when, actor = arrived + timedelta(minutes=minutes), f"agent:{agent_id}"
        note_visit_event(session, visit.id, kind, when, actor, {}, op_id=uuid4())


def test_visits_done_teach_by_how_much_estimates_of_an_area_are_off(app, agency) -> None:
    """Legs that take twice as long as estimated; one agent had lunch, one clock was wrong, another town has few."""
    one, other = (19.411, -99.151), (19.441, -99.151)
    usual_s = GreatCircleTravel().between([Point(*one)], [Point(*other)]).travel_s.item()
    with transaction(agency) as session:
        world = World(session)
        world.creditor()
        agent = world.agent()
        for day in range(1, 41):
            arrived = NOW - timedelta(days=day, hours=3)
            _visit_done(session, world, agent.id, one, arrived)
            lunch = timedelta(hours=1) if day % 4 == 0 else timedelta()
            _visit_done(session, world, agent.id, other, arrived + timedelta(seconds=600 + 2 * usual_s) + lunch)
        _visit_done(session, world, agent.id, VADUZ, NOW - timedelta(days=50, hours=3))
        travel = _day(session, GreatCircleTravel())
        found = travel.between([Point(*one)], [Point(*other), Point(*VADUZ)]).travel_s[0]
        assert travel.factors() == {"19.4,-99.2": 2.5}
        assert found[0] == pytest.approx(2.5 * usual_s, abs=2)  # twice, and a quarter more
        assert found[1] > GreatCircleTravel().between([Point(*one)], [Point(*VADUZ)]).travel_s.item()
        assert {row.area: row.legs for row in session.scalars(select(TravelArea))} == {"19.4,-99.2": 40, "": 0}
        for days, areas in ((6, 1), (8, 1), (200, 0)):  # as known, learnt anew, and nothing left to learn from
            assert len(learn_travel(session, GreatCircleTravel(), NOW + timedelta(days=days))) == areas
        roads = _day(session, ListedTravel({}, source="engine 1"))
        assert roads.between([Point(*one)], [Point(*other)]).travel_s.item() < usual_s * 2  # an engine's own times


def test_who_plans_while_another_learns_neither_waits_nor_fails(app, agency) -> None:
    with transaction(agency) as one:
        learn_travel(one, GreatCircleTravel(), NOW)
        with transaction_beside(agency) as other:
            other.execute(text("SET LOCAL lock_timeout = '2s'"))
            assert learn_travel(other, GreatCircleTravel(), NOW) == {}
    with transaction(agency) as session:
        assert [row.area for row in session.scalars(select(TravelArea))] == [""]
