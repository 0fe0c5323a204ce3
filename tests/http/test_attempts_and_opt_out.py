"""Over HTTP: what was tried elsewhere comes in, a place is left alone at once, a consent is kept."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import select

from field_api.platform.clock import SetClock
from field_api.platform.database import transaction
from field_api.records.accounts import Account
from field_api.records.changes import Change
from field_api.records.visits import Visit
from tests.office_client import OfficeClient
from tests.planning_world import PARTS, World

API = "/api/v1"
DAY = "2026-11-18"


@pytest.fixture
def office(office: Flask) -> Flask:
    office.extensions["doorstep.clock"] = SetClock(datetime(2026, 11, 17, 15, tzinfo=UTC))
    office.extensions["doorstep.planning"] = lambda: PARTS
    return office


def test_calls_and_letters_come_in_once_and_an_opt_out_takes_visits_back(
    agency: UUID, as_role: Callable[..., OfficeClient]
) -> None:
    with transaction(agency) as session:
        world = World(session)
        world.agent()
        world.creditor().strategy = {"attempts_first": {"call": 1}}
        _, address, account = world.household()
        account.reference = "CT-A"
        creditor, address_id, account_id = str(world.creditor().id), address.id, account.id
    dispatcher, manager = as_role("dispatcher"), as_role("manager")

    def planned() -> dict[str, object]:
        body = {"day": DAY, "discard_changes": True}
        return dispatcher.post(f"{API}/plans", json=body).json

    assert planned()["not_planned"] == {"strategy": 1}
    call = {
        "id": "c-1",
        "account": "CT-A",
        "channel": "call",
        "at": "2026-11-16T10:00:00-06:00",
        "outcome": "no_answer",
    }
    told = {"creditor_id": creditor, "attempts": [call, {**call, "id": "c-2", "account": "CT-B"}, {**call, "id": "c-3", "at": "2026-11-19"}]}  # fmt: skip
    answer = dispatcher.post(f"{API}/attempts", json=told)
    assert answer.status_code == 200 and (answer.json["recorded"], answer.json["known"]) == (1, 0)
    assert [(one["index"], one["field"]) for one in answer.json["refused"]] == [(1, "account"), (2, "at")]
    assert "CT-" not in answer.text
    assert dispatcher.post(f"{API}/attempts", json={**told, "attempts": [call]}).json["known"] == 1
    odd = dispatcher.post(f"{API}/attempts", json={**told, "attempts": [{**call, "words": "debe $300"}]})
    assert odd.status_code == 422 and "300" not in odd.text
    polled = manager.get(f"{API}/attempts").json["items"]
    assert [(one["channel"], one["outcome"], one["visit_id"], one["detail"]["id"]) for one in polled] == [("call", "no_answer", None, "c-1")]  # fmt: skip
    draft = planned()
    assert draft["visits"] == 1
    assert dispatcher.post(f"{API}/plans/{draft['plan']['id']}/publish").status_code == 200
    assert dispatcher.post(f"{API}/addresses/{address_id}/opt-out", json={}).json == {"wanted": False}
    with transaction(agency) as session:
        assert session.scalars(select(Visit.state)).all() == ["withdrawn"]
        assert any(change.urgent for change in session.scalars(select(Change)))
    assert planned()["not_planned"] == {"visits_opted_out": 1}
    assert dispatcher.post(f"{API}/addresses/{address_id}/opt-out", json={"wanted": True}).json == {"wanted": True}
    assert planned()["not_planned"] == {"no_agent": 1}  # its only agent is out on the route that is left
    changed = manager.patch(f"{API}/accounts/{account_id}", json={"visits_consented_on": "2026-11-02"})
    assert changed.json["visits_consented_on"] == "2026-11-02"
    assert manager.patch(f"{API}/accounts/{account_id}", json={"visits_consented_on": None}).json["visits_consented_on"] is None  # fmt: skip
    with transaction(agency) as session:
        assert session.scalars(select(Account.visits_consented_on)).all() == [None]
    assert as_role("admin").post(f"{API}/attempts", json=told).status_code == 403
