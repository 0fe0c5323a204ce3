"""A paper sheet over HTTP and in the console: its form, what was typed, what cannot be read and is kept."""

from __future__ import annotations

from datetime import UTC, datetime
from io import BytesIO
from uuid import UUID

import pytest
from pypdf import PdfReader

from field_api.platform.database import transaction
from tests.office_client import OfficeClient
from tests.planning_world import World

API = "/api/v1"
EVENING = datetime(2026, 11, 19, 1, tzinfo=UTC)


@pytest.fixture
def route(agency: UUID) -> tuple[UUID, UUID]:
    """(plan, route) of three stops, of agent MX-1, and one of another agent."""
    with transaction(agency) as session:
        world = World(session)
        route = world.route(world.agent())
        beside = world.route_beside(route, world.agent("MX-2").id)
        for which, position in ((route, 1), (route, 2), (route, 3), (beside, 1)):
            person, place, account = world.household()
            world.visit(which, position, place, person, account)
        return route.plan_id, route.id


def _entered(client: OfficeClient, path: str, *rows: dict[str, str], **more: str) -> list[dict]:
    answer = client.post(path, json={"rows": list(rows), **more})
    assert answer.status_code == 200, answer.json
    return answer.json["rows"]


def test_a_paper_sheet_is_typed_in_and_what_cannot_be_read_is_named(route, as_role, clock) -> None:
    client, (plan_id, route_id) = as_role("dispatcher"), route
    clock.moment = EVENING
    path = f"{API}/routes/{route_id}/paper-sheet"
    form = client.get(path).json
    assert [row["row"] for row in form["rows"]] == ["1", "2", "3"] and form["issues"] == [form["issue"]]
    assert form["rows"][0]["timezone"] == "America/Mexico_City" and form["rows"][0]["typed"] is None
    typed = ({"row": "1", "time": "9:05", "box": "3"}, {"row": "2", "time": "25:00", "box": "3"}, {"row": "3"})
    done = _entered(client, path, *typed, issue=form["issue"])
    assert [row["state"] for row in done] == ["recorded", "unreadable", "blank"]
    assert done[0]["operations"][0]["verdict"] == "applied" and "from-paper" in done[0]["operations"][0]["flags"]
    assert done[1]["unreadable"] == [{"field": "time", "trouble": "not-a-time"}]
    assert [row["state"] for row in _entered(client, path, *typed)] == ["unchanged", "unreadable", "blank"]
    assert client.get(path).json["rows"][0]["typed"]["time"] == "9:05"
    assert client.post(path, json={"rows": [{"box": "3"}]}).status_code == 422
    assert client.post(path, json={"rows": [], "issue": "NOPE"}).status_code == 404
    pdf = client.get(f"{API}/plans/{plan_id}/sheets")
    assert pdf.headers["Content-Disposition"] == 'attachment; filename="sheets.pdf"'
    pages = PdfReader(BytesIO(pdf.data)).pages
    first = ["MX-1" in page.extract_text() for page in pages].count(True)
    assert "MX-2" in pages[first + first % 2].extract_text(), "each sheet begins on a front side"


def test_the_console_keeps_what_was_typed_and_says_what_is_wrong(route, as_role, clock) -> None:
    client, (_, route_id) = as_role("manager"), route
    clock.moment = EVENING
    chosen = client.get("/console/paper-sheets?day=2026-11-18").text
    assert f"/console/paper-sheet?route={route_id}" in chosen and "MX-2" in chosen
    page = f"/console/paper-sheet?route={route_id}"
    assert 'name="3.box"' in client.get(page).text
    sent = {"1.time": "9:05", "1.box": "3", "2.time": "9:30", "2.box": "14", "2.note": "<b>portón</b> azul"}
    answer = client.post(page, data=sent)
    assert answer.status_code == 200
    assert "no box has this number" in answer.text and 'href="#row-2"' in answer.text
    assert 'value="14"' in answer.text and "&lt;b&gt;portón&lt;/b&gt; azul" in answer.text, "what was typed is kept"
    assert 'value="9:05"' in answer.text and "recorded" in answer.text
    mended = client.post(page, data={**sent, "2.box": "4"}).text
    assert "All rows are recorded" in mended and "as before" in mended
    assert client.get("/console/paper-sheet").status_code == 400


@pytest.mark.parametrize("role", ["controller", "integrator", "admin"])
def test_others_type_nothing_in(route, as_role, role: str) -> None:
    assert as_role(role).get(f"{API}/routes/{route[1]}/paper-sheet").status_code == 403
