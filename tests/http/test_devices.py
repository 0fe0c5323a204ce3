"""The office lists, enrols and revokes phones, and sees what waits for a person, never its content."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

import pytest

from field_api.platform.database import transaction
from field_api.platform.ids import new_id
from tests.office_client import OfficeClient
from tests.planning_world import World
from tests.sync_day import Day

pytest_plugins = ["tests.door_fixtures"]


@pytest.fixture
def agent_id(agency: UUID) -> UUID:
    with transaction(agency) as session:
        return World(session).agent().id


def test_a_code_is_issued_to_an_agent_and_shown_once(office_client: OfficeClient, agent_id: UUID) -> None:
    issued = office_client.post("/api/v1/devices", json={"agent_id": str(agent_id)})
    assert issued.status_code == 201, issued.text
    address, _, secret = issued.json["line"].partition("#")
    assert address == "http://door.test"
    assert len(secret.replace("-", "")) == 26
    again = office_client.post("/api/v1/devices", json={"agent_id": str(agent_id)})
    assert again.json["line"] != issued.json["line"]
    assert office_client.post("/api/v1/devices", json={"agent_id": str(new_id())}).json["code"] == "not-found"
    assert office_client.get("/api/v1/devices").json == {"items": [], "next": None}


def test_a_phone_is_listed_and_revoked_once(office_client: OfficeClient, day: Day) -> None:
    enrolled = day.enrol()
    (line,) = office_client.get("/api/v1/devices").json["items"]
    assert (line["id"], line["agent"], line["state"]) == (str(enrolled.device), "MX-1", "active")
    path = f"/api/v1/devices/{enrolled.device}/revoke"
    assert office_client.post(path, json={"reason": "boredom"}).status_code == 422
    assert office_client.post(path, json={"reason": "lost"}).status_code == 204
    assert office_client.post(path, json={"reason": "lost"}).json["code"] == "already-done"
    assert enrolled.call("GET", "/phone/v1/feed").json["code"] == "device-revoked"


def test_what_waits_for_a_person_is_listed_without_content(office_client: OfficeClient, day: Day) -> None:
    phone = day.enrol()
    phone.push(phone.operation("telepathy", {"words": "secreto"}, visit=day.visits[0], av=1), {"ct": "secreto"})
    day.work()
    (operation,) = office_client.get("/api/v1/quarantine").json["items"]
    assert (operation["state"], operation["reason"], operation["seq"]) == ("quarantined", "unknown-kind", 1)
    answer = office_client.get("/api/v1/quarantine/bytes")
    (odd,) = answer.json["items"]
    assert (odd["state"], odd["reason"], odd["op_id"]) == ("quarantined", "bad-form", None)
    assert "secreto" not in answer.text


@pytest.mark.parametrize(
    ("role", "method", "path"),
    [
        ("dispatcher", "POST", "/api/v1/devices"),
        ("integrator", "GET", "/api/v1/devices"),
        ("controller", "GET", "/api/v1/quarantine"),
    ],
)
def test_others_are_kept_out(as_role: Callable[..., OfficeClient], role: str, method: str, path: str) -> None:
    response = as_role(role).open(path, method=method, json={"agent_id": str(new_id())} if method == "POST" else None)
    assert (response.status_code, response.json["code"]) == (403, "not-permitted")
