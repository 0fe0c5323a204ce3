"""What every request to the office meets: bounded JSON, errors of one shape, headers, conditional answers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from uuid import uuid4

import pytest
from flask import Flask

from field_api.domain.disclosure import Audience
from field_api.domain.roles import StaffRole
from field_api.http import frame
from field_api.http.permits import Actor, Declaration, answers, open_to_all, permitted
from field_api.platform.problems import Problem
from tests.office_client import OfficeClient

AsRole = Callable[..., OfficeClient]


@pytest.mark.parametrize(
    "body",
    [
        b'{"name": "x", "name": "y"}',
        b'{"name": NaN}',
        b'{"name": 1e999}',
        b"[" * 40 + b"]" * 40,
        b'{"name": "\\u0000"}',
        b'{"name": "\\ud800"}',
        b'{"name": "\xff"}',
        b'{"name": 123456789012345678901234567890}',
        b"{",
        b"",
    ],
)
def test_json_that_others_read_differently_is_refused(as_role: AsRole, body: bytes) -> None:
    answer = as_role("admin").post("/api/v1/staff", data=body, content_type="application/json")
    assert (answer.status_code, answer.json["code"]) == (400, "invalid-json")
    assert answer.mimetype == "application/problem+json"


def test_a_large_json_body_is_refused(as_role: AsRole) -> None:
    answer = as_role("admin").post("/api/v1/staff", data=b" " * (4 * 1024 * 1024 + 1), content_type="application/json")
    assert (answer.status_code, answer.json["code"]) == (413, "too-large")


def test_a_validation_error_names_places_and_no_values(as_role: AsRole) -> None:
    body = {
        "email": "ana@agency.test",
        "role": "king of Spain",
        "secret-note": "debe 500",
        "a b": 1,
        "password": "short",
    }
    answer = as_role("admin").post("/api/v1/staff", json=body)
    assert (answer.status_code, answer.json["code"]) == (422, "invalid-fields")
    places = {error["at"] for error in answer.json["errors"]}
    assert places == {"json.name", "json.role", "json.secret-note", "json.?", "json.password"}
    for value in ("king", "500", "ana@", "short", "a b"):
        assert value not in answer.text


def test_another_media_type_is_no_json(as_role: AsRole) -> None:
    answer = as_role("admin").post("/api/v1/staff", data=b"name=x", content_type="text/plain")
    assert answer.status_code == 422


@pytest.mark.parametrize("path", ["/api/v1/staff?after=%00", "/api/v1/staff?%00=1"])
def test_nul_in_the_address_is_refused(office_client: OfficeClient, path: str) -> None:
    answer = office_client.get(path)
    assert (answer.status_code, answer.json["code"]) == (400, "bad-request")


def test_unknown_paths_and_methods_are_problems_too(office_client: OfficeClient) -> None:
    assert office_client.get("/api/v1/nothing").json["code"] == "not-found"
    wrong = office_client.put("/api/v1/me")
    assert wrong.json["code"] == "method-not-allowed"
    assert "GET" in wrong.headers["Allow"]


def test_an_incident_says_nothing_but_its_number(
    office: Flask, as_role: AsRole, monkeypatch: pytest.MonkeyPatch
) -> None:
    def boom(*_: object, **__: object) -> None:
        raise RuntimeError("balance 1234567")

    monkeypatch.setattr("field_api.http.staff.add_staff", boom)
    body = {"email": "new@agency.test", "name": "N", "role": "agent", "password": "long enough for us"}
    answer = as_role("admin").post("/api/v1/staff", json=body)
    assert (answer.status_code, set(answer.json)) == (500, {"type", "title", "status", "code", "incident"})
    assert "1234567" not in answer.text


@pytest.mark.parametrize("path", ["/api/v1/me", "/api/v1/nothing", "/sign-in", "/console/", "/healthz", "/style.css"])
def test_every_answer_carries_the_headers(office_client: OfficeClient, path: str) -> None:
    headers = office_client.get(path).headers
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Frame-Options"] == "DENY"
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
    assert ("no-store" in headers["Cache-Control"]) is (path != "/style.css")
    assert headers["Strict-Transport-Security"]


def test_an_unchanged_resource_is_not_sent_again(office_client: OfficeClient) -> None:
    first = office_client.get("/api/v1/me")
    again = office_client.get("/api/v1/me", headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")


def test_health_and_readiness(office: Flask, anonymous: OfficeClient) -> None:
    assert anonymous.get("/healthz").json == {"state": "ok"}
    assert anonymous.get("/readyz").json == {"state": "ready"}
    office.extensions["doorstep.schema_head"] = "9999"
    assert (anonymous.get("/readyz").status_code, anonymous.get("/healthz").status_code) == (503, 200)


def test_pages_follow_one_another_without_gaps(as_role: AsRole) -> None:
    admin = as_role("admin")
    for number in range(6):
        body = {"email": f"p{number}@agency.test", "name": "P", "role": "agent", "password": "long enough for us"}
        assert admin.post("/api/v1/staff", json=body).status_code == 201
    seen: list[str] = []
    after = None
    for _ in range(10):
        page = admin.get("/api/v1/staff", query_string={"limit": 3} | ({"after": after} if after else {})).json
        assert len(page["items"]) <= 3
        seen += [row["id"] for row in page["items"]]
        if (after := page["next"]) is None:
            break
    whole = [row["id"] for row in admin.get("/api/v1/staff", query_string={"limit": 200}).json["items"]]
    assert seen == whole
    assert len(whole) == 7


@pytest.mark.parametrize("query", [{"limit": 0}, {"limit": 201}, {"limit": "x"}, {"after": ""}])
def test_bad_page_arguments_are_named(office_client: OfficeClient, query: dict[str, object]) -> None:
    answer = office_client.get("/api/v1/staff", query_string=query)
    assert answer.status_code == 422
    assert [error["at"] for error in answer.json["errors"]] == [f"query.{name}" for name in query]


def test_a_cursor_of_another_list_or_a_changed_one_is_refused(as_role: AsRole) -> None:
    admin = as_role("admin")
    as_role("manager")
    cursor = admin.get("/api/v1/staff", query_string={"limit": 1}).json["next"]
    assert cursor
    assert admin.get("/api/v1/staff", query_string={"after": cursor}).status_code == 200
    assert admin.get("/api/v1/tokens", query_string={"after": cursor}).json["at"] == "after"
    assert admin.get("/api/v1/staff", query_string={"after": cursor[:-2] + "xx"}).json["at"] == "after"


CONTROLLER = Actor(uuid4(), uuid4(), StaffRole.CONTROLLER, uuid4(), "staff", frozenset())
BOUNDED = Declaration(frozenset({Audience.MANAGER, Audience.CONTROLLER}), "accounts.read", by_creditor=True)


@pytest.mark.parametrize(
    ("actor", "declaration"),
    [(CONTROLLER, replace(BOUNDED, by_creditor=False)), (replace(CONTROLLER, creditor_id=None), BOUNDED)],
    ids=["a route that is not bounded", "a controller of no creditor"],
)
def test_a_controller_without_a_bound_is_not_admitted(
    office: Flask, monkeypatch: pytest.MonkeyPatch, actor: Actor, declaration: Declaration
) -> None:
    """Nothing else stands before it: neither the permission table nor the declared audiences speak of a creditor."""
    monkeypatch.setattr(frame, "session_actor", lambda: actor)
    with office.test_request_context("/"), pytest.raises(Problem, match="not-permitted"):
        frame.admit(declaration)


def test_a_bounded_controller_is_admitted(office: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(frame, "session_actor", lambda: CONTROLLER)
    with office.test_request_context("/"):
        assert frame.admit(BOUNDED) == CONTROLLER


def test_nothing_runs_for_an_audience_that_was_not_declared() -> None:
    assert frame.audience_of(CONTROLLER, BOUNDED) is Audience.CONTROLLER
    with pytest.raises(Problem, match="not-permitted"):
        frame.audience_of(CONTROLLER, replace(BOUNDED, audiences=frozenset({Audience.MANAGER})))


def test_a_view_that_is_open_and_needs_a_permission_runs_for_nobody(office: Flask) -> None:
    """The start-up refuses such a route; one that came in later is refused by the frame."""
    both = open_to_all(permitted("accounts.read")(answers(Audience.MACHINE)(lambda: "nobody reads this")))
    with office.test_request_context("/"), pytest.raises(Problem, match="not-permitted"):
        frame._framed(both)()


def test_a_permission_is_for_the_roles_of_its_row_and_a_token_needs_it_on_its_own_list_too() -> None:
    """Asked of the table itself: on every route the declared audiences stand behind it."""
    token = replace(CONTROLLER, role=StaffRole.INTEGRATOR, creditor_id=None, kind="token")
    assert CONTROLLER.may("accounts.read") and not replace(CONTROLLER, role=StaffRole.AGENT).may("accounts.read")
    assert not token.may("accounts.read") and replace(token, permissions=frozenset({"accounts.read"})).may(
        "accounts.read"
    )
    assert not replace(token, permissions=frozenset({"staff.write"})).may("staff.write")
    assert not CONTROLLER.may("accounts.raed")
