"""Unlocks over HTTP: a manager sees who opened what, and decides what was odd; nobody else does."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

import pytest

from field_api.domain.vocabulary import OpKind
from field_api.platform.ids import new_id
from tests.office_client import OfficeClient
from tests.outcome_world import HERE, Phone, published_visit
from tests.planning_world import statements

API = "/api/v1"
RIGHT = {"method": "answers", "passed": True, "claim": "sought"}


def odd_day(agency: UUID) -> Phone:
    """A neighbour first, then one failed and one passed check, and the brief shown."""
    phone = published_visit(agency)
    phone.records(OpKind.ARRIVED, {"position": HERE})
    phone.records(OpKind.ENCOUNTER, {"relation": "neighbour"})
    phone.records(OpKind.ENCOUNTER, {"relation": "claims_to_be_sought"})
    phone.records(OpKind.IDENTITY_CHECK, RIGHT | {"passed": False, "claim": "other"})
    phone.records(OpKind.IDENTITY_CHECK, RIGHT | {"person": str(phone.sought)})
    phone.records(OpKind.OPENED, {"parts": ["brief"], "person": str(phone.sought)})
    return phone


def test_a_manager_sees_each_unlock_by_pages_and_filters(agency: UUID, office_client: OfficeClient) -> None:
    phone = odd_day(agency)
    page = office_client.get(f"{API}/unlocks?limit=2").json
    rest = office_client.get(f"{API}/unlocks?limit=2&after={page['next']}").json
    lines = [*page["items"], *rest["items"]]
    assert [line["what"] for line in lines] == ["opened", "passed", "failed"] and rest["next"] is None
    assert [line["person_id"] for line in lines] == [str(phone.sought), str(phone.sought), None]
    assert {(line["distance_m"], line["distance_by"], line["agent_id"]) for line in lines} == {
        (0.0, "arrival", str(phone.agent_id))
    }
    assert [line["review"] and line["review"]["reason"] for line in lines] == ["after-third-party"] * 2 + [None]
    assert "passed-for" not in str(lines) and lines[1]["method"] == "answers" and lines[2]["claim"] == "other"
    for query, count in (
        ("what=passed", 1), (f"agent={phone.agent_id}", 3), (f"agent={new_id()}", 0), (f"visit={phone.visit_id}", 3),
        ("since=2026-11-18T00:00:00Z&until=2026-11-19T00:00:00Z", 3), ("until=2026-11-18T00:00:00Z", 0),
    ):  # fmt: skip
        assert len(office_client.get(f"{API}/unlocks?{query}").json["items"]) == count, query
    assert office_client.get(f"{API}/unlocks?what=everything").status_code == 422


def test_a_review_is_decided_once(agency: UUID, office_client: OfficeClient) -> None:
    odd_day(agency)
    first, second = office_client.get(f"{API}/unlock-reviews").json["items"]
    place = f"{API}/unlock-reviews/{first['review']['id']}/decision"
    refused = office_client.post(place, json={"state": "objected"})
    assert (refused.status_code, refused.json["at"]) == (400, "note")
    decided = office_client.post(place, json={"state": "objected", "note": "The neighbour was still there."}).json
    assert (decided["state"], decided["note"]) == ("objected", "The neighbour was still there.")
    assert decided["decided_at"] and decided["decided_by"]
    assert office_client.post(place, json={"state": "accepted"}).json["code"] == "already-done"
    assert office_client.post(place, json={"state": "open"}).status_code == 422
    (left,) = office_client.get(f"{API}/unlock-reviews").json["items"]
    assert left["review"]["id"] == second["review"]["id"]
    (shown,) = office_client.get(f"{API}/unlock-reviews?state=objected&reason=after-third-party").json["items"]
    assert shown["what"] == "passed" and shown["person"]
    unknown = office_client.post(f"{API}/unlock-reviews/{new_id()}/decision", json={"state": "accepted"})
    assert unknown.status_code == 404


@pytest.mark.parametrize("role", ["dispatcher", "admin", "controller", "agent"])
def test_unlocks_are_for_managers(agency: UUID, as_role: Callable[..., OfficeClient], role: str) -> None:
    client = as_role(role)
    assert client.get(f"{API}/unlocks").status_code == 403
    assert client.get(f"{API}/unlock-reviews").status_code == 403
    assert client.post(f"{API}/unlock-reviews/{new_id()}/decision", json={"state": "accepted"}).status_code == 403


def test_a_page_of_unlocks_takes_as_many_statements_whatever_is_on_it(
    agency: UUID, office_client: OfficeClient
) -> None:
    odd_day(agency)
    office_client.get(f"{API}/unlocks")
    with statements() as few:
        office_client.get(f"{API}/unlocks?limit=1")
    with statements() as many:
        assert len(office_client.get(f"{API}/unlocks").json["items"]) == 3
    assert len(many) == len(few)


def test_another_agencys_review_is_an_unknown_one(
    agency: UUID, other_agency: UUID, office_client: OfficeClient
) -> None:
    odd_day(other_agency)
    assert office_client.get(f"{API}/unlocks").json["items"] == []
    assert office_client.get(f"{API}/unlock-reviews").json["items"] == []
