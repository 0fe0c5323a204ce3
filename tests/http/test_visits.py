"""Visits and what came of them over HTTP: lists by cursor, the whole story, attempts polled from the head."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from field_api.domain.vocabulary import OpKind, VisitEventKind
from field_api.platform.database import transaction
from field_api.platform.ids import new_id
from field_api.records.people import ContactCandidate
from field_api.records.results import Attempt
from field_api.usecases.note_visit_event import note_visit_event
from tests.office_client import OfficeClient
from tests.outcome_world import HERE, RECEIVED, Phone, published_visit

API = "/api/v1"
PROMISE = {
    "result": "promise",
    "kind": "partial",
    "amount": {"minor": 50_000, "currency": "MXN"},
    "due_on": "2026-12-01",
}
DISPUTE = {"result": "dispute", "reason": "wrong_amount", "words": "no es esa cantidad"}


def whole_day(agency: UUID) -> Phone:
    """A visit with everything on it, in the order in which a phone records it."""
    phone = published_visit(agency)
    with transaction(agency) as session:
        note_visit_event(session, phone.visit_id, VisitEventKind.PUBLISHED, HERE_AT_MORNING, "system", {})
    phone.records(OpKind.ARRIVED, {"position": HERE})
    phone.records(OpKind.ENCOUNTER, {"relation": "claims_to_be_sought"})
    phone.passes_check()
    phone.records(OpKind.OPENED, {"parts": ["brief"]})
    phone.located(PROMISE, DISPUTE, contacts=[{"kind": "phone", "value": "55 1234 5678"}])
    permission = new_id()
    phone.records(OpKind.PHOTO_PERMISSION, {"granted": True, "by": "sought"}, op_id=permission)
    phone.records(OpKind.PHOTO, {"sha256": "A" * 43, "subject": "facade", "permission": str(permission)})
    return phone


HERE_AT_MORNING = RECEIVED.replace(hour=13)


def ok(answer: Any) -> Any:
    assert answer.status_code == 200, answer.json
    return answer.json


def test_the_story_tells_everything_in_order(agency: UUID, office_client: OfficeClient) -> None:
    phone = whole_day(agency)
    story = ok(office_client.get(f"{API}/visits/{phone.visit_id}"))
    assert [event["kind"] for event in story["events"]] == [
        "published", "arrived", "encounter", "identity_check", "opened", "outcome", "photo_permission", "photo",
    ]  # fmt: skip
    outcome = story["events"][5]
    assert outcome["body"]["effects"] == {"holds": ["dispute"], "promises": 1, "disputes": 1, "contact_candidates": 1}
    assert outcome["body"]["distance_m"] == 0.0
    assert story["names"][str(phone.agent_id)] == "Agente MX-1"
    assert story["state"] == "done"
    assert story["accounts"][0]["balance_minor"] == 250_000
    assert story["promises"][0]["amount_minor"] == 50_000
    assert story["disputes"][0]["words"] == "no es esa cantidad"
    assert story["contact_candidates"][0]["value"]["value"] == "+525512345678"
    assert [hold["kind"] for hold in story["holds"]] == ["dispute"]
    assert story["attempts"][0]["right_party"] is True
    assert not story["events_cut"]


@pytest.mark.parametrize("role", ["dispatcher", "admin", "agent", "integrator", "controller"])
def test_the_story_is_for_managers(agency: UUID, as_role: Callable[..., OfficeClient], role: str) -> None:
    phone = published_visit(agency)
    assert as_role(role).get(f"{API}/visits/{phone.visit_id}").status_code == 403


def test_an_unknown_visit_is_not_found(agency: UUID, office_client: OfficeClient) -> None:
    assert office_client.get(f"{API}/visits/{new_id()}").status_code == 404


def test_visits_are_listed_by_day_agent_and_state(agency: UUID, office_client: OfficeClient) -> None:
    phone = published_visit(agency)
    phone.outcome("nobody_there")
    [line] = ok(office_client.get(f"{API}/visits?day=2026-11-18&state=done&agent={phone.agent_id}"))["items"]
    assert (line["id"], line["outcome"], line["day"]) == (str(phone.visit_id), "nobody_there", "2026-11-18")
    assert ok(office_client.get(f"{API}/visits?day=2026-11-19"))["items"] == []
    assert ok(office_client.get(f"{API}/visits?state=published"))["items"] == []
    assert office_client.get(f"{API}/visits?state=gone").status_code == 422


def test_a_controller_sees_their_creditors_rows_alone(agency: UUID, as_role: Callable[..., OfficeClient]) -> None:
    whole_day(agency)
    with transaction(agency) as session:
        from field_api.records.agency import Creditor

        mine = session.scalars(select(Creditor.id)).one()
        other = Creditor(name="Otra Inventada", jurisdiction="MX", currency="MXN", language="es")
        session.add(other)
        session.flush()
        foreign = other.id
    for path in ("visits", "attempts", "promises", "disputes"):
        assert len(ok(as_role("controller", creditor_id=mine).get(f"{API}/{path}"))["items"]) == 1
        assert ok(as_role("controller", creditor_id=foreign).get(f"{API}/{path}"))["items"] == []


def test_lists_go_on_from_their_cursor(agency: UUID, office_client: OfficeClient) -> None:
    phone = published_visit(agency)
    for _ in range(3):
        phone.located(PROMISE, PROMISE)
    seen, after = [], ""
    while True:
        page = ok(office_client.get(f"{API}/promises?limit=4{after}"))
        seen += [row["id"] for row in page["items"]]
        if page["next"] is None:
            break
        after = f"&after={page['next']}"
    assert len(seen) == len(set(seen)) == 6


def test_an_integrator_polls_attempts_from_where_it_stopped(agency: UUID, as_role: Callable[..., OfficeClient]) -> None:
    phone, client = published_visit(agency, accounts=2), as_role("integrator")
    phone.outcome("nobody_there")
    phone.outcome("vacant")
    first = ok(client.get(f"{API}/attempts?limit=3"))
    assert [item["number"] for item in first["items"]] == [1, 2, 3]
    assert first["more"] is True
    second = ok(client.get(f"{API}/attempts?after={first['next']}"))
    assert [(item["number"], item["outcome"]) for item in second["items"]] == [(4, "vacant")]
    assert second["items"][0]["detail"]["outcome"] == "vacant"
    assert second["items"][0]["account_reference"].startswith("CT-")
    again = ok(client.get(f"{API}/attempts?after={second['next']}"))
    assert again == {"items": [], "next": 4, "more": False}


def test_a_candidate_is_accepted_once(agency: UUID, office_client: OfficeClient) -> None:
    phone = published_visit(agency)
    phone.records(OpKind.CONTACT, {"source": "sought", "contacts": [{"kind": "phone", "value": "55 1234 5678"}]})
    [listed] = ok(office_client.get(f"{API}/contact-candidates"))["items"]
    path = f"{API}/contact-candidates/{listed['candidate']['id']}"
    assert ok(office_client.post(f"{path}/accept"))["state"] == "accepted"
    assert office_client.post(f"{path}/reject").status_code == 409
    assert ok(office_client.get(f"{API}/contact-candidates"))["items"] == []
    with transaction(agency) as session:
        assert session.scalars(select(ContactCandidate.decided_by)).one() is not None
        assert session.scalars(select(Attempt)).all() == []


@pytest.mark.parametrize("path", ["visits", "attempts", "promises", "disputes", "contact-candidates"])
def test_nobody_reads_without_signing_in(anonymous: OfficeClient, path: str) -> None:
    assert anonymous.get(f"{API}/{path}").status_code == 401
