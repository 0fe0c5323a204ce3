"""A plan goes out in a transaction for each agent: a process that is killed between two leaves what is gone on with."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from field_api.domain.vocabulary import HoldKind
from field_api.platform.database import transaction
from field_api.platform.problems import Problem
from field_api.platform.settings import Settings
from field_api.records.changes import Change
from field_api.records.planning import NotPlanned, Plan, Route, Stop
from field_api.records.visits import Visit, VisitAccount, VisitKey
from field_api.usecases.place_hold import place_hold
from field_api.usecases.plan_day import plan_day
from field_api.usecases.publish_by_agent import publish_by_agent
from tests.planning_world import MEXICO_CITY, NOW, PARTS, WEDNESDAY, World

AGENTS = 3

KILLED = """
import os, signal, sys
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from uuid import UUID
from doorstep.app import worker_app
from field_api.platform.database import transaction
from field_api.platform.settings import Settings
from field_api.usecases.publish_by_agent import publish_by_agent
from tests.planning_world import NOW, PARTS

home, url, agency, plan = sys.argv[1:]
settings = Settings(home=Path(home), database_url=url, door_url="http://door.test", office_url="http://office.test")
begun = 0

@contextmanager
def until_the_second_route():
    global begun
    begun += 1
    with transaction(UUID(agency)) as session:
        yield session
        if begun == 3:  # the plan is marked, the first agent's route is out, the second's not committed
            session.flush()
            os.kill(os.getpid(), signal.SIGKILL)

with worker_app(settings).app_context():
    publish_by_agent(until_the_second_route, UUID(plan), parts=PARTS, now=NOW, published_by=None)
"""


@pytest.fixture
def plan_id(agency: UUID) -> UUID:
    """A draft of three routes: three agents who live far apart, with three households each."""
    with transaction(agency) as session:
        world = World(session)
        for number in range(AGENTS):
            at = (MEXICO_CITY[0] + number, MEXICO_CITY[1])
            for house in range(3):
                world.household((at[0] + house * 0.001, at[1]))
            world.agent(f"MX-{number}", at=at)
    with transaction(agency) as session:
        plan = plan_day(session, WEDNESDAY, parts=PARTS, now=NOW).id
    with transaction(agency) as session:
        assert session.scalar(select(func.count()).select_from(Route)) == AGENTS
    return plan


def publish(agency: UUID, plan_id: UUID) -> list[tuple[str, int, int]]:
    told: list[tuple[str, int, int]] = []
    publish_by_agent(
        lambda: transaction(agency),
        plan_id,
        parts=PARTS,
        now=NOW,
        published_by=None,
        report=lambda *step: told.append(step),
    )
    return told


def states(agency: UUID) -> tuple[str, dict[str, int], int]:
    """The plan's state, visits by state, agents whose phones are told."""
    with transaction(agency) as session:
        plan = session.scalars(select(Plan.state)).one()
        visits = dict(session.execute(select(Visit.state, func.count()).group_by(Visit.state)).all())
        return plan, visits, len(set(session.scalars(select(Change.agent_id))))


def test_a_killed_publishing_leaves_whole_routes_and_the_next_call_goes_on(
    app: Flask, agency: UUID, settings: Settings, plan_id: UUID
) -> None:
    command = [sys.executable, "-c", KILLED, settings.home, settings.database_url, str(agency), str(plan_id)]
    died = subprocess.run(command, capture_output=True, check=False, timeout=60)
    assert died.returncode == -9, died.stderr.decode()
    assert states(agency) == ("publishing", {"published": 3, "planned": 6}, 1)
    with transaction(agency) as session:  # between: a hold on what is not out yet, and on what is
        rows = session.execute(
            select(Visit.state, VisitAccount.account_id).join(VisitAccount, VisitAccount.visit_id == Visit.id)
        ).all()
        out = next(row.account_id for row in rows if row.state == "published")
        later = next(row.account_id for row in rows if row.state == "planned")
        for account_id in (out, later):
            place_hold(session, kind=HoldKind.PAID, reason="pagó", now=NOW, account_id=account_id)
    with transaction(agency) as session, pytest.raises(Problem, match="conflict"):
        plan_day(session, WEDNESDAY, parts=PARTS, now=NOW)  # what is on it would be planned twice
    told = publish(agency, plan_id)
    assert told[-1] == ("publish", 2, 2)
    assert states(agency) == ("published", {"published": 7, "withdrawn": 2}, 3)
    with transaction(agency) as session:
        assert set(session.scalars(select(NotPlanned.account_id))) == {out, later}
        assert session.scalar(select(func.count()).select_from(VisitKey)) == 8  # each visit's once
        published = session.scalars(select(Visit.published_at).where(Visit.state == "published")).all()
        assert set(published) == {NOW}
    with pytest.raises(Problem, match="already-done"):
        publish(agency, plan_id)


def test_a_route_that_lost_all_before_it_went_out_is_gone(agency: UUID, plan_id: UUID) -> None:
    with transaction(agency) as session:
        route = session.scalars(select(Route.id).order_by(Route.agent_id)).first()
        accounts = session.scalars(
            select(VisitAccount.account_id)
            .join(Visit, Visit.id == VisitAccount.visit_id)
            .join(Stop, Stop.id == Visit.stop_id)
            .where(Stop.route_id == route)
        ).all()
        for account_id in accounts:
            place_hold(session, kind=HoldKind.PAID, reason="x", now=NOW - timedelta(hours=1), account_id=account_id)
    publish(agency, plan_id)
    with transaction(agency) as session:
        assert session.scalar(select(func.count()).select_from(Route)) == AGENTS - 1
        assert session.scalar(select(func.count()).where(Change.kind == "route")) == AGENTS - 1


def test_a_visit_given_to_an_agent_whose_route_is_out_goes_out_as_well(agency: UUID, plan_id: UUID) -> None:
    """A dispatcher reassigns while the day is being published: the plan is not left half published by a call that
    says it is done."""
    began = 0

    @contextmanager
    def between_routes() -> Iterator[Session]:
        nonlocal began
        began += 1
        if began == 4:  # two of three are out; one of the third's goes to the first
            with transaction(agency) as session:
                first = session.scalars(select(Visit.agent_id).where(Visit.state == "published").limit(1)).one()
                mine = session.scalars(select(Visit).where(Visit.state == "planned").limit(1)).one()
                mine.agent_id = first
                route = session.scalars(select(Route).where(Route.agent_id == first)).one()
                stop = session.get_one(Stop, {"agency_id": agency, "id": mine.stop_id})
                stop.route_id, stop.position = route.id, 9
        with transaction(agency) as session:
            yield session

    publish_by_agent(between_routes, plan_id, parts=PARTS, now=NOW, published_by=None)
    assert states(agency)[:2] == ("published", {"published": 9})
