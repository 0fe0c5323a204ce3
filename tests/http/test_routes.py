"""Every route of the office says for whom it answers and who may ask; nothing is served without."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any
from uuid import UUID

import marshmallow as ma
import pytest
from flask import Flask
from flask_smorest import Blueprint

from field_api.domain.confidential import declared_audience
from field_api.domain.disclosure import Audience, Label
from field_api.domain.roles import StaffRole
from field_api.http.bodies import JSON, sends
from field_api.http.frame import enclose
from field_api.http.guard import Route, UndeclaredRoute, check_routes, routes
from field_api.http.openapi import API_PREFIX, document_of, documented_path
from field_api.http.paging import Page
from field_api.http.permits import AUDIENCE_OF, PERMISSIONS, answers, open_to_all, permitted
from field_api.http.schemas.audiences import OFFICE
from field_api.http.schemas.labelled import Schema, confidential, internal
from tests.declared_routes import row_faults, table_faults
from tests.office_client import OfficeClient

AsRole = Callable[..., OfficeClient]

PHOTO_PAGES = {
    ("GET", "/console/photos"),
    ("GET", "/console/photo"),
    ("POST", "/console/photo/allow"),
    ("POST", "/console/photo/destroy"),
    ("POST", "/console/photo/original"),
}
PAPER_PAGES = {
    ("GET", "/console/papers"),
    ("GET", "/console/paper-sheets"),
    ("GET", "/console/paper-sheet"),
    ("POST", "/console/paper-sheet"),
}
PAGES = {("GET", "/console/"), *PAPER_PAGES, *PHOTO_PAGES}
"""For people: whoever is not signed in is shown the door."""

OUTSIDE_THE_API = {
    ("GET", "/healthz"),
    ("GET", "/readyz"),
    ("GET", "/style.css"),
    ("GET", "/console/"),
    *PAPER_PAGES,
    *PHOTO_PAGES,
    ("GET", "/sign-in"),
    ("POST", "/sign-in"),
    ("POST", "/sign-out"),
    ("GET", "/api/v1/openapi.json"),
}
"""Everything that is not in the OpenAPI document. Add a line only with a reason that stands in its view."""

OPEN = OUTSIDE_THE_API - PAGES


def concrete(route: Route) -> str:
    """The route's path with something that fits in its place-holders."""

    def something(match: re.Match[str]) -> str:
        kind = match[1]
        if kind.startswith("any("):
            return kind[4:].partition(",")[0].strip(" )'\"")
        return str(UUID(int=1)) if kind.startswith("uuid:") else "1"

    return re.sub(r"<([^<>]+)>", something, route.path)


def call(client: OfficeClient, route: Route) -> int:
    return client.open(concrete(route), method=route.method).status_code


def test_url_map_document_and_audience_table_are_the_same_set(office: Flask) -> None:
    table = {(route.method, route.path) for route in routes(office) if route.declaration.complete}
    url_map = {
        (method, rule.rule)
        for rule in office.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    assert table == url_map
    documented = {
        (method.upper(), path)
        for path, item in document_of(office)["paths"].items()
        for method in item
        if method != "parameters"
    }
    in_the_api = {route for route in routes(office) if (route.method, route.path) not in OUTSIDE_THE_API}
    assert {(route.method, documented_path(route)) for route in in_the_api} == documented
    assert all(path.startswith(API_PREFIX) for _method, path in documented)


def test_only_a_named_few_are_open(office: Flask) -> None:
    assert {(route.method, route.path) for route in routes(office) if route.declaration.open_to_all} == OPEN


def test_nobody_gets_in_unsigned(office: Flask, anonymous: OfficeClient) -> None:
    """Also not to a validation error: who may ask is settled before what was asked is read."""
    for route in routes(office):
        if not route.declaration.open_to_all:
            expected = 302 if (route.method, route.path) in PAGES else 401
            assert call(anonymous, route) == expected, route


def test_the_permission_table_holds_on_every_route(office: Flask, as_role: AsRole) -> None:
    """Whoever lacks the permission is refused with 403; whoever has it meets anything but that."""
    for role in StaffRole:
        client = as_role(role.value)
        for route in routes(office):
            declaration = route.declaration
            if declaration.open_to_all or declaration.permission is None or route.path == f"{API_PREFIX}/me/password":
                continue
            allowed = AUDIENCE_OF[role] in declaration.audiences
            assert allowed is (
                role in PERMISSIONS[declaration.permission]
                and (role is not StaffRole.CONTROLLER or declaration.by_creditor)
            )
            status = call(client, route)
            assert (status != 403) is allowed, (role, route, status)
            assert status < 500, (role, route, status)


def test_every_row_of_the_permission_table_is_held(office: Flask) -> None:
    """By the audiences of each route that asks for it, which the start-up compares; the rest by a list."""
    assert row_faults(routes(office)) == []


def test_every_route_declares_what_the_table_says(office: Flask) -> None:
    """Of two permissions for the same people the start-up cannot know which was meant: tests/data/routes.txt says it."""
    assert table_faults(routes(office)) == []


def test_a_route_without_an_audience_stops_the_start(office: Flask) -> None:
    app = Flask("t")
    app.add_url_rule("/a", view_func=open_to_all(lambda: "x"), endpoint="a")
    app.add_url_rule("/b", view_func=answers(Audience.MANAGER)(lambda: "x"), endpoint="b", methods=["POST"])
    with pytest.raises(UndeclaredRoute) as refused:
        check_routes(app)
    assert "GET /a" in str(refused.value) and "POST /b" in str(refused.value)


class _Query(Schema):
    audiences = OFFICE
    name = confidential(ma.fields.String())


class _Office(Schema):
    audiences = OFFICE
    id = internal(ma.fields.UUID())


_BOTH = (Audience.DISPATCHER, Audience.MANAGER)
_probe = Blueprint("t", __name__)


def _view(*decorators: Callable[..., Any]) -> Callable[..., Any]:
    def view(**_: object) -> str:
        return "x"

    for decorator in reversed(decorators):
        view = decorator(view)
    return view


@pytest.mark.parametrize(
    ("path", "view", "why"),
    [
        ("/a", _view(answers(Audience.MANAGER), permitted("plans.read")), "admits dispatcher whom it does not answer"),
        ("/a", _view(answers(*_BOTH, Audience.ADMIN), permitted("plans.read")), "answers admin whom nothing admits"),
        ("/a", _view(answers(Audience.MANAGER), open_to_all), "answers manager whom nothing admits"),
        ("/a", _view(answers(*_BOTH), open_to_all, permitted("plans.read")), "not exactly one of permission"),
        ("/a", _view(answers(*_BOTH), permitted("plans.read")), "does not say what it answers with"),
        (
            "/a",
            _view(answers(*_BOTH, Audience.ADMIN), permitted("console.read"), sends(JSON, schema=_Office)),
            "_Office is not for admin",
        ),
        (
            "/a",
            _view(answers(*_BOTH, Audience.ADMIN), permitted("console.read"), sends("text/html", Label.PLACE)),
            "may hold place data, which is not for admin",
        ),
        (
            "/a",
            _view(
                answers(*_BOTH),
                permitted("plans.read"),
                _probe.arguments(_Query, location="query"),
                _probe.response(204),
            ),
            "_Query.name is secret and would travel in the query",
        ),
        (
            "/a/<name>",
            _view(answers(*_BOTH), permitted("plans.read"), _probe.response(204)),
            "name is a text in the path without a label",
        ),
        (
            "/a",
            _view(answers(*_BOTH), permitted("plans.read"), _probe.response(200, ma.Schema.from_dict({}))),
            "is no labelled schema",
        ),
    ],
)
def test_a_declaration_that_does_not_hold_together_stops_the_start(path: str, view: Any, why: str) -> None:
    app = Flask("t", static_folder=None)
    app.add_url_rule(path, view_func=view, endpoint="a")
    with pytest.raises(UndeclaredRoute) as refused:
        enclose(app)
    assert why in str(refused.value)


def test_a_permission_that_is_not_in_the_table_stops_the_import() -> None:
    with pytest.raises(ValueError):
        permitted("visits.raed")
    with pytest.raises(ValueError):
        permitted("staff.write", by_creditor=True)


def test_a_view_runs_for_its_declared_audience_alone() -> None:
    seen = []
    app = Flask("t", static_folder=None)

    @app.get("/a")
    @open_to_all
    @answers(Audience.MACHINE)
    @sends("text/html", Label.INTERNAL)
    def view() -> str:
        seen.append(declared_audience())
        return "x"

    enclose(app)
    assert app.test_client().get("/a").status_code == 200
    assert seen == [Audience.MACHINE]
    assert declared_audience() is None


def test_a_request_works_for_its_own_actors_audience(
    office: Flask, as_role: AsRole, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = []

    def note(*_: object, **__: object) -> Page:
        seen.append(declared_audience())
        return Page([], None)

    monkeypatch.setattr("field_api.http.agents.paged", note)
    for role in ("dispatcher", "manager", "admin", "integrator"):
        assert as_role(role).get("/api/v1/agents").status_code == 200
    assert seen == [Audience.DISPATCHER, Audience.MANAGER, Audience.ADMIN, Audience.INTEGRATOR]


def test_every_operation_documents_problems_and_its_permission(office: Flask) -> None:
    document = document_of(office)
    problem = document["components"]["responses"]["DEFAULT_ERROR"]["content"]
    assert list(problem) == ["application/problem+json"]
    for path, item in document["paths"].items():
        for method, operation in item.items():
            if method == "parameters":
                continue
            assert operation["responses"]["default"] == {"$ref": "#/components/responses/DEFAULT_ERROR"}, path
            assert operation["x-permission"] in PERMISSIONS
            assert set(operation["x-audiences"]) <= set(Audience) and operation["x-audiences"]
            assert operation.get("summary"), f"{method} {path} does not say what it does"
