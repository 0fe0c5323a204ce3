"""Two phones on a day that is planned again: one agent falls ill with a phone that is away, the other gets the stops."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

from flask import Flask
from phone_day_world import ANSWERS, PhoneDay
from sqlalchemy import func, select

from field_api.adapters.solver_pyvrp import PyVrpSolver
from field_api.platform.clock import SetClock
from field_api.platform.database import transaction
from field_api.platform.devices import Device
from field_api.records.people import VerificationAnswer
from field_api.records.planning import Route
from field_api.records.results import Attempt
from sync.mailbox import FeedItem, InboxOp
from tests.office_client import OfficeClient
from tests.planning_world import MEXICO_CITY, PARTS, World

QUICK = replace(PARTS, solver=PyVrpSolver(iterations=60, without_improvement=40))
EARLY = datetime(2026, 11, 18, 14, 30, tzinfo=UTC)


def two_agents(app: Flask, agency: UUID, folder: Path) -> tuple[PhoneDay, PhoneDay, PhoneDay, UUID]:
    """The days of three agents with two stops each, on one published plan; the third lives far away."""
    with transaction(agency) as session:
        world = World(session)
        days, route = [], None
        for number, north in enumerate((0.0, 0.01, 0.8), start=1):
            at = (MEXICO_CITY[0] + north, MEXICO_CITY[1])
            agent = world.agent(f"MX-{number}", at=at)
            route = world.route(agent, at) if route is None else _beside(world, route, agent.id, at)
            visits, people = [], []
            for position in (1, 2):
                person, address, account = world.household((at[0] + 0.002 * position, at[1]))
                visits.append(str(world.visit(route, position, address, person, account).id))
                people.append(str(person.id))
                for kind, (answer, group) in ANSWERS.items():
                    session.add(
                        VerificationAnswer(person_id=person.id, kind=kind, independent_group=group, answer=answer)
                    )
            days.append(PhoneDay(app, agency, agent.id, visits, people, folder / f"MX-{number}"))
        return days[0], days[1], days[2], route.plan_id


def _beside(world: World, first: Route, agent_id: UUID, at: tuple[float, float]) -> Route:
    route = world.route_beside(first, agent_id)
    route.start_latitude, route.start_longitude, route.end_latitude, route.end_longitude = (*at, *at)
    world.session.flush()
    return route


def items_of(day: PhoneDay) -> int:
    """How much the feed of the agent's phone holds."""
    with transaction(day.agency) as session:
        of_agent = select(Device.id).where(Device.agent_id == day.agent)
        return session.scalar(select(func.count()).where(FeedItem.device_id.in_(of_agent))) or 0


def test_the_stops_of_an_ill_agent_are_on_another_phone_at_its_next_sync_and_what_was_done_counts_once(
    app: Flask,
    agency: UUID,
    served: Flask,
    office: Flask,
    as_role: Callable[..., OfficeClient],
    tmp_path: Path,
) -> None:
    office.extensions["doorstep.clock"] = SetClock(EARLY)
    office.extensions["doorstep.planning"] = lambda: QUICK
    first, second, third, plan = two_agents(app, agency, tmp_path)
    for day in (first, second, third):
        day.folder.mkdir()
    with first.enrol() as ill, second.enrol() as well, third.enrol() as far:
        for day, phone in ((first, ill), (second, well), (third, far)):
            day.work()
            phone.pull()
            assert [stop.visit for stop in phone.today()] == day.visits
        # Before the office hears of the illness, and without a network: one stop is done.
        ill.arrive(first.visits[0])
        ill.record_outcome(first.visits[0], "nobody_there")
        before = items_of(third)
        answer = as_role("dispatcher").post(f"/api/v1/plans/{plan}/replan", json={"ill": [str(first.agent)]})
        assert answer.status_code == 200, answer.json
        moved = {
            visit: line for line in answer.json["changes"] for visit in line["visits"] if line["change"] == "moved"
        }
        assert set(moved) == set(first.visits)
        assert {line["to_agent"] for line in moved.values()} == {"MX-2"}
        first.work()
        # The neighbour's phone has them at its next sync, beside its own; who is far away hears nothing.
        well.pull()
        assert {stop.visit for stop in well.today()} == {*first.visits, *second.visits}
        assert items_of(third) == before
        well.arrive(first.visits[1])
        well.record_outcome(first.visits[1], "nobody_there")
        well.push()
        second.work()
        # The ill agent's phone comes back: what was done there is told once, and its stops are gone.
        ill.push()
        first.work()
        ill.pull()
        assert ill.today() == []
        assert set(ill.status()["verdicts"]) == {"late"}
        with transaction(agency) as session:
            states = dict(session.execute(select(InboxOp.state, func.count()).group_by(InboxOp.state)).all())
            assert states == {"late": 2, "applied": 2}
            attempts = session.scalars(select(Attempt).order_by(Attempt.number)).all()
            assert [(str(one.visit_id), one.late) for one in attempts] == [
                (first.visits[1], False),
                (first.visits[0], True),
            ]
        # The office sees that the first stop was visited: planning again takes it from the neighbour's sheet.
        again = as_role("manager").post(f"/api/v1/plans/{plan}/replan", json={})
        dropped = [line for line in again.json["changes"] if line["change"] == "dropped"]
        assert [line["visits"] for line in dropped] == [[first.visits[0]]], again.json
        second.work()
        well.pull()
        assert {stop.visit for stop in well.today()} == {*second.visits, first.visits[1]}  # which is done
