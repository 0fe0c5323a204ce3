"""A dispatcher's day over HTTP: agents, plan, publish, hold, reassign, codes, places."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import select

from field_api.platform.clock import SetClock
from field_api.platform.database import transaction
from field_api.records.visits import Visit
from tests.office_client import OfficeClient
from tests.planning_world import MEXICO_CITY, PARTS, World

API = "/api/v1"
DAY = "2026-11-18"
HERE = {"latitude": MEXICO_CITY[0], "longitude": MEXICO_CITY[1]}


@pytest.fixture
def office(office: Flask) -> Flask:
    """The day before, with the fake solver: the real one is tested elsewhere."""
    office.extensions["doorstep.clock"] = SetClock(datetime(2026, 11, 17, 15, tzinfo=UTC))
    office.extensions["doorstep.planning"] = lambda: PARTS
    return office


@pytest.fixture
def dispatcher(as_role: Callable[..., OfficeClient]) -> OfficeClient:
    return as_role("dispatcher")


def households(agency: UUID, count: int, **more: object) -> list[UUID]:
    with transaction(agency) as session:
        world = World(session)
        return [world.household((MEXICO_CITY[0] + n * 0.001, MEXICO_CITY[1]), **more)[2].id for n in range(count)]


def add_agent(client: OfficeClient, code: str) -> str:
    body = {"code": code, "name": "Ana Inventada", "languages": ["es"], "timezone": "America/Mexico_City"}
    agent_id = client.post(f"{API}/agents", json=body).json["id"]
    shift = {"starts_at": "09:00", "ends_at": "17:00", "start": HERE}
    assert client.put(f"{API}/agents/{agent_id}/shifts/2", json=shift).status_code == 200
    return agent_id


def test_a_day_from_agents_to_phones(agency: UUID, dispatcher: OfficeClient) -> None:
    accounts = households(agency, 3)
    agent = add_agent(dispatcher, "MX-1")
    drafted = dispatcher.post(f"{API}/plans", json={"day": DAY})
    assert drafted.status_code == 201, drafted.json
    plan_id = drafted.json["plan"]["id"]
    assert (drafted.json["visits"], drafted.json["not_planned"]) == (3, {})
    held = dispatcher.post(f"{API}/holds", json={"kind": "paid", "reason": "pagó ayer", "account_id": str(accounts[0])})
    assert held.status_code == 201 and held.json["reason"] == "pagó ayer"
    published = dispatcher.post(f"{API}/plans/{plan_id}/publish")
    assert published.status_code == 200 and published.json["plan"]["state"] == "published"
    assert (published.json["visits"], published.json["not_planned"]) == (2, {"withdrawn": 1})
    assert dispatcher.post(f"{API}/plans/{plan_id}/publish").json["code"] == "already-done"
    route = dispatcher.get(f"{API}/agents/{agent}/route?day={DAY}").json
    assert [len(stop["visits"]) for stop in route["stops"]] == [1, 1]
    why = dispatcher.get(f"{API}/plans/why-not?account={accounts[0]}&day={DAY}").json
    assert why["visit_id"] is None and why["reasons"] == [{"reason": "withdrawn", "rule": "withdrawn: hold:paid"}]
    assert dispatcher.get(f"{API}/plans/why-not?account={accounts[1]}&day={DAY}").json["visit_id"]
    listed = dispatcher.get(f"{API}/plans/{plan_id}/not-planned").json
    assert [row["account_id"] for row in listed["items"]] == [str(accounts[0])]
    assert [plan["id"] for plan in dispatcher.get(f"{API}/plans?day={DAY}").json["items"]] == [plan_id]
    assert dispatcher.get(f"{API}/plans/{plan_id}").json == published.json


def test_a_visit_changes_hands_and_its_code_is_told_once(agency: UUID, dispatcher: OfficeClient) -> None:
    households(agency, 1)
    add_agent(dispatcher, "MX-1")
    plan_id = dispatcher.post(f"{API}/plans", json={"day": DAY}).json["plan"]["id"]
    dispatcher.post(f"{API}/plans/{plan_id}/publish")
    other = add_agent(dispatcher, "MX-2")
    with transaction(agency) as session:
        visit = session.scalars(select(Visit)).one()
        visit_id, person_id = visit.id, visit.person_id
    moved = dispatcher.post(f"{API}/visits/{visit_id}/reassign", json={"agent_id": other})
    assert moved.status_code == 200 and (moved.json["agent_id"], moved.json["assignment_version"]) == (other, 2)
    ask = {"reason": "llamó desde la puerta"}
    codes = f"{API}/visits/{visit_id}/codes/{person_id}"
    told = dispatcher.post(f"{codes}/disclose", json=ask)
    assert told.status_code == 200 and len(told.json["code"]) == 13
    assert dispatcher.post(f"{codes}/disclose", json=ask).json["code"] == "already-done"
    assert dispatcher.post(f"{codes}/reissue", json=ask).status_code == 204
    assert dispatcher.post(f"{codes}/disclose", json=ask).json["code"] != told.json["code"]
    gone = dispatcher.post(f"{API}/visits/{visit_id}/withdraw", json={"reason": "calle cerrada"})
    assert gone.status_code == 200 and gone.json["state"] == "withdrawn"


def test_a_hold_is_placed_lifted_and_listed(agency: UUID, dispatcher: OfficeClient) -> None:
    (account,) = households(agency, 1)
    hold = dispatcher.post(f"{API}/holds", json={"kind": "dispute", "reason": "x", "account_id": str(account)}).json
    assert [row["id"] for row in dispatcher.get(f"{API}/holds").json["items"]] == [hold["id"]]
    assert dispatcher.post(f"{API}/holds/{hold['id']}/lift", json={"reason": "aclarado"}).status_code == 200
    assert dispatcher.post(f"{API}/holds/{hold['id']}/lift", json={"reason": "otra"}).json["code"] == "already-done"
    assert dispatcher.get(f"{API}/holds").json["items"] == []
    assert len(dispatcher.get(f"{API}/holds?lifted=true").json["items"]) == 1
    assert dispatcher.post(f"{API}/holds", json={"kind": "dispute", "reason": "x"}).status_code == 422


def test_a_controller_sees_holds_of_their_creditor_alone(
    agency: UUID, dispatcher: OfficeClient, as_role: Callable[..., OfficeClient]
) -> None:
    with transaction(agency) as session:
        world = World(session)
        ours = world.household()[2]
        creditor_id = ours.creditor_id
        stranger = world.person(world.creditor("LI", "CHF", "de"))
        theirs = world.account(stranger)
        accounts = [ours.id, theirs.id]
    for account in accounts:
        dispatcher.post(f"{API}/holds", json={"kind": "paid", "reason": "x", "account_id": str(account)})
    controller = as_role("controller", creditor_id=creditor_id)
    assert [row["account_id"] for row in controller.get(f"{API}/holds").json["items"]] == [str(accounts[0])]
    assert (
        controller.post(
            f"{API}/holds", json={"kind": "paid", "reason": "x", "account_id": str(accounts[0])}
        ).status_code
        == 403
    )


def test_an_address_without_coordinates_is_placed_by_hand(agency: UUID, dispatcher: OfficeClient) -> None:
    with transaction(agency) as session:
        World(session).household(None, hint="portón azul")
    (waiting,) = dispatcher.get(f"{API}/addresses/without-coordinates").json["items"]
    assert waiting["hint"] == "portón azul"
    placed = dispatcher.patch(f"{API}/addresses/{waiting['id']}", json=HERE)
    assert placed.status_code == 200 and placed.json["timezone"] == "America/Mexico_City"
    assert dispatcher.get(f"{API}/addresses/without-coordinates").json["items"] == []


def test_agents_are_listed_with_their_time(agency: UUID, dispatcher: OfficeClient) -> None:
    agent = add_agent(dispatcher, "MX-1")
    away = {"first_day": "2026-11-20", "last_day": "2026-11-21"}
    assert dispatcher.post(f"{API}/agents/{agent}/absences", json=away).status_code == 201
    assert dispatcher.put(f"{API}/agents/{agent}/languages", json={"languages": ["es", "en"]}).status_code == 200
    shown = dispatcher.get(f"{API}/agents/{agent}").json
    assert (shown["agent"]["languages"], len(shown["shifts"]), len(shown["absences"])) == (["es", "en"], 1, 1)
    assert dispatcher.delete(f"{API}/agents/{agent}/shifts/2").status_code == 204
    assert [row["code"] for row in dispatcher.get(f"{API}/agents").json["items"]] == ["MX-1"]
