"""A dispatcher plans the day again over HTTP, looks first, and agrees to what was shown."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import select

from field_api.adapters.solver_pyvrp import PyVrpSolver
from field_api.platform.clock import SetClock
from field_api.platform.database import transaction
from field_api.records.visits import Visit
from field_api.usecases.plan_day import plan_day
from field_api.usecases.publish_plan import publish_plan
from tests.office_client import OfficeClient
from tests.planning_world import MEXICO_CITY, NOW, PARTS, WEDNESDAY, World

QUICK = replace(PARTS, solver=PyVrpSolver(iterations=60, without_improvement=40))
EARLY = datetime(2026, 11, 18, 14, 30, tzinfo=UTC)


@pytest.fixture
def office(office: Flask) -> Flask:
    office.extensions["doorstep.clock"] = SetClock(EARLY)
    office.extensions["doorstep.planning"] = lambda: QUICK
    return office


def test_looked_at_agreed_to_and_refused_where_it_is_another_by_then(
    agency: UUID, as_role: Callable[..., OfficeClient]
) -> None:
    with transaction(agency) as session:
        world = World(session)
        agents = {code: str(world.agent(code).id) for code in ("MX-1", "MX-2")}
        for house in range(4):
            world.household((MEXICO_CITY[0] + house * 0.002, MEXICO_CITY[1]))
    with transaction(agency) as session:
        plan = plan_day(session, WEDNESDAY, parts=QUICK, now=NOW).id
    client = as_role("dispatcher")
    address = f"/api/v1/plans/{plan}/replan"
    assert client.post(address, json={}).json["code"] == "conflict"
    with transaction(agency) as session:
        publish_plan(session, plan, parts=QUICK, now=NOW, published_by=None)
        visits = {str(visit.id): str(visit.agent_id) for visit in session.scalars(select(Visit))}
    busy = max(agents, key=lambda code: list(visits.values()).count(agents[code]))
    other = next(code for code in agents if code != busy)
    looked = client.post(address, json={"ill": [agents[busy]], "preview": True})
    assert looked.status_code == 200, looked.json
    assert (looked.json["applied"], looked.json["plan_id"]) == (False, str(plan))
    moved = [line for line in looked.json["changes"] if line["change"] == "moved"]
    assert {line["from_agent"] for line in moved} == {busy} and {line["to_agent"] for line in moved} == {other}
    assert all(line["may_be_visited_twice"] for line in moved)  # no phone was ever heard
    assert looked.json["disturbed"] == len(looked.json["changes"]) and looked.json["cost_s"] >= 900 * len(moved)
    assert {agent["code"]: agent["ill"] for agent in looked.json["agents"]} == {busy: True, other: False}
    wrong = client.post(address, json={"ill": [agents[busy]], "expect": "0" * 16})
    assert (wrong.status_code, wrong.json["at"]) == (409, "expect")
    agreed = client.post(address, json={"ill": [agents[busy]], "expect": looked.json["digest"]})
    assert agreed.json["applied"] and agreed.json["changes"] == looked.json["changes"]
    with transaction(agency) as session:
        assert {str(visit.agent_id) for visit in session.scalars(select(Visit))} == {agents[other]}
    late = client.post(address, json={"late": [{"agent_id": agents[other], "minutes": 90}], "preview": True})
    assert {line["change"] for line in late.json["changes"]} <= {"retimed", "moved"} and late.json["changes"]
    for refused in (
        {"late": [{"agent_id": agents[other]}]},
        {"late": [{"agent_id": agents[other], "minutes": 5, "free_at": "2026-11-18T16:00:00Z"}]},
        {"costs": {"move_s": -1}},
    ):
        assert client.post(address, json=refused).status_code == 422
