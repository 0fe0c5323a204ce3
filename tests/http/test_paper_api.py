"""Papers over HTTP: PDFs under neutral names, letters in route order without their content, custody by the office."""

from __future__ import annotations

from io import BytesIO
from uuid import UUID

import pytest
from pypdf import PdfReader
from sqlalchemy import event

from field_api.platform.database import db, transaction
from field_api.usecases.want_letters import want_letters
from tests.office_client import OfficeClient
from tests.paper_world import paper_world, stating
from tests.planning_world import NOW

API = "/api/v1"


def publish(agency: UUID, count: int) -> tuple[UUID, UUID]:
    """(plan, route) of a route with so many stops, letters wanted."""
    with transaction(agency) as session:
        world = paper_world(session)
        creditor = stating(world)
        route = world.route(world.agent())
        visits = []
        for position in range(1, count + 1):
            person = world.person(creditor)
            visit = world.visit(route, position, world.address(person), person, world.account(person, 123_456))
            visits.append(visit.id)
        want_letters(session, visits, NOW)
        return route.plan_id, route.id


@pytest.fixture
def route(agency: UUID, as_role) -> tuple[OfficeClient, UUID]:
    plan_id, route_id = publish(agency, 3)
    client = as_role("dispatcher")
    made = client.post(f"{API}/plans/{plan_id}/papers")
    assert made.json == {"sheets": 1, "letters": 3, "letters_refused": 0}
    return client, route_id


def text_of(answer) -> str:
    assert answer.status_code == 200, answer.json
    assert answer.mimetype == "application/pdf"
    return "\n".join(page.extract_text() for page in PdfReader(BytesIO(answer.data)).pages)


def test_a_sheet_is_served_with_open_data_under_a_neutral_name(route) -> None:
    client, route_id = route
    answer = client.get(f"{API}/routes/{route_id}/sheet")
    text = text_of(answer)
    assert "Persona Inventada" in text and "Mueblería" not in text and "1,234.56" not in text
    assert answer.headers["Content-Disposition"] == 'attachment; filename="sheet.pdf"'


def test_letters_are_listed_in_route_order_without_what_they_say(route) -> None:
    client, route_id = route
    answer = client.get(f"{API}/routes/{route_id}/letters")
    assert [line["stop"] for line in answer.json] == [1, 2, 3]
    assert {line["state"] for line in answer.json} == {"issued"}
    for secret in ("1,234.56", "Mueblería", "CT-", "Persona"):
        assert secret not in answer.text


def test_a_letter_is_served_as_it_was_issued(route) -> None:
    client, route_id = route
    [first, *_] = client.get(f"{API}/routes/{route_id}/letters").json
    answer = client.get(f"{API}/letters/{first['id']}/document")
    assert "$1,234.56" in text_of(answer)
    assert answer.headers["Content-Disposition"] == 'attachment; filename="letter.pdf"'


def test_a_stack_is_printed_once_and_then_marked(route) -> None:
    client, route_id = route
    first, second = (client.post(f"{API}/routes/{route_id}/prints") for _ in range(2))
    assert first.headers["Content-Disposition"] == 'attachment; filename="stack.pdf"'
    assert "Copia 2" not in text_of(first) and "Copia 2" in text_of(second)


def test_custody_changes_are_noted_and_impossible_ones_refused(route) -> None:
    client, route_id = route
    [first, *_] = client.get(f"{API}/routes/{route_id}/letters").json
    custody = f"{API}/letters/{first['id']}/custody"
    assert client.post(custody, json={"state": "returned"}).status_code == 204
    assert client.post(custody, json={"state": "handed_over"}).status_code == 422, "to whom?"
    assert client.post(custody, json={"state": "handed_over", "recipient": "spouse"}).status_code == 422
    assert client.post(custody, json={"state": "handed_over", "recipient": "sought"}).status_code == 204
    again = client.post(custody, json={"state": "destroyed"})
    assert (again.status_code, again.json["code"]) == (409, "conflict")
    steps = client.get(custody).json
    assert [step["state"] for step in steps] == ["wanted", "issued", "returned", "handed_over"]
    assert steps[-1]["recipient"] == "sought" and steps[-1]["actor"].startswith("staff:")


def test_the_agents_card_is_served_in_each_language(route) -> None:
    client, _ = route
    assert "Atendió otra persona" in text_of(client.get(f"{API}/legend-cards/es"))


@pytest.mark.parametrize("role", ["controller", "integrator", "admin"])
def test_others_get_no_papers(route, as_role, role: str) -> None:
    _, route_id = route
    assert as_role(role).get(f"{API}/routes/{route_id}/sheet").status_code == 403


def test_another_agencys_route_is_not_found(route, as_role, other_agency: UUID) -> None:
    _, route_id = route
    stranger = as_role("manager", agency_id=other_agency)
    for path in ("sheet", "letters"):
        assert stranger.get(f"{API}/routes/{route_id}/{path}").status_code == 404
    assert stranger.post(f"{API}/routes/{route_id}/prints").status_code == 404


def test_the_list_of_letters_takes_a_fixed_number_of_statements(route, office) -> None:
    client, route_id = route
    with office.app_context():
        engine = db.engine
    seen: list[str] = []

    def note(*arguments: object) -> None:
        seen.append(str(arguments[2]))

    event.listen(engine, "before_cursor_execute", note)
    assert len(client.get(f"{API}/routes/{route_id}/letters").json) == 3
    event.remove(engine, "before_cursor_execute", note)
    about_letters = [statement for statement in seen if "office.letter" in statement or "office.route" in statement]
    assert len(about_letters) == 2


def test_what_is_to_be_looked_after_is_listed_paged_and_done_over_http(route, as_role) -> None:
    client, route_id = route
    listed = client.get(f"{API}/routes/{route_id}/letters").json
    [agent] = client.get(f"{API}/agents").json["items"]
    chase = f"{API}/papers/chase"
    assert client.get(chase).status_code == 422, "which list?"
    assert client.post(f"{API}/routes/{route_id}/prints?unprinted=true").status_code == 200
    first, second, third = (line["id"] for line in listed)
    copy = client.post(f"{API}/letters/{first}/prints", json={})
    assert (copy.status_code, copy.json["code"], copy.json["at"]) == (422, "invalid-fields", "reason")
    assert "Copia 2" in text_of(client.post(f"{API}/letters/{first}/prints", json={"reason": "torn"}))
    for letter_id, state in ((first, "pulled"), (second, "lost"), (third, "pulled")):
        assert client.post(f"{API}/letters/{letter_id}/custody", json={"state": state}).status_code == 204
    counts = {one["why"]: one["count"] for one in client.get(f"{chase}/overview").json["counts"]}
    assert (counts["in_office"], counts["lost"], counts["unprinted"]) == (2, 1, 0)
    page = client.get(f"{chase}?why=in_office&limit=1").json
    rest = client.get(f"{chase}?why=in_office&limit=1&after={page['next']}").json
    assert {one["id"] for one in page["items"] + rest["items"]} == {first, third} and rest["next"] is None
    assert page["items"][0]["to_do"] == "decide" and page["items"][0]["name"].startswith("Persona Inventada")
    assert client.post(f"{API}/letters/{first}/moves").status_code == 204
    assert client.post(f"{API}/letters/{first}/moves").json["code"] == "already-done"
    hand_in = f"{API}/agents/{agent['id']}/hand-ins"
    answer = client.post(hand_in, json={"on": "2026-11-18", "serials": [listed[1]["serial"], "nobodys"]}).json
    assert [(line["typed"], line["result"]) for line in answer["lines"]] == [(0, "returned"), (1, "unknown")]
    assert [(one["id"], one["stop"]) for one in answer["missing"]] == [(first, 1)]
    console = client.get("/console/papers").text
    assert listed[2]["serial"] in console and "Persona Inventada" in console and "1,234.56" not in console
    assert as_role("controller").get(f"{chase}/overview").status_code == 403


def test_a_plans_stacks_are_one_download(route) -> None:
    client, route_id = route
    [plan] = client.get(f"{API}/plans").json["items"]
    answer = client.post(f"{API}/plans/{plan['id']}/prints")
    assert "Copia" not in text_of(answer) and "Para la oficina" in text_of(answer)
    assert answer.headers["Content-Disposition"] == 'attachment; filename="stacks.pdf"'
    assert "Copia 2" in text_of(client.post(f"{API}/routes/{route_id}/prints")), "noted all the same"
